//! Times, round by round: everybody receives some requests, then everybody again, so that whatever disturbs the machine
//! disturbs all alike.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::{
    place::Place,
    row::{BARE, Row},
};

/// The nanoseconds that a request took in each round.
pub struct Times {
    pub name: &'static str,
    pub place: Place,
    pub rounds: Vec<f64>,
}

/// The processor time of this thread so far, in nanoseconds: what others do with the machine meanwhile does not count.
pub fn cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// How long everybody has in one round, about, in nanoseconds.
const TURN: f64 = 400_000.0;

/// Runs all rows, for about as long as `budget`.
///
/// # Panics
///
/// When a row that did well before fails.
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
            // Everybody comes after everybody else in turn.
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

/// The middle of some numbers, and what three quarters of them are above and below.
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

    /// What a row takes longer than the bare thing of its place, in each round. Functions have none.
    pub fn added(&self, row: &Times) -> Vec<f64> {
        match self.row(row.place, BARE) {
            None => row.rounds.clone(),
            Some(bare) => {
                let rounds = row.rounds.iter().zip(&bare.rounds);
                rounds.map(|(row, bare)| row - bare).collect()
            }
        }
    }

    /// One row's added time as a multiple of another's, round by round.
    pub fn ratio(&self, row: &Times, to: &Times) -> Spread {
        let (row, to) = (self.added(row), self.added(to));
        Spread::of(row.iter().zip(&to).map(|(row, to)| row / to))
    }
}
