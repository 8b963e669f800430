//! Plots as SVG: bars with their figures, drawn from a run's numbers.

use std::fmt::Write;

/// A bar, of parts that are stacked.
pub(crate) struct Bar {
    /// What it is.
    pub(crate) name: String,
    /// Its parts, from the left.
    pub(crate) parts: Vec<(String, f64)>,
    /// What is written behind it.
    pub(crate) figure: String,
}

const COLOURS: [&str; 8] = ["#0b6e99", "#6fb1cf", "#e0a030", "#f0cf80", "#7a8b99", "#b5443c", "#6a9a58", "#8a6fb0"];
const LEFT: f64 = 230.0;
const WIDTH: f64 = 860.0;
const ROW: f64 = 34.0;

/// Horizontal bars; `mark` is a value with a line of its own.
pub(crate) fn bars(title: &str, bars: &[Bar], mark: Option<(f64, &str)>) -> String {
    let total = |bar: &Bar| bar.parts.iter().map(|(_, value)| value).sum::<f64>();
    let most = bars.iter().map(total).chain(mark.map(|(value, _)| value)).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - 120.0) / most;
    let legend: Vec<&String> = match bars.first() {
        Some(bar) if bar.parts.len() > 1 => bar.parts.iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    };
    let bottom = 56.0 + bars.len() as f64 * ROW;
    let height = bottom + 24.0 + legend.len().div_ceil(2) as f64 * 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"14\" role=\"img\" aria-label=\"{0}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{0}</text>\n",
        escaped(title)
    );
    for (index, bar) in bars.iter().enumerate() {
        let (y, mut x) = (48.0 + index as f64 * ROW, LEFT);
        line(
            &mut svg,
            format_args!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 17.0,
                escaped(&bar.name)
            ),
        );
        for ((_, value), colour) in bar.parts.iter().zip(COLOURS) {
            let width = value * scale;
            line(
                &mut svg,
                format_args!("<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"24\" fill=\"{colour}\"/>"),
            );
            x += width;
        }
        line(&mut svg, format_args!("<text x=\"{:.1}\" y=\"{}\">{}</text>", x + 8.0, y + 17.0, escaped(&bar.figure)));
    }
    if let Some((value, what)) = mark {
        let x = LEFT + value * scale;
        line(
            &mut svg,
            format_args!(
                "<line x1=\"{x:.1}\" y1=\"42\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#222\" stroke-dasharray=\"4 3\"/>"
            ),
        );
        line(
            &mut svg,
            format_args!(
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"12\">{}</text>",
                bottom + 12.0,
                escaped(what)
            ),
        );
    }
    for (index, (name, colour)) in legend.iter().zip(COLOURS).enumerate() {
        let (x, y) = (LEFT + (index % 2) as f64 * 280.0, bottom + 22.0 + (index / 2) as f64 * 20.0);
        line(&mut svg, format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"));
        line(
            &mut svg,
            format_args!("<text x=\"{}\" y=\"{}\" font-size=\"12\">{}</text>", x + 18.0, y + 11.0, escaped(name)),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(svg, "{text}").expect("text");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
