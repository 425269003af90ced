//! Targets, and whether they are met.

use std::fmt;

/// One target. Missing it is not a failure, because machines are noisy; the reader decides.
pub struct Figure {
    pub what: String,
    pub most: f64,
    pub measured: f64,
    pub unit: &'static str,
}

impl Figure {
    /// A value of at most `most` in `unit`, or a ratio if the unit is empty.
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
        // Compares as printed, so that 1.0204 is not above 1.02.
        let met = match self.unit {
            "" => (self.measured * 100.0).round() <= (self.most * 100.0).round(),
            _ => self.measured.round() <= self.most,
        };
        let (what, most, measured) = (&self.what, number(self.most), number(self.measured));
        let met = if met { "met" } else { "not met" };
        write!(f, "| {what} | {most} | {measured} | {met} |")
    }
}

/// Prints the targets as a table.
pub fn print(figures: &[Figure]) {
    println!("\n## Targets\n\n| figure | at most | measured | |\n| --- | ---: | ---: | --- |");
    for figure in figures {
        println!("{figure}");
    }
}
