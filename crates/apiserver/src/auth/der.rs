//! Writes DER (X.690), as far as keys and certificates need it.

/// A value of DER with its tag and length.
pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    match length {
        [] => out.push(0),
        [short @ ..=0x7f] => out.push(*short),
        long => {
            // A usize has eight bytes at most.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        for (length, header) in [
            (0, &[4, 0][..]),
            (1, &[4, 1]),
            (127, &[4, 0x7f]),
            (128, &[4, 0x81, 0x80]),
            (256, &[4, 0x82, 1, 0]),
        ] {
            let content = vec![7; length];
            assert_eq!(tagged(4, &content), [header, &content].concat());
        }
    }
}
