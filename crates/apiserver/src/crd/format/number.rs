//! Numbers with a check digit.

use std::sync::LazyLock;

use regex::Regex;

static CREDIT_CARD: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern(
        "^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$",
    )
});

/// Whether this is the number of a credit card, whatever stands between its digits.
pub(super) fn is_credit_card(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !CREDIT_CARD.is_match(&digits) {
        return false;
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(byte, double)| {
            let digit = u32::from(byte - b'0');
            match (double, digit) {
                (false, digit) => digit,
                (true, 0..=4) => digit * 2,
                (true, _) => digit * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether this is the number of a book as of before 2007.
pub(super) fn is_isbn10(text: &str) -> bool {
    let Some(digits) = isbn_digits::<10>(text) else {
        return false;
    };
    let check = digits[9];
    let body = digits[..9].iter();
    let sum: u32 = body.zip(1..).map(|(digit, weight)| digit * weight).sum();
    digits[..9].iter().all(|digit| *digit < 10) && (sum + 10 * check).is_multiple_of(11)
}

/// Whether this is the number of a book.
pub(super) fn is_isbn13(text: &str) -> bool {
    let Some(digits) = isbn_digits::<13>(text) else {
        return false;
    };
    let weights = [1, 3].into_iter().cycle();
    let body = digits[..12].iter();
    let sum: u32 = body
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.iter().all(|digit| *digit < 10) && digits[12] == (10 - sum % 10) % 10
}

/// The digits, `X` counting as ten, without blanks and dashes.
fn isbn_digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let mut digits = [0; N];
    let mut count = 0;
    for byte in text.bytes() {
        let digit = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'X' => 10,
            b'-' | b' ' | b'\t' | b'\n' | b'\r' | 0x0C => continue,
            _ => return None,
        };
        *digits.get_mut(count)? = digit;
        count += 1;
    }
    (count == N).then_some(digits)
}
