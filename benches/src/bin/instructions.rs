//! Receives requests under callgrind; started by `instructions.py`.
//!
//! The arguments are a workload, a row and a number of requests. Without arguments, it prints all
//! workloads and rows.

use tower_webhook_benches::{
    place::Place,
    row::{BARE, DELIVERY, OURS, Row},
    rows::{Field, HASH},
    workload::{Outcome, Style, Workload},
};

const KIB: usize = 1 << 10;

fn workloads() -> [Workload; 8] {
    let github = Workload::of(Style::GitHub, 71);
    let standard = Workload::of(Style::Standard, 71);
    [
        github,
        github.ending(Outcome::RefusedByHead),
        github.ending(Outcome::RefusedByHash),
        github.with_keys(3),
        standard,
        standard.ending(Outcome::RefusedByHead),
        standard.with_signatures(16),
        Workload::of(Style::GitHub, 64 * KIB).in_frames(16 * KIB),
    ]
}

const ROWS: [(Place, &str); 4] = [
    (Place::Floor, HASH),
    (Place::Tower, BARE),
    (Place::Tower, OURS),
    (Place::Tower, DELIVERY),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, row, number] = &arguments[..] else {
        for workload in workloads() {
            println!("{workload}");
        }
        for (_, name) in ROWS {
            println!("{name}");
        }
        return;
    };
    let find = |workload: &Workload| workload.to_string() == arguments[0];
    let found = workloads().into_iter().find(find);
    let found = found.unwrap_or_else(|| panic!("there is no workload {workload:?}"));
    let _entered = tower_webhook_benches::row::enter();
    let mut rows = Field::all(found).rows;
    rows.retain(|one| one.name() == row && ROWS.contains(&(one.place(), one.name())));
    let row = rows[0].as_mut();
    // One-time initialisation is not counted.
    row.prepare(1);
    row.run().unwrap();
    row.prepare(number.parse().unwrap());
    counted(row);
}

/// The code that callgrind counts, found by the name of this function.
#[inline(never)]
fn counted(row: &mut dyn Row) {
    row.run().unwrap();
}
