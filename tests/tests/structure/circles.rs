//! Imports form no circle but inside one folder.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Path, UseTree, Visibility};

use crate::sources::product;

/// A module's path within its crate, such as `["records", "entity"]`.
type Module = Vec<String>;

#[test]
fn imports_form_no_circle_but_inside_one_folder() {
    let mut crates: BTreeMap<String, BTreeMap<Module, File>> = BTreeMap::new();
    for (name, text) in product() {
        let (home, module) = place_of(&name);
        let file = File::read(name, &text, &module);
        crates.entry(home).or_default().insert(module, file);
    }
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for modules in crates.values() {
        for file in modules.values() {
            let targets = file.imports.iter().filter_map(|path| nearest(modules, path.clone()));
            arrows.insert(&file.name, targets.filter(|target| *target != file.name).collect());
        }
    }
    let circles: Vec<Vec<&str>> = circles(&arrows).into_iter().filter(|circle| !is_one_folder(circle)).collect();
    assert_eq!(circles, Vec::<Vec<&str>>::new());
}

/// The crate of a file, and the module that it is.
fn place_of(name: &str) -> (String, Module) {
    let name = name.trim_end_matches(".rs");
    let (home, rest) = match name.split_once("/src/") {
        Some((home, rest)) => (home.to_owned(), rest),
        // A function's own folder is its crate.
        None => name.rsplit_once('/').map(|(home, rest)| (home.to_owned(), rest)).unwrap_or_default(),
    };
    let mut module: Module = rest.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    (home, module)
}

/// A file's name, and the paths that its code names, each from its crate's root.
#[derive(Default)]
struct File {
    name: String,
    imports: BTreeSet<Module>,
    /// What it exports under a name of its own, which is no import: whoever uses it imports the path behind it.
    exports: BTreeMap<String, Module>,
}

impl File {
    fn read(name: String, text: &str, module: &Module) -> Self {
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut paths = Paths { module, file: Self { name, ..Self::default() } };
        paths.visit_file(&parsed);
        paths.file
    }
}

struct Paths<'a> {
    module: &'a Module,
    file: File,
}

impl Paths<'_> {
    /// The path from the crate's root, if it is within the crate.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let mut from = self.module.clone();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => {
                from.clear();
                rest = &path[1..];
            }
            Some("self") => rest = &path[1..],
            Some("super") => {}
            _ => return None,
        }
        while let Some(("super", more)) = rest.split_first().map(|(first, more)| (first.as_str(), more)) {
            from.pop();
            rest = more;
        }
        from.extend(rest.iter().cloned());
        Some(from)
    }

    fn tree(&mut self, tree: &UseTree, before: &[String], exported: bool) {
        let (path, name) = match tree {
            UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                return self.tree(&path.tree, &before, exported);
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.tree(tree, before, exported)),
            UseTree::Name(name) => ([before, &[name.ident.to_string()]].concat(), name.ident.to_string()),
            UseTree::Rename(name) => ([before, &[name.ident.to_string()]].concat(), name.rename.to_string()),
            UseTree::Glob(_) => (before.to_vec(), String::new()),
        };
        let Some(path) = self.absolute(&path) else { return };
        if exported {
            self.file.exports.insert(name, path);
        } else {
            self.file.imports.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    /// `pub(in path)` says who may see an item, and imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let path_within = self.absolute(&segments);
        self.file.imports.extend(path_within);
        syn::visit::visit_path(self, path);
    }
}

/// The file of the longest part of the path that is a module, or of what that exports under the next name.
fn nearest(modules: &BTreeMap<Module, File>, path: Module) -> Option<&str> {
    let longest = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let file = &modules[&path[..longest]];
    match path.get(longest).and_then(|name| file.exports.get(name)) {
        Some(exported) if exported.len() > longest || exported[..] != path[..] => {
            nearest(modules, [&exported[..], &path[longest + 1..]].concat())
        }
        _ => Some(&file.name),
    }
}

/// The sets of files of which each reaches each other, sorted.
fn circles<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|from| (*from, reach(arrows, from))).collect();
    let mut found = BTreeSet::new();
    for (from, targets) in &reached {
        let circle: Vec<&str> = targets.iter().copied().filter(|target| reached[target].contains(from)).collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// The files that arrows lead to from one, over others as well.
fn reach<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let (mut found, mut waiting) = (BTreeSet::new(), vec![from]);
    while let Some(name) = waiting.pop() {
        for target in arrows.get(name).into_iter().flatten() {
            if found.insert(*target) {
                waiting.push(target);
            }
        }
    }
    found
}

/// Whether one folder holds all of the files, directly or below a folder of its own; a crate's root is none.
fn is_one_folder(circle: &[&str]) -> bool {
    let folders: BTreeSet<&str> = circle.iter().filter_map(|name| Some(name.rsplit_once('/')?.0)).collect();
    let holds_all = |folder: &str| folders.iter().all(|other| format!("{other}/").starts_with(&format!("{folder}/")));
    let is_root = |folder: &str| folder.ends_with("/src");
    folders.len() == 1 || folders.iter().any(|folder| holds_all(folder) && !is_root(folder))
}

#[test]
fn a_circle_over_two_folders_is_found() {
    let arrows = BTreeMap::from([
        ("a/x.rs", BTreeSet::from(["b/y.rs"])),
        ("b/y.rs", BTreeSet::from(["b/z.rs"])),
        ("b/z.rs", BTreeSet::from(["a/x.rs"])),
        ("b/w.rs", BTreeSet::from(["b/y.rs"])),
    ]);
    assert_eq!(circles(&arrows), [vec!["a/x.rs", "b/y.rs", "b/z.rs"]]);
    assert!(!is_one_folder(&["a/src/b/x.rs", "a/src/c/y.rs"]) && !is_one_folder(&["a/src/x.rs", "a/src/c/y.rs"]));
    assert!(is_one_folder(&["a/src/b/x.rs", "a/src/b/c/y.rs"]) && is_one_folder(&["a/src/x.rs", "a/src/y.rs"]));
    let text = "use super::{b::Y, c}; pub use crate::d as e; fn f() { self::g::h() }";
    let file = File::read("a/x.rs".to_owned(), text, &vec!["a".to_owned(), "x".to_owned()]);
    let shown: Vec<String> = file.imports.iter().map(|path| path.join("::")).collect();
    assert_eq!(shown, ["a::b::Y", "a::c", "a::x::g::h"]);
    assert_eq!(file.exports["e"], ["d"]);
}
