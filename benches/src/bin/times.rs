//! Measures the time that each row adds to a request, as a multiple of the raw keyed hash of the
//! same bytes.
//!
//! `times [SECONDS]`: the time per workload, 4 by default. Times are processor times of the thread.
//! The multiples are computed within each round, so they are stable even if other work on the
//! machine changes the times.

use std::{collections::BTreeMap, time::Duration};

use tower_webhook_benches::{
    figures::{self, Figure},
    place::Place,
    rounds::{Measured, Spread, Times, measure},
    row::{BARE, DELIVERY, OURS},
    rows::{Field, HASH, ours},
    table,
    workload::{Outcome, Style, Workload, bytes},
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const SIZES: [usize; 5] = [71, KIB, 64 * KIB, MIB, 16 * MIB];

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .map_or(4.0, |text| text.parse().unwrap());
    let budget = Duration::from_secs_f64(seconds);
    let _entered = tower_webhook_benches::row::enter();
    let mut reached = Vec::new();
    for (style, name) in [
        (Style::GitHub, "GitHub"),
        (Style::Standard, "Standard Webhooks"),
    ] {
        let of = |size| Workload::of(style, size);
        let title = format!("{name}, accepted, one frame");
        let columns = show(&title, SIZES.map(|size| (bytes(size), of(size))), budget);
        for (size, (_, measured)) in SIZES.into_iter().zip(&columns) {
            reached.extend(accepted(name, size, measured));
        }
        let framed = [64 * KIB, MIB, 16 * MIB]
            .into_iter()
            .flat_map(|size| [16 * KIB, KIB].map(|frame| (size, frame)))
            .map(|(size, frame)| {
                let label = format!("{} in {}", bytes(size), bytes(frame));
                (label, of(size).in_frames(frame))
            });
        for (label, measured) in show(&format!("{name}, accepted, in frames"), framed, budget) {
            if label.ends_with("16 KiB") {
                let what = format!("{name}: layer against the raw hash, {label} frames");
                reached.extend(against_hash(what, 1.03, &measured));
            }
        }
        let undeclared = [of(KIB), of(MIB), of(MIB).in_frames(16 * KIB)].map(Workload::undeclared);
        let labels = ["1 KiB", "1 MiB", "1 MiB in 16 KiB"].map(str::to_owned);
        let undeclared = labels.into_iter().zip(undeclared);
        show(
            &format!("{name}, accepted, no Content-Length"),
            undeclared,
            budget,
        );
        let refused = [71, KIB, MIB].into_iter().flat_map(|size| {
            [
                (Outcome::RefusedByHead, "head"),
                (Outcome::RefusedByHash, "hash"),
            ]
            .map(|(outcome, by)| {
                (
                    format!("{}, by the {by}", bytes(size)),
                    of(size).ending(outcome),
                )
            })
        });
        for (label, measured) in show(&format!("{name}, refused"), refused, budget) {
            if let (true, Some(row)) = (label.ends_with("head"), measured.row(Place::Tower, OURS)) {
                let added = Spread::of(measured.added(row)).middle;
                let what = format!("{name}: refused, {label}");
                reached.push(Figure::new(what, 1000.0, added, "ns"));
            }
        }
        let keys = [71, KIB, 64 * KIB].map(|size| (bytes(size), of(size).with_keys(3)));
        show(&format!("{name}, accepted, three keys"), keys, budget);
    }
    reached.extend(workloads_with_each_other(budget));
    figures::print(&reached);
}

/// Measures the workloads of a table and prints it.
fn show(
    title: &str,
    workloads: impl IntoIterator<Item = (String, Workload)>,
    budget: Duration,
) -> Vec<(String, Measured)> {
    let mut left_out: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    let mut column = |(label, workload): (String, Workload)| {
        let mut field = Field::of(workload);
        for (_, name, reason) in field.left_out {
            let labels = left_out.entry((name, reason)).or_default();
            if !labels.contains(&label) {
                labels.push(label.clone());
            }
        }
        (label, measure(&mut field.rows, budget))
    };
    let columns: Vec<_> = workloads.into_iter().map(&mut column).collect();
    table::print(title, &columns);
    for ((name, reason), labels) in left_out {
        println!("\nLeft out: {name}, {reason} ({}).", labels.join("; "));
    }
    columns
}

