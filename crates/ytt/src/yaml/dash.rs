//! Where the dashes of block sequences are: the parser tells of values alone, and a value may stand
//! below its dash, or not at all.

/// The lines of a text. Lines are counted from 1, columns from 0.
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The first line with a dash below another line, down to a third, and the dash's column.
    pub(super) fn below(&self, line: usize, until: usize) -> Option<(usize, usize)> {
        let lines = self.0.get(line..until)?;
        lines.iter().enumerate().find_map(|(offset, text)| {
            let column = text.bytes().take_while(|byte| *byte == b' ').count();
            is_dash(text, column).then_some((line + offset + 1, column))
        })
    }

    /// The next line below another that has a dash at a column.
    pub(super) fn next(&self, line: usize, column: usize) -> Option<usize> {
        let offset = self
            .0
            .get(line..)?
            .iter()
            .position(|text| is_dash(text, column))?;
        Some(line + offset + 1)
    }
}

/// Whether a line has a dash at a column, and nothing before it.
fn is_dash(text: &str, column: usize) -> bool {
    let bytes = text.as_bytes();
    bytes.get(column) == Some(&b'-')
        && bytes[..column].iter().all(|byte| *byte == b' ')
        && matches!(bytes.get(column + 1), None | Some(b' ' | b'\t'))
}
