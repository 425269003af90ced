//! What was to be reached, and whether it is.

use std::fmt;

/// One line of the list. Nothing fails on it: machines are noisy, and the reader decides.
pub struct Figure {
    pub what: String,
    pub most: f64,
    pub measured: f64,
    pub unit: &'static str,
}

impl Figure {
    /// Something that may be `most` at most, counted in `unit`, or a ratio without one.
    pub fn new(what: impl Into<String>, most: f64, measured: f64, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            most,
            measured,
            unit,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: f64| match self.unit {
            "" => format!("{value:.2}"),
            unit => format!("{value:.0} {unit}"),
        };
        // As it is written, so that 1.0204 is not above 1.02.
        let met = match self.unit {
            "" => (self.measured * 100.0).round() <= (self.most * 100.0).round(),
            _ => self.measured.round() <= self.most,
        };
        let (what, most, measured) = (&self.what, number(self.most), number(self.measured));
        let met = if met { "met" } else { "not met" };
        write!(f, "| {what} | {most} | {measured} | {met} |")
    }
}

/// Prints the list, in a form that `just bench` collects.
pub fn print(figures: &[Figure]) {
    println!("\n## To reach\n\n| figure | at most | measured | |\n| --- | ---: | ---: | --- |");
    for figure in figures {
        println!("{figure}");
    }
}
