//! Measures the cost of verification, compared with other published crates.
//!
//! `workload` defines the requests, `rows` the receivers, and `figures` the targets; `rounds`
//! measures times. Each program in `bin` answers one question; `README.md` has the results.
#![forbid(unsafe_code)]

pub mod body;
pub mod figures;

pub mod place;
pub mod rounds;
pub mod row;
pub mod rows;
pub mod table;
pub mod workload;
