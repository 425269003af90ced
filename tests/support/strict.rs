//! A service that holds its callers to the contract of Tower.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::Request;
use tower::Service;

use crate::Answer;

/// A service that has to be polled ready before each call, and whose clones begin unready. Its
/// answer holds its number.
#[derive(Debug, Default)]
pub struct Strict {
    ready: bool,
    id: usize,
    clones: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            id: self.clones.fetch_add(1, Ordering::SeqCst) + 1,
            clones: Arc::clone(&self.clones),
        }
    }
}

impl<B> Service<Request<B>> for Strict {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        assert!(self.ready, "service {} was not ready", self.id);
        self.ready = false;
        let mut answer = Answer::default();
        answer.extensions_mut().insert(self.id);
        ready(Ok(answer))
    }
}
