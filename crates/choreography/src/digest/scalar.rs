//! How a text is written: plain, quoted or as a block.

use super::plain::reads_as_text;

/// The four ways to write a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

impl Style {
    pub(super) fn of(text: &str, is_simple_key: bool) -> Self {
        let analysis = Analysis::of(text);
        let wanted = if text.contains('\n') {
            Self::Literal
        } else if reads_as_text(text) {
            Self::Plain
        } else {
            Self::Double
        };
        match wanted {
            _ if is_simple_key && analysis.multiline => Self::Double,
            Self::Plain if analysis.plain => Self::Plain,
            Self::Plain if analysis.single => Self::Single,
            Self::Literal if analysis.block && !is_simple_key => Self::Literal,
            _ => Self::Double,
        }
    }
}

/// Which ways to write a text are open.
#[derive(Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one way to write a text, and they are open independently"
)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    plain: bool,
    single: bool,
    block: bool,
}

impl Analysis {
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                multiline: false,
                plain: true,
                single: true,
                block: false,
            };
        }
        let has = Traits::of(text);
        let bad_everywhere = has.space_break || has.special;
        Self {
            multiline: has.breaks,
            plain: !(has.edge_blank
                || has.break_space
                || bad_everywhere
                || has.tab
                || has.breaks
                || has.indicator),
            single: !(has.break_space || bad_everywhere || has.tab),
            block: !(has.trailing_space || bad_everywhere),
        }
    }
}

/// What there is in a text.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one finding about a text, and every combination occurs"
)]
struct Traits {
    indicator: bool,
    breaks: bool,
    special: bool,
    tab: bool,
    edge_blank: bool,
    trailing_space: bool,
    /// A space after a break.
    break_space: bool,
    /// A break after a space.
    space_break: bool,
}

impl Traits {
    fn of(text: &str) -> Self {
        let mut found = Self {
            indicator: text.starts_with("---") || text.starts_with("..."),
            ..Self::default()
        };
        let mut before = None;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            let next = rest.clone().next();
            found.note(before, char, next);
            before = Some(char);
        }
        found
    }

    fn note(&mut self, before: Option<char>, char: char, next: Option<char>) {
        let blank_follows = next.is_none_or(|next| matches!(next, ' ' | '\t'));
        let blank_precedes =
            before.is_none_or(|before| matches!(before, ' ' | '\t' | '\0') || is_break(before));
        self.indicator |= match char {
            '#' => blank_precedes,
            ':' => blank_follows,
            '?' | '-' if before.is_none() => blank_follows,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`' => before.is_none(),
            _ => false,
        };
        self.tab |= char == '\t';
        self.special |= char != '\t' && !is_printable(char);
        let at_edge = before.is_none() || next.is_none();
        if char == ' ' {
            self.edge_blank |= at_edge;
            self.trailing_space |= next.is_none();
            self.break_space |= before.is_some_and(is_break);
        } else if is_break(char) {
            self.breaks = true;
            self.edge_blank |= at_edge;
            self.space_break |= before == Some(' ');
        }
    }
}

pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What need not be escaped. Nothing beyond the first 65,536 characters: emoji are escaped.
pub(super) fn is_printable(char: char) -> bool {
    matches!(char,
        '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}
