//! The table at the end of a run: each measured figure, its target, and whether the target is met.

use hooktide_cost::Cost;

/// How a figure is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The figure is required, and holds or does not.
    Required(bool),
    /// The figure is an aim, and holds or does not; a miss fails nothing.
    Aim(bool),
    /// The figure is only shown.
    Shown,
}

impl Verdict {
    /// The verdict in a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Required(true) => "holds",
            Self::Required(false) => "MISSED",
            Self::Aim(true) => "aim holds",
            Self::Aim(false) => "aim missed",
            Self::Shown => "",
        }
    }
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The requirement.
    pub(crate) id: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// The figure.
    pub(crate) figure: String,
    /// The target.
    pub(crate) asked: String,
    /// Whether the figure meets the target.
    pub(crate) verdict: Verdict,
}

/// Everything that a run found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The lines of the table.
    pub(crate) rows: Vec<Row>,
    /// Separate tables, with their titles.
    pub(crate) tables: Vec<(String, String)>,
    /// Webhooks a second, by what takes them, for the plot.
    pub(crate) rates: Vec<(String, f64)>,
    /// What changes cost by HTTP API, for the plot.
    pub(crate) prices: Vec<(String, Cost)>,
}

impl Report {
    /// Adds a figure that has a target.
    pub(crate) fn judge(&mut self, id: &'static str, what: &str, figure: String, asked: &str, verdict: Verdict) {
        self.rows.push(Row { id, what: what.to_owned(), figure, asked: asked.to_owned(), verdict });
    }

    /// Adds a figure that is only shown.
    pub(crate) fn show(&mut self, id: &'static str, what: &str, figure: String) {
        self.judge(id, what, figure, "", Verdict::Shown);
    }

    /// Whether a required figure was missed.
    pub(crate) fn missed(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Required(false))
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let cells = self.rows.iter().map(|row| [row.id, &row.what, &row.figure, &row.asked, row.verdict.word()]);
        let lines: Vec<[&str; 5]> = [["", "what", "measured", "asked for", ""]].into_iter().chain(cells).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        let text = |[id, what, figure, asked, verdict]: &[&str; 5]| {
            let [first, second, third, fourth] = widths;
            format!("{id:first$}  {what:second$}  {figure:>third$}  {asked:fourth$}  {verdict}").trim_end().to_owned()
        };
        lines.iter().map(text).collect::<Vec<_>>().join("\n")
    }
}

/// A number in groups of three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
