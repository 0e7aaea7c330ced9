//! Short digests: for names, cache keys and marks, where a whole SHA-256 is too long to read.

use sha2::{Digest as _, Sha256};

/// The first hexadecimal digits of a text's SHA-256; all 64 at the most.
pub fn fingerprint(text: &str, digits: usize) -> String {
    let mut hex = format!("{:x}", Sha256::digest(text.as_bytes()));
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_beginning_of_the_digest() {
        assert_eq!(fingerprint("", 8), "e3b0c442");
        assert_eq!(fingerprint("", 100).len(), 64);
    }
}
