//! How commands show objects: tables as kubectl's, or whole as JSON and YAML.

use anstream::println;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::error::CliError;

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
#[expect(clippy::print_stdout, reason = "this is where results are shown")]
pub(crate) fn print_whole(format: Format, value: &impl Serialize) -> Result<(), CliError> {
    let value = serde_json::to_value(value).map_err(CliError::failed)?;
    if format == Format::Yaml {
        print_text(&manifest::to_yaml(&value));
    } else {
        println!(
            "{}",
            serde_json::to_string_pretty(&value).map_err(CliError::failed)?
        );
    }
    Ok(())
}

/// Prints text that ends its own lines.
#[expect(clippy::print_stdout, reason = "this is where results are shown")]
pub(crate) fn print_text(text: &str) {
    anstream::print!("{text}");
}

/// A table without lines, its columns three spaces apart, as kubectl's.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&header).chain(rows) {
        let mut line = String::new();
        for (index, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if index + 1 < row.len() {
                let pad = widths[index].saturating_sub(cell.chars().count()) + 3;
                line.extend(std::iter::repeat_n(' ', pad));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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
}
