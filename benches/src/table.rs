//! Tables of ratios, with one line per row and one column per workload.

use crate::{
    place::Place,
    rounds::{Measured, Spread},
    row::BARE,
    rows::HASH,
};

/// Prints the added time of each row as a multiple of the raw keyed hash, with half the
/// interquartile range; and the hash and the bare services in nanoseconds.
pub fn print(title: &str, columns: &[(String, Measured)]) {
    println!("\n### {title}\n");
    print!("| place | row |");
    columns.iter().for_each(|(name, _)| print!(" {name} |"));
    print!("\n| --- | --- |");
    columns.iter().for_each(|_| print!(" ---: |"));
    println!();
    for (place, name) in rows(columns) {
        let unit = if absolute(place, name) { ", ns" } else { "" };
        print!("| {place} | {name}{unit} |");
        for (_, measured) in columns {
            print!(" {} |", cell(measured, place, name));
        }
        println!();
    }
}

/// Rows that are shown as a time instead of a ratio.
fn absolute(place: Place, name: &str) -> bool {
    name == BARE || (place == Place::Floor && name == HASH)
}

/// All rows of all columns, in order of first appearance.
fn rows(columns: &[(String, Measured)]) -> Vec<(Place, &'static str)> {
    let mut rows = Vec::new();
    for row in columns.iter().flat_map(|(_, measured)| &measured.0) {
        let row = (row.place, row.name);
        if !rows.contains(&row) {
            let after = rows.iter().rposition(|(place, _)| *place == row.0);
            rows.insert(after.map_or(rows.len(), |index| index + 1), row);
        }
    }
    rows
}

fn cell(measured: &Measured, place: Place, name: &str) -> String {
    let (Some(row), Some(hash)) = (measured.row(place, name), measured.row(Place::Floor, HASH))
    else {
        return "-".to_owned();
    };
    if absolute(place, name) {
        let Spread { middle, .. } = Spread::of(row.rounds.iter().copied());
        return format!("{middle:.0}");
    }
    let Spread { low, middle, high } = measured.ratio(row, hash);
    format!("{middle:.2} ±{:.2}", (high - low) / 2.0)
}
