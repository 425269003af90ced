//! Counts the allocations of each row beyond those of the bare service of its place, and the polls
//! of the body.
//!
//! Counts are per request, the minimum of three runs: allocations, bytes, peak bytes, polls.

use dhat::{HeapStats, Profiler};
use http::Extensions;
use tower_webhook_benches::{
    body::take_polls,
    figures::{self, Figure},
    place::Place,
    row::{BARE, OURS, Row},
    rows::{Field, ours},
    workload::{Outcome, Style, Workload},
};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const KIB: usize = 1 << 10;

fn main() {
    let _entered = tower_webhook_benches::row::enter();
    let extensions = extensions() as f64;
    println!("An empty http::Extensions makes {extensions} allocations for its first entry.");
    let mut reached = Vec::new();
    for style in [Style::GitHub, Style::Standard] {
        let of = |size| Workload::of(style, size);
        for workload in [
            of(71),
            of(64 * KIB),
            of(64 * KIB).in_frames(16 * KIB).fresh(),
            of(64 * KIB).in_frames(16 * KIB).fresh().undeclared(),
            of(64 * KIB).in_frames(1).fresh().undeclared(),
            of(71).ending(Outcome::RefusedByHead),
            of(64 * KIB).ending(Outcome::RefusedByHash),
            of(71).with_keys(3),
        ] {
            let counted = show(workload);
            let one_frame = workload.frame.is_none() && workload.keys == 1;
            let most = match workload.outcome {
                Outcome::RefusedByHash => continue,
                _ => extensions + 1.0,
            };
            if one_frame {
                let what = format!("allocations: {workload}");
                reached.push(Figure::new(
                    what,
                    most,
                    counted.allocations as f64,
                    "allocations",
                ));
            }
            if workload.outcome == Outcome::RefusedByHead {
                let what = format!("body polls: {workload}");
                reached.push(Figure::new(what, 0.0, counted.polls as f64, "polls"));
            }
        }
    }
    let many = Workload::of(Style::Standard, KIB)
        .with_signatures(8000)
        .ending(Outcome::RefusedByHash);
    let counted = count(ours(OURS, many).as_mut());
    reached.push(Figure::new(
        "body polls: 8,000 signatures",
        0.0,
        counted.polls as f64,
        "polls",
    ));
    figures::print(&reached);
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    allocations: u64,
    bytes: u64,
    most_held: usize,
    polls: usize,
}

fn count(row: &mut dyn Row) -> Counted {
    let rounds = (0..3).map(|_| {
        row.prepare(1);
        take_polls();
        let profiler = Profiler::builder().testing().build();
        row.run().unwrap();
        let stats = HeapStats::get();
        drop(profiler);
        Counted {
            allocations: stats.total_blocks,
            bytes: stats.total_bytes,
            most_held: stats.max_bytes,
            polls: take_polls(),
        }
    });
    rounds.min().unwrap()
}

/// The allocations of a first entry in `http::Extensions`: a lower bound for passing data in them.
fn extensions() -> u64 {
    let profiler = Profiler::builder().testing().build();
    Extensions::new().insert(profile_me());
    let stats = HeapStats::get();
    drop(profiler);
    stats.total_blocks
}

fn profile_me() -> [u64; 4] {
    [1; 4]
}

/// Prints the counts of a workload and returns those of this crate's layer.
fn show(workload: Workload) -> Counted {
    let mut field = Field::of(workload);
    println!("\n### {workload}\n");
    println!("| place | row | allocations | bytes | most held at once | body polls |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    let counted: Vec<_> = field
        .rows
        .iter_mut()
        .map(|row| (row.place(), row.name(), count(row.as_mut())))
        .collect();
    let find = |place, name| counted.iter().find(|row| row.0 == place && row.1 == name);
    for (place, name, row) in &counted {
        let none = Counted {
            allocations: 0,
            bytes: 0,
            most_held: 0,
            polls: 0,
        };
        let bare = find(*place, BARE).map_or(none, |row| row.2);
        if *place != Place::Floor && *name != BARE {
            println!(
                "| {place} | {name} | {} | {} | {} | {} |",
                row.allocations.saturating_sub(bare.allocations),
                row.bytes.saturating_sub(bare.bytes),
                row.most_held.saturating_sub(bare.most_held),
                row.polls,
            );
        }
    }
    find(Place::Tower, OURS).unwrap().2
}
