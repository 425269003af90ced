//! What requests and stores cost, counted and not timed: copies, memory, polls and allocations.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::await_holding_lock,
    clippy::unwrap_used,
    reason = "tests"
)]

#[cfg(feature = "all")]
mod explain;
mod keys;
mod memory;
mod requests;

use std::{
    alloc::System,
    sync::{Mutex, MutexGuard, PoisonError},
};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for all threads: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes that were allocated in this region and are not free again.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated)
}
