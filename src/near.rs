//! What is the same for all requests, with a count of its holders for each thread.
//!
//! Every event and every refusal holds it. If all threads counted in one place, each would wait for the others to be done with it.

use std::{
    ops::Deref,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{Verifier, shared::Shared};

/// A holder of its own right: an `Arc` of it counts apart from every other. Two counts are never in one cache line.
#[derive(Clone)]
#[repr(align(128))]
pub(crate) struct Near(Arc<Shared>);

impl Near {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// To change it; it becomes one of its own where it is another's, too.
    pub(crate) fn make_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.0)
    }
}

impl Deref for Near {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// A verifier for each thread that asks for one. More threads than the machine runs at once share them.
pub(crate) struct PerThread {
    original: Verifier,
    near: Box<[OnceLock<Verifier>]>,
}

impl PerThread {
    pub(crate) fn new(original: Verifier) -> Self {
        // Asking the system takes a while.
        static THREADS: OnceLock<usize> = OnceLock::new();
        let threads = || thread::available_parallelism().map_or(1, usize::from);
        let threads = *THREADS.get_or_init(threads);
        Self {
            original,
            near: (0..threads).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The one of no thread.
    pub(crate) fn original(&self) -> &Verifier {
        &self.original
    }

    /// The one of this thread.
    pub(crate) fn get(&self) -> &Verifier {
        let place = number().checked_rem(self.near.len());
        let near = place.and_then(|place| self.near.get(place));
        near.map_or(&self.original, |near| {
            near.get_or_init(|| self.original.near())
        })
    }
}

/// The number of this thread, counted from the first that asks.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that is at its end has none any more.
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Secret, providers};

    fn verifier() -> Verifier {
        Verifier::new(providers::github(), Secret::new("sixteen-bytes-and-more")).unwrap()
    }

    #[test]
    fn a_thread_has_one_and_another_has_another() {
        if thread::available_parallelism().map_or(1, usize::from) < 2 {
            // All threads share it then.
            return;
        }
        let all = PerThread::new(verifier());
        let of = |verifier: &Verifier| std::ptr::from_ref::<Near>(verifier.shared()) as usize;
        let here = of(all.get());
        assert_eq!(of(all.get()), here);
        // Threads are numbered one by one, so that of as many as share one, another comes soon.
        let there = || thread::scope(|scope| scope.spawn(|| of(all.get())).join().unwrap());
        assert!((0..100).any(|_| there() != here));
    }

    #[test]
    fn counts_are_on_cache_lines_of_their_own() {
        assert_eq!(align_of::<Near>(), 128);
        let (one, other) = (verifier(), verifier());
        let (one, other) = (one.near(), other.near());
        let address = |verifier: &Verifier| std::ptr::from_ref::<Near>(verifier.shared()) as usize;
        assert!(address(&one).abs_diff(address(&other)) >= 128);
    }

    #[test]
    fn nothing_holds_it_when_all_is_dropped() {
        let verifier = verifier();
        let shared = Arc::downgrade(&verifier.shared().0);
        let all = PerThread::new(verifier);
        all.get();
        drop(all);
        assert_eq!(shared.strong_count(), 0);
    }
}
