//! The rows that receive a workload, and those that cannot.

mod actix;
mod axum;
mod floor;
mod naive;
mod peers;
pub mod serve;
mod tower;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

pub use self::{
    floor::{BOUND, HASH},
    naive::NAIVE,
    peers::{TOWER_GITHUB, WEBHOOK_VERIFY},
    tower::{Nothing, ours},
};

use crate::{
    place::Place,
    row::Row,
    workload::{Outcome, Sample, Workload},
};

/// The rows that take part.
pub struct Field {
    pub rows: Vec<Box<dyn Row>>,
    /// The rows that do not, with place and reason.
    pub left_out: Vec<(Place, &'static str, String)>,
}

impl Field {
    /// All rows for which the workload is intended.
    pub fn all(workload: Workload) -> Self {
        let sample = Arc::new(Sample::new(workload));
        let mut field = Self {
            rows: Vec::new(),
            left_out: Vec::new(),
        };
        floor::add(&mut field, &sample);
        tower::add(&mut field, &sample);
        axum::add(&mut field, &sample);
        actix::add(&mut field, &sample);
        field
    }

    /// All rows that handle one request of the workload correctly. A tokio runtime must be entered.
    pub fn of(workload: Workload) -> Self {
        let mut field = Self::all(workload);
        let Self { rows, left_out } = &mut field;
        rows.retain_mut(|row| match try_one(row.as_mut()) {
            Ok(()) => true,
            Err(reason) => {
                left_out.push((row.place(), row.name(), reason));
                false
            }
        });
        field
    }

    fn push(&mut self, row: impl Row + 'static) {
        self.rows.push(Box::new(row));
    }

    /// The reason why a peer does not take part, if the workload is not intended for it.
    fn lacks(&mut self, place: Place, name: &'static str, reason: &str) {
        self.left_out.push((place, name, reason.to_owned()));
    }
}

/// Sends one request to a row, and returns the failure, if any.
fn try_one(row: &mut dyn Row) -> Result<(), String> {
    row.prepare(1);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let answered = panic::catch_unwind(AssertUnwindSafe(|| row.run()));
    panic::set_hook(hook);
    answered.unwrap_or_else(|_| Err("panics".to_owned()))
}

impl Workload {
    fn accepts(&self) -> bool {
        self.outcome == Outcome::Accepted
    }
}

const ONE_KEY: &str = "takes one secret";
