//! Times rows in rounds: in each round, every row receives some requests, so that a disturbance of
//! the machine affects all rows equally.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    place::Place,
    row::{BARE, Row},
};

/// The nanoseconds per request, for each round.
pub struct Times {
    pub name: &'static str,
    pub place: Place,
    pub rounds: Vec<f64>,
}

/// The processor time of this thread in nanoseconds, which excludes other work of the machine.
pub fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// The approximate time per row and round, in nanoseconds.
const TURN: f64 = 400_000.0;

/// Runs all rows for about `budget`.
///
/// # Panics
///
/// When a row fails that succeeded before.
pub fn measure(rows: &mut [Box<dyn Row>], budget: Duration) -> Measured {
    let start = Instant::now();
    let mut batches = Vec::new();
    for row in rows.iter_mut() {
        row.prepare(8);
        let start = cpu_time();
        row.run().unwrap();
        let one = (cpu_time() - start) / 8.0;
        batches.push(((TURN / one) as usize).clamp(1, 512));
    }
    let mut times: Vec<Times> = rows
        .iter()
        .map(|row| Times {
            name: row.name(),
            place: row.place(),
            rounds: Vec::new(),
        })
        .collect();
    let mut round = 0;
    while round < 11 || start.elapsed() < budget {
        for turn in 0..rows.len() {
            // The order rotates, so that no row always follows the same one.
            let index = (turn + round) % rows.len();
            let (row, batch) = (&mut rows[index], batches[index]);
            row.prepare(batch);
            let start = cpu_time();
            row.run().unwrap();
            let took = cpu_time() - start;
            times[index].rounds.push(took / batch as f64);
        }
        round += 1;
    }
    Measured(times)
}

/// The median of some numbers, and their lower and upper quartiles.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub middle: f64,
    pub high: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |part: usize| values[(values.len() - 1) * part / 4];
        Self {
            low: at(1),
            middle: at(2),
            high: at(3),
        }
    }
}

/// The times of one workload.
pub struct Measured(pub Vec<Times>);

impl Measured {
    pub fn row(&self, place: Place, name: &str) -> Option<&Times> {
        let mut rows = self.0.iter();
        rows.find(|row| row.place == place && row.name == name)
    }

    /// The time of a row minus that of the bare service of its place, for each round. Functions
    /// have no bare service.
    pub fn added(&self, row: &Times) -> Vec<f64> {
        match self.row(row.place, BARE) {
            None => row.rounds.clone(),
            Some(bare) => {
                let rounds = row.rounds.iter().zip(&bare.rounds);
                rounds.map(|(row, bare)| row - bare).collect()
            }
        }
    }

    /// The added time of one row as a multiple of another's, for each round.
    pub fn ratio(&self, row: &Times, to: &Times) -> Spread {
        let (row, to) = (self.added(row), self.added(to));
        Spread::of(row.iter().zip(&to).map(|(row, to)| row / to))
    }
}
