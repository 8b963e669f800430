//! What a simulator makes up: always the same of the same seed.

use hooktide_model::signing;

/// A number below `below`, drawn for this purpose from that seed.
pub(crate) fn number(seed: u64, purpose: &str, below: u64) -> u64 {
    let digest = signing::sha256(&[&seed.to_be_bytes(), purpose.as_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) % below.max(1)
}

/// An id of so many capital letters and digits.
pub(crate) fn id(seed: u64, purpose: &str, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let digest = signing::sha256(&[b"id", &seed.to_be_bytes(), purpose.as_bytes()]);
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    digest.iter().cycle().take(length).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(id(1, "a", 24), id(1, "a", 24));
        assert_ne!(id(1, "a", 24), id(2, "a", 24));
        assert_ne!(id(1, "a", 24), id(1, "b", 24));
        assert!((0..100).all(|seed| number(seed, "a", 3) < 3));
        assert_eq!(number(1, "a", 0), 0);
    }
}
