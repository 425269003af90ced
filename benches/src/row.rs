//! [`Row`]: a receiver of requests. Requests are prepared in advance and received in one batch.

use std::{
    fmt::Debug,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{Request, Response};
use tokio::runtime::{EnterGuard, Runtime};
use tower::Service;

use crate::place::Place;

pub trait Row {
    fn name(&self) -> &'static str;

    fn place(&self) -> Place;

    /// Prepares requests. Not measured.
    fn prepare(&mut self, requests: usize);

    /// Receives all prepared requests. Measured.
    ///
    /// # Errors
    ///
    /// When a response is not the expected one.
    fn run(&mut self) -> Result<(), String>;
}

/// The name of the row without verification.
pub const BARE: &str = "bare";

/// The name of this crate's row with deduplication in memory. Every request is a new delivery.
pub const DELIVERY: &str = "with DeliveryLayer";

/// The name of this crate's row.
pub const OURS: &str = "tower-webhook";

/// A future that is not ready after this many polls is considered stuck.
const MOST_POLLS: usize = 20_000_000;

thread_local! {
    static RUNTIME: &'static Runtime = Box::leak(Box::new(
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
    ));
}

/// Enters the runtime of this thread.
#[must_use]
pub fn enter() -> EnterGuard<'static> {
    RUNTIME.with(|runtime| runtime.enter())
}

/// Polls a future until it is ready. It must not wait for I/O or timers.
///
/// # Errors
///
/// When the future is stuck.
pub fn finish<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Ok(output);
        }
    }
    Err("polls the body forever".to_owned())
}

/// A Tower service that receives requests.
pub struct Tower<S, B> {
    name: &'static str,
    place: Place,
    service: S,
    make: Box<dyn FnMut() -> Request<B>>,
    ready: Vec<Request<B>>,
    accepts: bool,
}

impl<S, B> Tower<S, B> {
    /// `accepts`: whether the responses must be successes.
    pub fn new(
        name: &'static str,
        place: Place,
        accepts: bool,
        make: impl FnMut() -> Request<B> + 'static,
        service: S,
    ) -> Self {
        Self {
            name,
            place,
            service,
            make: Box::new(make),
            ready: Vec::new(),
            accepts,
        }
    }
}

impl<S, B, R> Row for Tower<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Debug,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Place {
        self.place
    }

    fn prepare(&mut self, requests: usize) {
        self.ready.clear();
        self.ready.extend((0..requests).map(|_| (self.make)()));
    }

    fn run(&mut self) -> Result<(), String> {
        let mut cx = Context::from_waker(Waker::noop());
        for request in self.ready.drain(..) {
            let Poll::Ready(Ok(())) = self.service.poll_ready(&mut cx) else {
                return Err("not ready".to_owned());
            };
            let future = self.service.call(request);
            // The layer spawns a task, which the runtime must run.
            let response = if self.name == DELIVERY {
                RUNTIME.with(|runtime| runtime.block_on(future))
            } else {
                finish(future)?
            };
            let status = response.map_err(|error| format!("{error:?}"))?.status();
            if status.is_success() != self.accepts {
                return Err(format!("answered {status}"));
            }
        }
        Ok(())
    }
}

/// A verification function without a service.
pub struct Function<F> {
    name: &'static str,
    place: Place,
    accepts: bool,
    check: F,
    ready: usize,
}

impl<F: FnMut() -> bool> Function<F> {
    /// `check` returns whether it accepts the sample.
    pub fn new(name: &'static str, place: Place, accepts: bool, check: F) -> Self {
        Self {
            name,
            place,
            accepts,
            check,
            ready: 0,
        }
    }
}

impl<F: FnMut() -> bool> Row for Function<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Place {
        self.place
    }

    fn prepare(&mut self, requests: usize) {
        self.ready = requests;
    }

    fn run(&mut self) -> Result<(), String> {
        for _ in 0..self.ready {
            if (self.check)() != self.accepts {
                return Err("decided otherwise".to_owned());
            }
        }
        Ok(())
    }
}
