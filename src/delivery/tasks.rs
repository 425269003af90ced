//! Counts running handlers, and waits until none is left.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// The running handlers of a layer and all its clones, including the store operations that follow
/// them.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: AtomicUsize,
    none_left: Notify,
}

/// One running handler, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Task(Arc<Tasks>);

impl Tasks {
    /// Adds a task, unless `most` are running.
    pub(crate) fn begin(self: &Arc<Self>, most: usize) -> Option<Task> {
        let one_more = |running: usize| (running < most).then(|| running.saturating_add(1));
        let begun = self
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        begun.is_ok().then(|| Task(Arc::clone(self)))
    }

    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Waits until no task is left, or for `deadline` at most. Returns how many are left.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        let end = Instant::now().checked_add(deadline);
        loop {
            let mut none_left = std::pin::pin!(self.none_left.notified());
            // Registered before the count is read, so that no notification is missed.
            none_left.as_mut().enable();
            let running = self.running();
            if running == 0 {
                return 0;
            }
            match end {
                None => none_left.await,
                Some(end) => {
                    if timeout_at(end, none_left).await.is_err() {
                        return self.running();
                    }
                }
            }
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}
