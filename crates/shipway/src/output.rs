//! How commands show objects: tables as kubectl's, or whole as JSON and YAML.

mod visible;

use std::io::Write as _;

use clap::{Args, ValueEnum};
use delivery::diff::{Line, Mark};
use serde::Serialize;
use serde_json::Value;

use crate::error::CliError;
pub(crate) use visible::{Visible, visible};

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table
    #[default]
    Table,
    /// A table with more columns
    Wide,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Only kinds and names
    Name,
}

impl Format {
    /// Whether people read it, rather than programs.
    pub(crate) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// The flag that chooses the form.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct OutputArgs {
    /// Show the result in this form
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        hide_default_value = true,
        value_name = "FORM"
    )]
    pub(crate) output: Format,
}

/// Prints a value whole.
pub(crate) fn print_whole(format: Format, value: &impl Serialize) -> Result<(), CliError> {
    let mut value = serde_json::to_value(value).map_err(CliError::failed)?;
    without_managers(&mut value);
    if format == Format::Yaml {
        let text = manifest::to_yaml(&value);
        if !text.contains(visible::is_hidden) {
            print_text(&text);
            return Ok(());
        }
        // Written out it would be another text; JSON is YAML as well, and knows how to say it.
    }
    let text = serde_json::to_string_pretty(&value).map_err(CliError::failed)?;
    print_text(&format!("{text}\n"));
    Ok(())
}

/// Takes out who owns which field of an object, or of those of a list, as kubectl does.
fn without_managers(value: &mut Value) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let items = value.get_mut("items").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        without_managers(item);
    }
}

/// Prints text that ends its own lines.
pub(crate) fn print_text(text: &str) {
    anstream::print!("{}", visible(text));
}

/// Each on a line of its own.
pub(crate) fn lines(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(&item.to_string());
        text.push('\n');
    }
    text
}

/// A line of a diff, coloured; its sign says all that the colour says.
pub(crate) fn diff_line(line: &Line) -> String {
    match line.mark {
        Mark::Added => format!("\x1b[32m{line}\x1b[0m"),
        Mark::Removed => format!("\x1b[31m{line}\x1b[0m"),
        Mark::Same | Mark::Gap => line.to_string(),
    }
}

/// Says something about the result, beside it.
pub(crate) fn note(text: impl std::fmt::Display) {
    anstream::eprintln!("{}", visible(&text.to_string()));
}

/// Asks a question on the terminal; anything but `y` and `yes` is a no.
pub(crate) fn ask(question: &str) -> Result<bool, CliError> {
    anstream::eprint!("{}", visible(question));
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| CliError::failed(format!("could not read the answer: {error}")))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Draws a line on the terminal of standard error over the one before; an empty one clears it.
pub(crate) fn erasable(line: &str) {
    // A line that wraps could not be erased.
    let line: String = visible(line).chars().take(79).collect();
    // Past anstream: this is no colour, and without colours the line is erased as well. If the
    // terminal is gone there is nobody to tell.
    let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}");
}

/// A table without lines, its columns three spaces apart, as kubectl's.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    table_within(header, rows, None)
}

/// The same, no line of it wider than this.
pub(crate) fn table_within(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let columns = Columns::of(&header, rows).within(width);
    std::iter::once(&header)
        .chain(rows)
        .map(|row| columns.line(row))
        .collect()
}

/// How wide the terminal is that standard output goes to, if it does.
pub(crate) fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(width.0)).filter(|width| *width > 0)
}

/// How wide the columns of a table are.
pub(crate) struct Columns {
    widths: Vec<usize>,
    /// The column whose words say how something stands.
    state: Option<usize>,
    /// How wide the last column may be.
    last: Option<usize>,
}

impl Columns {
    /// Wide enough for these.
    pub(crate) fn of(header: &[String], rows: &[Vec<String>]) -> Self {
        let mut widths = vec![0; header.len()];
        for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let says = |cell: &String| matches!(cell.as_str(), "READY" | "STATUS");
        Self {
            state: header.iter().position(says),
            widths,
            last: None,
        }
    }

    /// The last column cut so that a line is no wider than this, though no further than its header.
    pub(crate) fn within(mut self, width: Option<usize>) -> Self {
        let before = self.widths.iter().rev().skip(1).map(|width| width + 3);
        let before: usize = before.sum();
        self.last = width.map(|width| width.saturating_sub(before).max("MESSAGE".len()));
        self
    }

    /// One line of the table. The words say what the colours say.
    pub(crate) fn line(&self, row: &[String]) -> String {
        let mut line = String::new();
        for (index, (cell, width)) in row.iter().zip(&self.widths).enumerate() {
            // A message of several lines would tear the table.
            let cell = cell.replace('\n', " ");
            let cell = match self.last.filter(|_| index + 1 == self.widths.len()) {
                Some(room) => cut(&cell, room),
                None => cell,
            };
            match colour(&cell).filter(|_| self.state == Some(index)) {
                Some(colour) => line.extend([colour, &cell, "\x1b[0m"]),
                None => line.push_str(&cell),
            }
            let pad = width.saturating_sub(cell.chars().count()) + 3;
            line.extend(std::iter::repeat_n(' ', pad));
        }
        format!("{}\n", line.trim_end())
    }
}

fn cut(text: &str, room: usize) -> String {
    if visible(text).chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = visible(text).chars().take(room.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The colour of a word that says how something stands.
fn colour(word: &str) -> Option<&'static str> {
    match word {
        "True" | "Ready" | "Current" => Some("\x1b[32m"),
        "False" | "NotReady" | "Failed" | "NotFound" => Some("\x1b[31m"),
        "Unknown" | "InProgress" | "Terminating" => Some("\x1b[33m"),
        _ => None,
    }
}

/// An age as kubectl shows it: `5s`, `3m`, `2h`, `4d`.
pub(crate) fn age(since: Option<k8s_openapi::jiff::Timestamp>) -> String {
    let Some(since) = since else {
        return "<unknown>".to_owned();
    };
    let seconds = k8s_openapi::jiff::Timestamp::now()
        .duration_since(since)
        .as_secs()
        .max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A word for a shell.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_three_spaces_apart_and_lines_have_no_tail() {
        let rows = vec![vec!["web".to_owned(), "True".to_owned(), String::new()]];
        assert_eq!(
            table(&["NAME", "READY", "MESSAGE"], &rows),
            "NAME   READY   MESSAGE\nweb    \x1b[32mTrue\x1b[0m\n"
        );
    }

    #[test]
    fn the_last_column_is_cut_to_the_width_of_the_terminal() {
        let rows = vec![vec!["web".to_owned(), "it waits for the others".to_owned()]];
        let shown = |width| table_within(&["NAME", "MESSAGE"], &rows, width);
        assert_eq!(shown(Some(20)), "NAME   MESSAGE\nweb    it waits for…\n");
        assert_eq!(shown(Some(5)), "NAME   MESSAGE\nweb    it wai…\n");
        assert_eq!(
            shown(None),
            "NAME   MESSAGE\nweb    it waits for the others\n"
        );
    }

    #[test]
    fn a_message_is_one_word_for_a_shell() {
        assert_eq!(word("it's here"), "'it'\\''s here'");
        assert_eq!(word("shop.yaml"), "shop.yaml");
    }
}
