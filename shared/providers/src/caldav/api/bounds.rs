//! Whether an answer can be read as XML in a time that goes with its length. A reader compares each attribute of an element with
//! all others of it, and hands the names of spaces down from element to element: many of either would keep it busy for hours.

/// How many attributes an element has at the most.
const MOST_ATTRIBUTES: usize = 32;
/// How deep elements lie in each other at the most.
const DEEPEST: usize = 48;
/// What is no element, and its end.
const SKIPPED: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// Whether no element has too many attributes, or lies too deep. What is no XML may be either.
pub(super) fn are_kept(text: &str) -> bool {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let length = match SKIPPED.iter().find(|(begins, _)| rest.starts_with(begins)) {
            Some((_, ends)) => rest.find(ends).map(|at| at + ends.len()),
            None => tag(rest),
        };
        let Some(length) = length else { return false };
        let (this, after) = rest.split_at(length);
        rest = after;
        if this.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if !this.ends_with("/>") && !this.starts_with("<!") && !this.starts_with("<?") {
            depth += 1;
        }
        if depth > DEEPEST {
            return false;
        }
    }
    true
}

/// The length of the tag that a text begins with; `None` if it has no end, or too many attributes.
fn tag(text: &str) -> Option<usize> {
    let (mut quote, mut attributes) = (None, 0);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                attributes += 1;
                if attributes > MOST_ATTRIBUTES {
                    return None;
                }
            }
            (None, b'>') => return Some(at + 1),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_too_many_attributes_or_too_deep_is_not_read() {
        let attributes = |count: usize| (0..count).map(|number| format!(" a{number}='>'")).collect::<String>();
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        for (text, expected) in [
            (format!("<a{}/>", attributes(MOST_ATTRIBUTES)), true),
            (format!("<a{}/>", attributes(MOST_ATTRIBUTES + 1)), false),
            (format!("<a{}", attributes(100_000)), false),
            (format!("<?xml version=\"1.0\"?><!-- <a{}/> --><a/>", attributes(100)), true),
            (format!("<a><![CDATA[<a{}>]]></a>", attributes(100)), true),
            (deep(DEEPEST), true),
            (deep(DEEPEST + 1), false),
            ("<a xmlns=\"DAV:\"/>".repeat(100_000), true),
            ("no element".to_owned(), true),
            ("<!-- without an end".to_owned(), false),
        ] {
            assert_eq!(are_kept(&text), expected, "{}", text.get(..60).unwrap_or(&text));
        }
    }
}
