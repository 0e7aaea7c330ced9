//! Text templates: a string with `(@= value @)` and `(@ code @)` in it.

use crate::error::{Place, Problem};

/// A part of a text template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands.
    Text(String),
    /// Code whose string is inserted, and the lines before it.
    Print(String, u32),
    /// Code, and the lines before it.
    Code(String, u32),
}

/// Splits a text at its markers and trims white space where they ask for it.
///
/// # Errors
///
/// A marker is not closed, or closes nothing.
pub(crate) fn split(text: &str, place: Place) -> Result<Vec<Part>, Problem> {
    let at = |offset: usize| Place::line(place.line + lines(&text[..offset]));
    let mut parts = Vec::new();
    let mut rest = 0;
    let mut trim = false;
    loop {
        let opening = text[rest..].find("(@").map(|offset| rest + offset);
        let until = opening.unwrap_or(text.len());
        if let Some(stray) = text[rest..until].find("@)") {
            let message = "unexpected code closing '@)'";
            return Err(Problem::syntax(at(rest + stray), message));
        }
        let mut piece = &text[rest..until];
        if trim {
            piece = piece.trim_start();
        }
        let Some(opening) = opening else {
            parts.push(Part::Text(piece.to_owned()));
            return Ok(parts);
        };
        let start = opening + 2;
        let Some(length) = text[start..].find("@)") else {
            return Err(Problem::syntax(at(opening), "missing code closing '@)'"));
        };
        let mut code = &text[start..start + length];
        if let Some(inner) = code.find("(@") {
            let message = "unexpected code opening '(@'";
            return Err(Problem::syntax(at(start + inner), message));
        }
        let trims_before = code.starts_with('-');
        code = code.strip_prefix('-').unwrap_or(code);
        let prints = code.starts_with('=');
        code = code.strip_prefix('=').unwrap_or(code);
        trim = code.ends_with('-');
        code = code.strip_suffix('-').unwrap_or(code);
        if trims_before {
            piece = piece.trim_end();
        }
        parts.push(Part::Text(piece.to_owned()));
        let before = lines(&text[..opening]);
        parts.push(if prints {
            Part::Print(code.to_owned(), before)
        } else {
            Part::Code(code.to_owned(), before)
        });
        rest = start + length + 2;
    }
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_split_and_trim() {
        let parts = split("a (@- if x: -@) \n b(@= y @)\n(@ end @)", Place::line(1));
        let expected = vec![
            Part::Text("a".to_owned()),
            Part::Code(" if x: ".to_owned(), 0),
            Part::Text("b".to_owned()),
            Part::Print(" y ".to_owned(), 1),
            Part::Text("\n".to_owned()),
            Part::Code(" end ".to_owned(), 2),
            Part::Text(String::new()),
        ];
        assert_eq!(parts, Ok(expected));
    }

    #[test]
    fn a_stray_marker_is_named_with_its_line() {
        let line = |text| split(text, Place::line(3)).map_err(|problem| problem.place.line);
        assert_eq!(line("a\n@)"), Err(4));
        assert_eq!(line("a\n(@ b"), Err(4));
        assert_eq!(line("(@ a (@ b @)"), Err(3));
    }
}
