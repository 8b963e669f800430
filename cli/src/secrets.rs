//! Secrets on the command line: `NAME=VALUE`, `NAME=@FILE` or `NAME=-`. No message repeats one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Read;
use std::path::PathBuf;

use hooktide_model::secret::Secret;

use crate::failure::Failure;

/// How secrets are given, for the help texts of the commands.
pub(crate) const FORMS: &str = "Secrets are given as NAME=VALUE, as NAME=@FILE (the file's content, without its last \
line break) or as NAME=- (from standard input). Other users of this machine can see command lines, and your shell keeps \
them: prefer a file or standard input. `hooktide providers` names the secrets of each provider.";

/// Takes a text as a secret, so that neither help texts nor error messages show it.
pub(crate) fn hidden(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

/// Where a secret's text is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// On the command line.
    Here(Secret),
    /// In a file.
    File(PathBuf),
    /// On standard input.
    Stdin,
}

/// Reads one `NAME=...`.
pub(crate) fn read_named(given: &Secret) -> Result<(String, Secret), Failure> {
    let (name, origin) = named(given)?;
    Ok((name, read(origin, "the secret")?))
}

/// Reads all `NAME=...`; several of one name stay in their order, newest first.
pub(crate) fn read_all(given: &[Secret]) -> Result<BTreeMap<String, Vec<Secret>>, Failure> {
    let origins = given.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    if origins.iter().filter(|(_, origin)| *origin == Origin::Stdin).count() > 1 {
        return Err(Failure::Usage("Only one secret can come from standard input.".to_owned()));
    }
    let mut secrets: BTreeMap<String, Vec<Secret>> = BTreeMap::new();
    for (name, origin) in origins {
        let about = format!("the secret `{name}`");
        secrets.entry(name).or_default().push(read(origin, &about)?);
    }
    Ok(secrets)
}

/// Reads a secret that has no name: the text itself, `@FILE` or `-`.
pub(crate) fn read_plain(given: &Secret) -> Result<Secret, Failure> {
    read(origin(given.expose_text().unwrap_or_default()), "the secret")
}

/// Splits `NAME=...`. Secrets often end in `=`, names never hold one.
fn named(given: &Secret) -> Result<(String, Origin), Failure> {
    let (name, value) = given.expose_text().and_then(|text| text.split_once('=')).unwrap_or_default();
    if name.is_empty() {
        let message = "A secret is given as NAME=VALUE, NAME=@FILE or NAME=-; `hooktide providers` shows the names.";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok((name.to_owned(), origin(value)))
}

fn origin(value: &str) -> Origin {
    match value.strip_prefix('@') {
        Some(file) => Origin::File(file.into()),
        None if value == "-" => Origin::Stdin,
        None => Origin::Here(Secret::new(value)),
    }
}

fn read(origin: Origin, about: &str) -> Result<Secret, Failure> {
    let secret = match origin {
        Origin::Here(secret) => secret,
        Origin::File(file) => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                Failure::Failed(format!("{about} cannot be read from {}: {error}.", file.display()))
            })?;
            without_line_break(&text)
        }
        Origin::Stdin => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| Failure::Failed(format!("{about} cannot be read from standard input: {error}.")))?;
            without_line_break(&text)
        }
    };
    if secret.expose().is_empty() { Err(Failure::Usage(format!("{about} is empty."))) } else { Ok(secret) }
}

fn without_line_break(text: &str) -> Secret {
    let text = text.strip_suffix('\n').unwrap_or(text);
    Secret::new(text.strip_suffix('\r').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, Origin)> {
        named(&Secret::new(text)).ok()
    }

    #[test]
    fn a_secret_may_hold_and_end_in_equals_signs() {
        let expected = ("hmac_key".to_owned(), Origin::Here(Secret::new("YWJj=ZGVm==")));
        assert_eq!(parsed("hmac_key=YWJj=ZGVm=="), Some(expected));
    }

    #[test]
    fn a_file_and_standard_input_are_told_from_text() {
        assert_eq!(parsed("a=@/run/key"), Some(("a".to_owned(), Origin::File("/run/key".into()))));
        assert_eq!(parsed("a=-"), Some(("a".to_owned(), Origin::Stdin)));
        assert_eq!(parsed("a=-x"), Some(("a".to_owned(), Origin::Here(Secret::new("-x")))));
    }

    #[test]
    fn a_secret_without_a_name_is_refused_and_not_repeated() {
        for text in ["hush", "=hush", ""] {
            let message = named(&Secret::new(text)).err().and_then(|failure| failure.message().map(str::to_owned));
            assert!(message.is_some_and(|message| !message.contains("hush")), "{text:?}");
        }
    }

    #[test]
    fn several_secrets_of_one_name_stay_in_their_order() {
        let given = ["client_secret=new", "other=x", "client_secret=old"].map(Secret::new);
        let secrets = read_all(&given).unwrap_or_default();
        assert_eq!(secrets.get("client_secret"), Some(&vec![Secret::new("new"), Secret::new("old")]));
        assert_eq!(secrets.len(), 2);
    }

    #[test]
    fn only_one_secret_comes_from_standard_input() {
        assert!(matches!(read_all(&["a=-", "b=-"].map(Secret::new)), Err(Failure::Usage(_))));
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(matches!(read_named(&Secret::new("a=")), Err(Failure::Usage(_))));
    }

    #[test]
    fn only_the_last_line_break_of_a_file_is_dropped() {
        for (text, secret) in [("k\n", "k"), ("k\r\n", "k"), ("k\n\n", "k\n"), (" k ", " k ")] {
            assert_eq!(without_line_break(text), Secret::new(secret));
        }
    }
}
