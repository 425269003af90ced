//! [`Server`]: accepts connections, and answers each request before it is reported.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_LENGTH, EXPECT},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, oneshot},
    task::JoinSet,
};
use tower_webhook::{Rejection, capture::CapturedRequest, verify::Head};

use crate::{
    clock,
    failure::{OrUndone, Result},
    listen::{
        body::{KeptBody, Tee, drain},
        endpoints::Endpoints,
        record::Record,
        reporter::Records,
        service::Seen,
    },
    output,
};

/// How many connections are open at once. Others wait.
const MOST_CONNECTIONS: usize = 256;

/// How long requests in flight may take after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests, and hands each to the reporter afterwards.
#[derive(Clone)]
pub(crate) struct Server {
    endpoints: Arc<Endpoints>,
    records: Records,
    numbers: Arc<AtomicU64>,
    /// The time of receipt, if it is not that of the clock.
    now: Option<SystemTime>,
}

impl Server {
    pub(crate) fn new(
        endpoints: Arc<Endpoints>,
        records: Records,
        now: Option<SystemTime>,
    ) -> Self {
        Self {
            endpoints,
            records,
            numbers: Arc::new(AtomicU64::new(0)),
            now,
        }
    }

    /// Serves until a signal, or until nobody reads what is printed, and then finishes what is in
    /// flight.
    pub(crate) async fn run(
        self,
        listener: TcpListener,
        mut stop: Stop,
        unread: &Notify,
    ) -> Result<()> {
        let graceful = GracefulShutdown::new();
        let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(30));
        loop {
            let accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepted => accepted,
                () = stop.wait() => break,
                () = unread.notified() => {
                    output::note("standard output was closed");
                    break;
                }
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Such as too many open files, which passes.
                    output::warn(format_args!("a connection was not accepted: {error}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let server = self.clone();
            let service = service_fn(move |request| {
                let server = server.clone();
                async move { Ok::<_, Infallible>(server.answer(request).await) }
            });
            let connection = http.serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            while connections.try_join_next().is_some() {}
            connections.spawn(async move {
                // A client that hangs up is no failure of ours.
                let _ = connection.await;
                drop(permit);
            });
        }
        drop(listener);
        output::say(
            "stopping: requests in flight are finished first; Ctrl-C again to stop at once",
        );
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(GRACE) => {
                while connections.try_join_next().is_some() {}
                output::warn(format_args!(
                    "connections that were closed, because their requests were not finished within {GRACE:?}: {}",
                    connections.len()
                ));
                // The reporter waits for every connection that may have a request to report.
                connections.shutdown().await;
            }
            () = stop.wait() => std::process::exit(130),
        }
        Ok(())
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let number = self
            .numbers
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        let received_at = self.now.unwrap_or_else(clock::now);
        let (head, incoming) = request.into_parts();
        let mut record = Record::new(number, received_at, head.method.as_str(), head.uri.path());
        let Some(endpoint) = self.endpoints.find(head.uri.path()) else {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return self.reported(response, record, None);
        };
        record.endpoint = Some(endpoint.name.clone());
        let tee = Tee::new(incoming, endpoint.max_body);
        let seen = Seen::default();
        let body = KeptBody::Live(Arc::clone(&tee));
        let mut inner = Request::new(body);
        *inner.method_mut() = head.method.clone();
        *inner.uri_mut() = head.uri.clone();
        *inner.headers_mut() = head.headers.clone();
        let response = endpoint.stack.answer(inner, &seen).await;
        let refused = response.extensions().get::<Rejection>();
        record.judge(response.status(), refused, &seen.take());
        self.reported(response, record, Some((head, tee)))
    }

    /// The answer, which hands the record to the reporter once it is sent.
    fn reported(
        &self,
        response: Response<Full<Bytes>>,
        mut record: Record,
        request: Option<(http::request::Parts, Arc<std::sync::Mutex<Tee>>)>,
    ) -> Response<Answer> {
        let (sent, is_sent) = oneshot::channel::<()>();
        let records = self.records.clone();
        tokio::spawn(async move {
            // The sender is dropped with the answer, whether or not that arrived.
            let _ = is_sent.await;
            if let Some((head, tee)) = request {
                let declared = head.headers.get(CONTENT_LENGTH);
                let declared = declared.and_then(|value| value.to_str().ok()?.parse().ok());
                let is_waiting = head.headers.contains_key(EXPECT);
                let (body, left_out) = drain(&tee, declared, !is_waiting).await;
                record.bytes = u64::try_from(body.len())
                    .unwrap_or(u64::MAX)
                    .saturating_add(left_out);
                let captured = CapturedRequest::new(&Head::from(&head), body)
                    .with_received_at(record.received_at)
                    .with_left_out(left_out);
                record.captured = Some(captured);
            }
            // Where lines are printed more slowly than requests come, some are left out.
            records.add(record);
        });
        response.map(|body| Answer { body, _sent: sent })
    }
}

/// The body of an answer, which tells by being dropped that it was sent.
struct Answer {
    body: Full<Bytes>,
    _sent: oneshot::Sender<()>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Ctrl-C and SIGTERM.
#[cfg(unix)]
pub(crate) struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    pub(crate) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).or_undone("signals")?,
            terminate: signal(SignalKind::terminate()).or_undone("signals")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
pub(crate) struct Stop(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Stop {
    pub(crate) fn listen() -> Result<Self> {
        tokio::signal::windows::ctrl_c()
            .map(Self)
            .or_undone("signals")
    }

    async fn wait(&mut self) {
        self.0.recv().await;
    }
}
