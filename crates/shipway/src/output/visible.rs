//! Text for terminals and logs in which every character can be seen. Whoever may write a file, an
//! object or a message decides about its words alone: not where the cursor goes, what is wiped out,
//! or in which direction the rest of the line runs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// The colours that we use ourselves. They pass, since colour never carries meaning.
const COLOURS: [&str; 10] = [
    "\x1b[0m",
    "\x1b[1m",
    "\x1b[31m",
    "\x1b[32m",
    "\x1b[33m",
    "\x1b[36m",
    "\x1b[1;31m",
    "\x1b[1;32m",
    "\x1b[1;33m",
    "\x1b[1;36m",
];

/// Writes out what could not be seen as `\u009b`, which JSON reads as the character itself.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(is_hidden) {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let colour = COLOURS.iter().find(|colour| rest.starts_with(**colour));
        if let Some(colour) = colour {
            shown.push_str(colour);
            rest = &rest[colour.len()..];
            continue;
        }
        let mut characters = rest.chars();
        if let Some(hidden) = characters.next() {
            let _ = write!(shown, "\\u{:04x}", u32::from(hidden));
        }
        rest = characters.as_str();
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// Whether a character moves or turns what stands beside it instead of being shown: the control
/// characters, of which a terminal takes those above 7f too, and those of bidirectional text.
pub(crate) fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        _ => character.is_control(),
    }
}

/// Writes a log whose lines can be seen. Each write is a whole line.
pub(crate) struct Visible<W>(pub(crate) W);

impl<W: io::Write> io::Write for Visible<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(visible(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn what_moves_the_cursor_or_turns_the_line_is_written_out() {
        check("a\u{9b}2Jb", "a\\u009b2Jb");
        check(
            "ok\rno\x1b]0;x\x07\x7f",
            "ok\\u000dno\\u001b]0;x\\u0007\\u007f",
        );
        check("a\u{202e}b\u{2066}c\u{85}", "a\\u202eb\\u2066c\\u0085");
        check("\x1b[2K\x1b[31", "\\u001b[2K\\u001b[31");
    }

    #[test]
    fn words_lines_and_our_own_colours_stay() {
        check("größe\tשלום\n日本", "größe\tשלום\n日本");
        check("\x1b[1;32m+ a\x1b[0m\n", "\x1b[1;32m+ a\x1b[0m\n");
    }

    #[test]
    fn in_json_it_is_the_same_text() {
        let text = "a\u{9b}b\u{202e}\r";
        let json = serde_json::to_string(text).expect("a text is JSON");
        let shown = visible(&json);
        assert!(!shown.contains(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
    }

    #[test]
    fn a_log_is_written_line_by_line() {
        let mut log = Vec::new();
        let mut writer = Visible(&mut log);
        io::Write::write_all(&mut writer, "a\u{9b}b\n".as_bytes()).expect("memory takes it");
        assert_eq!(log, b"a\\u009bb\n");
    }
}
