//! What a verified request costs, beside every published crate that does the same.
//!
//! `workload` says what is sent, `rows` who receives it, `rounds` measures times, `figures` says what was to be
//! reached. Each program in `bin` answers one question; `README.md` has the answers.
#![forbid(unsafe_code)]

pub mod body;
pub mod figures;

pub mod place;
pub mod rounds;
pub mod row;
pub mod rows;
pub mod table;
pub mod workload;