/// The targets for an accepted request in one frame.
fn accepted(style: &str, size: usize, measured: &Measured) -> Vec<Figure> {
    let (hash, peers, official) = match size {
        71 => (1.6, 0.5, 0.3),
        KIB => (1.15, 0.7, 0.3),
        _ => (1.02, 1.0, 0.22),
    };
    let size = bytes(size);
    let what = format!("{style}: layer against the raw hash, {size}");
    let mut figures: Vec<_> = against_hash(what, hash, measured).into_iter().collect();
    for place in [Place::Tower, Place::Boxed, Place::Axum, Place::Actix] {
        if let (Some(row), Some(best)) = (measured.row(place, OURS), fastest(measured, place)) {
            let what = format!("{style}: {place}, against {}, {size}", best.name);
            let ratio = measured.ratio(row, best).middle;
            figures.push(Figure::new(what, peers, ratio, ""));
        }
    }
    if let Some(row) = measured.row(Place::Function, OURS) {
        for name in ["standardwebhooks", "svix"] {
            if let Some(peer) = measured.row(Place::Function, name) {
                let what = format!("verifier against the function of {name}, {size}");
                let ratio = measured.ratio(row, peer).middle;
                figures.push(Figure::new(what, official, ratio, ""));
            }
        }
    }
    figures
}

fn against_hash(what: String, most: f64, measured: &Measured) -> Option<Figure> {
    let row = measured.row(Place::Tower, OURS)?;
    let hash = measured.row(Place::Floor, HASH)?;
    Some(Figure::new(
        what,
        most,
        measured.ratio(row, hash).middle,
        "",
    ))
}

/// The peer that adds the least time in a place.
fn fastest(measured: &Measured, place: Place) -> Option<&Times> {
    let rows = measured.0.iter().filter(|row| row.place == place);
    let peers = rows.filter(|row| ![BARE, OURS, DELIVERY].contains(&row.name));
    peers.min_by(|a, b| {
        let added = |row| Spread::of(measured.added(row)).middle;
        added(a).total_cmp(&added(b))
    })
}

/// Targets that compare two workloads of this crate's layer in the same rounds.
fn workloads_with_each_other(budget: Duration) -> Vec<Figure> {
    let of = |size| Workload::of(Style::Standard, size);
    let mut rows = vec![
        ours("64 KiB", of(64 * KIB)),
        ours("64 KiB, 3 keys", of(64 * KIB).with_keys(3)),
        ours("1 MiB", of(MIB)),
        ours("1 MiB, 16 signatures", of(MIB).with_signatures(16)),
        ours("16 MiB", of(16 * MIB)),
    ];
    let measured = measure(&mut rows, budget * 3);
    let ratio = |one: &str, two: &str, scale: f64| {
        let row = |name| measured.row(Place::Tower, name).unwrap();
        measured.ratio(row(one), row(two)).middle * scale
    };
    let per_byte = [("1 MiB", 16.0), ("16 MiB", 256.0)]
        .map(|(size, times)| (ratio(size, "64 KiB", 1.0 / times) - 1.0).abs() * 100.0);
    vec![
        Figure::new(
            "16 signatures against one, 1 MiB",
            1.02,
            ratio("1 MiB, 16 signatures", "1 MiB", 1.0),
            "",
        ),
        Figure::new(
            "three keys against one, 64 KiB",
            3.05,
            ratio("64 KiB, 3 keys", "64 KiB", 1.0),
            "",
        ),
        Figure::new(
            "time per byte, 1 MiB against 64 KiB, difference",
            8.0,
            per_byte[0],
            "%",
        ),
        Figure::new(
            "time per byte, 16 MiB against 64 KiB, difference",
            8.0,
            per_byte[1],
            "%",
        ),
    ]
}
