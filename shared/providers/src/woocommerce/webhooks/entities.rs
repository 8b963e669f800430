//! Secrets as a store uses them: WordPress decodes HTML entities in a secret before it signs with it.

use zeroize::Zeroizing;

/// The characters that have a name, with their names: letter case counts.
const NAMED: &[(&[u8], u8)] = &[(b"lt", b'<'), (b"gt", b'>'), (b"amp", b'&'), (b"quot", b'"')];
/// The characters that are decoded from a decimal number.
const DECIMAL: &[(&[u8], u8)] = &[(b"39", b'\''), (b"34", b'"'), (b"60", b'<'), (b"62", b'>'), (b"38", b'&')];
/// The characters that are decoded from a hexadecimal number: not `<` and `>`.
const HEXADECIMAL: &[(&[u8], u8)] = &[(b"27", b'\''), (b"22", b'"'), (b"26", b'&')];

/// Decodes a secret as `wp_specialchars_decode` with `ENT_QUOTES` does: each entity once, from left to right.
pub(super) fn decoded(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    // The capacity suffices, so the text is never moved and leaves no copy of the secret behind.
    let mut text = Zeroizing::new(Vec::with_capacity(secret.len()));
    let mut rest = secret;
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = entity(rest).unwrap_or((*first, after));
        text.push(byte);
        rest = after;
    }
    text
}

/// The character that the entity at the start of a text encodes, and the rest of the text.
fn entity(text: &[u8]) -> Option<(u8, &[u8])> {
    let text = text.strip_prefix(b"&")?;
    let (name, after) = text.split_at(text.iter().position(|byte| *byte == b';')?);
    let after = after.get(1..)?;
    let (table, name) = match name {
        [b'#', b'x' | b'X', number @ ..] => (HEXADECIMAL, without_zeros(number)),
        [b'#', number @ ..] => (DECIMAL, without_zeros(number)),
        name => (NAMED, name),
    };
    let (_, character) = table.iter().find(|(known, _)| *known == name)?;
    Some((*character, after))
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn entities_are_decoded_as_wordpress_does() {
        for (secret, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("a&amp;b", "a&b"),
            ("a&b", "a&b"),
            ("&lt;&gt;&quot;", "<>\""),
            ("&#039;&#39;&#0039;&#x27;&#X27;&#x0027;", "''''''"),
            ("&#034;&#x22;&#060;&#62;&#038;&#x26;", "\"\"<>&&"),
            // Entities are decoded only once.
            ("&amp;amp;", "&amp;"),
            ("&amp;#039;", "&#039;"),
            ("&&amp;;", "&&;"),
            // These are not known entities.
            ("&apos;&AMP;&Lt;&nbsp;", "&apos;&AMP;&Lt;&nbsp;"),
            ("&#x3c;&#x3E;", "&#x3c;&#x3E;"),
            ("&#;&#x;&;&#0;", "&#;&#x;&;&#0;"),
            ("&amp", "&amp"),
            ("& amp;", "& amp;"),
            ("é&#39;", "é'"),
        ] {
            assert_eq!(decoded(secret.as_bytes()).as_slice(), expected.as_bytes(), "{secret}");
        }
    }
}
