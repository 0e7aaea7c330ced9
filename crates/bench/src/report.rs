//! What was measured, beside what the design asks for.

use std::fmt::Write as _;

/// One measured number.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// What it was.
    pub(crate) measured: String,
    /// What a bare loop takes, where there is one.
    pub(crate) floor: String,
    /// The design's number, and whether it is met.
    pub(crate) design: Option<(String, bool)>,
}

impl Row {
    /// A number that the design says nothing about.
    pub(crate) fn new(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            measured: measured.into(),
            floor: String::new(),
            design: None,
        }
    }

    /// The same, beside a floor.
    pub(crate) fn beside(mut self, floor: impl Into<String>) -> Self {
        self.floor = floor.into();
        self
    }

    /// The same, judged by the design.
    pub(crate) fn judged(mut self, wanted: impl Into<String>, is_met: bool) -> Self {
        self.design = Some((wanted.into(), is_met));
        self
    }

    fn verdict(&self) -> String {
        match &self.design {
            None => String::new(),
            Some((wanted, true)) => format!("ok ({wanted})"),
            Some((wanted, false)) => format!("**misses**: {} ({wanted})", self.measured),
        }
    }
}

/// What stands behind a number.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// Its heading.
    pub(crate) title: String,
    /// Markdown.
    pub(crate) text: String,
}

/// All numbers of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    details: Vec<Detail>,
}

impl Report {
    /// Adds a number.
    pub(crate) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds what stands behind numbers.
    pub(crate) fn detail(&mut self, title: impl Into<String>, text: impl Into<String>) {
        self.details.push(Detail {
            title: title.into(),
            text: text.into(),
        });
    }

    /// What stands behind the numbers.
    pub(crate) fn details(&self) -> &[Detail] {
        &self.details
    }

    /// The numbers as a table, in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text =
            "| What | Shipway | Floor, in the same run | Design |\n|---|---|---|---|\n".to_owned();
        for row in &self.rows {
            let (what, measured, floor) = (&row.what, &row.measured, &row.floor);
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {what} | {measured} | {floor} | {} |",
                row.verdict()
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_has_both_figures_where_the_design_is_missed() {
        let mut report = Report::default();
        report.row(Row::new("idle", "20 MiB").judged("at most 25 MiB", true));
        report.row(
            Row::new("push", "1.2 s")
                .beside("9 ms")
                .judged("p99 below 1 s", false),
        );
        let table = report.table();
        assert!(table.contains("| idle | 20 MiB |  | ok (at most 25 MiB) |"));
        assert!(table.contains("| push | 1.2 s | 9 ms | **misses**: 1.2 s (p99 below 1 s) |"));
    }
}
