//! How commands show objects: tables as kubectl's, or whole as JSON and YAML.

mod visible;

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

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
    let value = serde_json::to_value(value).map_err(CliError::failed)?;
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
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let columns = Columns::of(&header, rows);
    std::iter::once(&header)
        .chain(rows)
        .map(|row| columns.line(row))
        .collect()
}

/// How wide the columns of a table are.
pub(crate) struct Columns(Vec<usize>);

impl Columns {
    /// Wide enough for these.
    pub(crate) fn of(header: &[String], rows: &[Vec<String>]) -> Self {
        let mut widths = vec![0; header.len()];
        for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        Self(widths)
    }

    /// One line of the table.
    pub(crate) fn line(&self, row: &[String]) -> String {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&self.0) {
            // A message of several lines would tear the table.
            let cell = cell.replace('\n', " ");
            line.push_str(&cell);
            let pad = width.saturating_sub(cell.chars().count()) + 3;
            line.extend(std::iter::repeat_n(' ', pad));
        }
        format!("{}\n", line.trim_end())
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
            "NAME   READY   MESSAGE\nweb    True\n"
        );
    }

    #[test]
    fn a_message_is_one_word_for_a_shell() {
        assert_eq!(word("it's here"), "'it'\\''s here'");
        assert_eq!(word("shop.yaml"), "shop.yaml");
    }
}
