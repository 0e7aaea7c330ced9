//! What the viewer sees: lines of the story, and below them a table that is drawn anew whenever
//! something changes. Where the output is no terminal there are only the lines.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kinds::Shipment;
use kinds::condition::{self, kind};
use kube::ResourceExt as _;

use crate::commands::get::short;
use crate::output::{table_within, terminal_width, visible};

/// The widest message of the table.
const MESSAGE: usize = 60;
/// A terminal with fewer columns shows no counts, and commits without their kind: the message tells more.
const WIDE: usize = 110;
/// The columns that a narrow terminal does without.
const COUNTS: [&str; 2] = ["OBJECTS", "FAILED"];

/// The board.
#[derive(Clone)]
pub(super) struct Board(Arc<Mutex<Shown>>);

struct Shown {
    terminal: bool,
    /// Rows by environment and Shipment.
    rows: BTreeMap<(usize, String), Vec<String>>,
    /// How many lines the table takes on the screen now.
    drawn: usize,
    finished: bool,
}

impl Board {
    pub(super) fn new() -> Self {
        let shown = Shown {
            terminal: std::io::stdout().is_terminal(),
            rows: BTreeMap::new(),
            drawn: 0,
            finished: false,
        };
        Self(Arc::new(Mutex::new(shown)))
    }

    /// A line of the story.
    pub(super) fn line(&self, text: &str) {
        let mut shown = self.lock();
        shown.erase();
        put(&format!("{text}\n"));
        shown.draw();
    }

    /// A step that came true, with how long it took.
    pub(super) fn done(&self, text: &str, took: Duration) {
        self.line(&format!(
            "\x1b[32m✓\x1b[0m {text}  \x1b[1m{}\x1b[0m",
            time(took)
        ));
    }

    /// Something that the viewer has to know.
    pub(super) fn warn(&self, text: &str) {
        self.line(&format!("\x1b[33m!\x1b[0m {text}"));
    }

    /// A step without a time of its own.
    pub(super) fn seen(&self, text: &str) {
        self.line(&format!("\x1b[32m✓\x1b[0m {text}"));
    }

    /// A heading.
    pub(super) fn chapter(&self, text: &str) {
        self.line(&format!("\n\x1b[1;36m{text}\x1b[0m"));
    }

    /// Shows how a Shipment stands.
    pub(super) fn show(&self, environment: (usize, &str), shipment: &Shipment) {
        let row = row(environment.1, shipment);
        let mut shown = self.lock();
        let place = (environment.0, shipment.name_any());
        if shown.rows.get(&place) == Some(&row) {
            return;
        }
        shown.rows.insert(place, row);
        if shown.terminal && !shown.finished {
            shown.erase();
            shown.draw();
        }
    }

    /// Leaves the last table on the screen; what comes later stands below it.
    pub(super) fn finish(&self) {
        let mut shown = self.lock();
        if !shown.terminal && !shown.finished && !shown.rows.is_empty() {
            put(&format!("\n{}", shown.table(None)));
        }
        shown.finished = true;
        shown.drawn = 0;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Shown {
    /// Moves the cursor to where the table begins and clears below.
    fn erase(&self) {
        if self.drawn > 0 {
            control(&format!("\x1b[{}A\x1b[J", self.drawn));
        }
    }

    /// Draws the table, each row on one line: a row that wrapped could not be erased, and a terminal
    /// may be made narrower later.
    fn draw(&mut self) {
        self.drawn = 0;
        if !self.terminal || self.finished || self.rows.is_empty() {
            return;
        }
        let text = self.table(terminal_width());
        self.drawn = text.lines().count() + 1;
        control("\x1b[?7l");
        put(&format!("\n{text}"));
        control("\x1b[?7h");
    }

    fn table(&self, columns: Option<usize>) -> String {
        within(self.rows.values().cloned().collect(), columns)
    }
}

/// The table, with no line longer than so many columns.
fn within(mut rows: Vec<Vec<String>>, columns: Option<usize>) -> String {
    let mut header = vec![
        "ENVIRONMENT",
        "SHIPMENT",
        "READY",
        "REVISION",
        "OBJECTS",
        "FAILED",
        "MESSAGE",
    ];
    if columns.is_some_and(|columns| columns < WIDE) {
        let places: Vec<bool> = header.iter().map(|name| COUNTS.contains(name)).collect();
        for row in &mut rows {
            for cell in row.iter_mut() {
                *cell = cell.replace("sha1:", "");
            }
            let mut place = places.iter();
            row.retain(|_| place.next() != Some(&true));
        }
        header.retain(|name| !COUNTS.contains(name));
    }
    table_within(&header, &rows, columns)
}

/// Writes text. A closed output ends nothing: the demo is checked by its exit code.
fn put(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(visible(text).as_bytes());
    let _ = out.flush();
}

/// Moves the cursor. Past anstream: this is no colour, and without colours the table is drawn as well.
fn control(sequence: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(sequence.as_bytes());
    let _ = out.flush();
}

/// A time as it is read at a glance.
fn time(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

fn row(environment: &str, shipment: &Shipment) -> Vec<String> {
    let status = shipment.status.clone().unwrap_or_default();
    let ready = condition::find(&status.conditions, kind::READY);
    let number = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    let message: String = ready
        .map(|ready| ready.message.chars().take(MESSAGE).collect())
        .unwrap_or_default();
    vec![
        environment.to_owned(),
        shipment.name_any(),
        ready.map_or_else(|| "Unknown".to_owned(), |ready| ready.status.clone()),
        short(status.revision.as_deref().unwrap_or_default()),
        number(status.objects),
        number(status.failed),
        message,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_the_terminal_is_wide() {
        let words = [
            "production",
            "deliverables",
            "Unknown",
            "main@sha1:9e8a46dd",
            "19",
            "0",
            "`Deployment/shipway-demo-production/shop`: 2 out of 3 ready",
        ];
        let row: Vec<String> = words.map(str::to_owned).to_vec();
        let longest = |columns| {
            let text = within(vec![row.clone()], columns);
            let text = anstream::adapter::strip_str(&text).to_string(); // colours take no room
            text.lines().map(|line| line.chars().count()).max()
        };
        assert_eq!(longest(Some(80)), Some(80));
        assert_eq!(longest(Some(120)), Some(120));
        assert_eq!(longest(Some(200)), longest(None));
        let narrow = within(vec![row.clone()], Some(80));
        assert!(narrow.contains("`Deployment/"), "{narrow}");
        assert!(
            !narrow.contains("OBJECTS") && narrow.contains(" main@9e8a46dd "),
            "{narrow}"
        );
        assert!(within(vec![row], Some(120)).contains("OBJECTS"));
    }
}
