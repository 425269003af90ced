//! [`KeptBody`]: the body of a request that is kept while the layers read it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// A body as it arrives, or one that the layers have verified.
pub(crate) enum KeptBody {
    Live(Arc<Mutex<Tee>>),
    Whole(Option<Bytes>),
}

/// What has arrived of a body.
pub(crate) struct Tee {
    incoming: Incoming,
    kept: BytesMut,
    /// How much is kept.
    limit: usize,
    left_out: u64,
    is_ended: bool,
}

impl Tee {
    pub(crate) fn new(incoming: Incoming, limit: usize) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            incoming,
            kept: BytesMut::new(),
            limit,
            left_out: 0,
            is_ended: false,
        }))
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.keep(data);
                }
            }
            Some(Err(_)) | None => self.is_ended = true,
        }
        Poll::Ready(frame)
    }

    fn keep(&mut self, data: &Bytes) {
        let room = self.limit.saturating_sub(self.kept.len()).min(data.len());
        let (kept, rest) = data.split_at_checked(room).unwrap_or((data, b""));
        self.kept.extend_from_slice(kept);
        let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        self.left_out = self.left_out.saturating_add(rest);
    }
}

pub(crate) fn lock(tee: &Mutex<Tee>) -> MutexGuard<'_, Tee> {
    tee.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what the layers have not read, for a while, so that a request that is refused for its head
/// can be explained; unless the client waits to be told to send it. Returns what is kept, and how
/// much is not.
pub(crate) async fn drain(tee: &Mutex<Tee>, declared: Option<u64>, is_sent: bool) -> (Bytes, u64) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let rest = std::future::poll_fn(|cx| {
        let mut tee = lock(tee);
        loop {
            // The end itself may not be told behind an answer.
            if tee.is_ended || tee.incoming.is_end_stream() || tee.left_out > 0 {
                return Poll::Ready(());
            }
            let frame = ready!(tee.poll_frame(cx));
            if !matches!(frame, Some(Ok(_))) {
                return Poll::Ready(());
            }
        }
    });
    if is_sent {
        // What has not arrived by then is left out.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
    }
    let mut tee = lock(tee);
    let kept = tee.kept.split().freeze();
    let length = u64::try_from(kept.len()).unwrap_or(u64::MAX);
    let missing = declared.unwrap_or(length).saturating_sub(length);
    (kept, tee.left_out.max(missing))
}

impl From<Bytes> for KeptBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }
}

impl Body for KeptBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Live(tee) => lock(tee).poll_frame(cx),
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Live(tee) => lock(tee).incoming.is_end_stream(),
            Self::Whole(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Live(tee) => lock(tee).incoming.size_hint(),
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::{server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::mpsc,
        time::Instant,
    };

    use super::*;

    /// A head that is refused is answered before its body has arrived.
    #[tokio::test(start_paused = true)]
    async fn a_body_behind_the_answer_is_complete_as_soon_as_it_has_arrived() {
        for (framing, body) in [
            ("content-length: 5", "hello"),
            ("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        ] {
            let (mut client, server) = tokio::io::duplex(1024);
            let (sender, mut tees) = mpsc::unbounded_channel();
            let service = service_fn(move |request: Request<Incoming>| {
                sender.send(Tee::new(request.into_body(), 100)).unwrap();
                async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service);
            tokio::spawn(connection);
            let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n");
            client.write_all(head.as_bytes()).await.unwrap();
            let mut answer = [0; 256];
            assert!(client.read(&mut answer).await.unwrap() > 0);
            let tee = tees.recv().await.unwrap();
            let drained = tokio::spawn(async move { drain(&tee, None, true).await });
            tokio::task::yield_now().await;
            let begin = Instant::now();
            for piece in body.split_inclusive('\n') {
                client.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
            let (kept, left_out) = drained.await.unwrap();
            assert_eq!((&*kept, left_out), (&b"hello"[..], 0), "{framing}");
            assert_eq!(begin.elapsed(), Duration::ZERO, "{framing}");
        }
    }
}
