//! Everybody who receives the requests of a workload, and who cannot.

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

/// Who takes part.
pub struct Field {
    pub rows: Vec<Box<dyn Row>>,
    /// Who does not, where, and why.
    pub left_out: Vec<(Place, &'static str, String)>,
}

impl Field {
    /// All whom the workload is for.
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

    /// All who can do it: each was given one request. A runtime of tokio must be entered.
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

    /// Says why a peer takes no part, if the workload is not for it.
    fn lacks(&mut self, place: Place, name: &'static str, reason: &str) {
        self.left_out.push((place, name, reason.to_owned()));
    }
}

/// Gives somebody a request, and says what goes wrong.
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
