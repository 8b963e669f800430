//! What the user sees: lines, tables and JSON on stdout, notes on stderr.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::moment;

/// Where answers go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Whether the server's JSON was asked for.
    pub(crate) json: bool,
}

impl Output {
    /// A line of the answer.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(unwritten)
    }

    /// A JSON value, on one line.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
        self.line(&text)
    }

    /// A table, or what to say when it has no rows.
    pub(crate) fn table(&self, table: &Table, if_empty: &str) -> Result<(), Failure> {
        if table.rows.is_empty() { self.line(if_empty) } else { self.line(&table.render()) }
    }

    /// A note beside the answer. Where even that cannot be written, nobody is there to be told.
    pub(crate) fn note(&self, text: &str) {
        drop(writeln!(io::stderr().lock(), "{text}"));
    }
}

fn unwritten(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::Failed(format!("The output could not be written: {error}.")),
    }
}

/// Rows under headers; columns are as wide as their widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers.
    pub(crate) fn new(headers: &[&str]) -> Self {
        Self { headers: headers.iter().map(|header| (*header).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; control characters, which could steer a terminal, are replaced.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| harmless(&cell)).collect());
    }

    /// The table as text.
    pub(crate) fn render(&self) -> String {
        let mut columns = Columns::default();
        let lines: Vec<&Vec<String>> = std::iter::once(&self.headers).chain(&self.rows).collect();
        lines.iter().for_each(|cells| columns.widen(cells));
        lines.iter().map(|cells| columns.align(cells)).collect::<Vec<_>>().join("\n")
    }
}

/// Names with values, one a line, the values aligned.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = Table { headers: Vec::new(), rows: Vec::new() };
    facts.into_iter().for_each(|(name, value)| table.row([name.to_owned(), value]));
    table.render().trim_start_matches('\n').to_owned()
}

/// The widths of columns, which grow with what is aligned in them.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<usize>);

impl Columns {
    /// Columns that are at least so wide.
    pub(crate) fn at_least(widths: &[usize]) -> Self {
        Self(widths.to_vec())
    }

    /// Makes room for these cells.
    pub(crate) fn widen(&mut self, cells: &[String]) {
        self.0.resize(self.0.len().max(cells.len()), 0);
        for (width, cell) in self.0.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }

    /// The cells as one line.
    pub(crate) fn align(&self, cells: &[String]) -> String {
        let widths = self.0.iter().copied().chain(std::iter::repeat(0));
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// The text without what could steer a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A field of an object, as text; `-` where it is missing.
pub(crate) fn field(object: &Value, name: &str) -> String {
    match object.get(name) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            if texts.is_empty() { "-".to_owned() } else { texts.join(", ") }
        }
        Some(other) => other.to_string(),
    }
}

/// A field that holds a time, to the second.
pub(crate) fn time(object: &Value, name: &str) -> String {
    moment::to_the_second(&field(object, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cells(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_have_no_trailing_blanks() {
        let mut table = Table::new(&["id", "name"]);
        table.row(cells(&["longer-id", "Tee für alle"]));
        table.row(cells(&["x", ""]));
        assert_eq!(table.render(), "id         name\nlonger-id  Tee für alle\nx");
    }

    #[test]
    fn columns_of_a_stream_grow() {
        let mut columns = Columns::at_least(&[4, 2]);
        columns.widen(&cells(&["ab", "abc"]));
        assert_eq!(columns.align(&cells(&["ab", "a", "last"])), "ab    a    last");
    }

    #[test]
    fn facts_are_aligned_without_a_header() {
        assert_eq!(facts([("id", "1".to_owned()), ("name", "Shop".to_owned())]), "id    1\nname  Shop");
    }

    #[test]
    fn escape_sequences_cannot_reach_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }

    #[test]
    fn fields_of_every_type_are_text() {
        let object = json!({ "a": "text", "b": 3, "c": null, "d": ["x", "y"], "e": { "f": 1 }, "g": [] });
        let texts = ["a", "b", "c", "d", "e", "g", "z"].map(|name| field(&object, name));
        assert_eq!(texts, ["text", "3", "-", "x, y", r#"{"f":1}"#, "-", "-"]);
    }
}
