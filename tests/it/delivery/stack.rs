//! A stack of the two layers on Tower, called with what GitHub signed.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use support::{Answer, signed};
use tokio::task::JoinHandle;
use tower::{BoxError, ServiceExt, util::BoxCloneSyncService};

pub(super) type Stack = BoxCloneSyncService<Request<Full<Bytes>>, Answer, BoxError>;

/// The answer to one attempt with this body.
pub(super) async fn call(stack: &Stack, body: impl AsRef<[u8]>) -> Answer {
    let request = signed(body.as_ref().to_vec()).map(Full::new);
    stack.clone().oneshot(request).await.unwrap()
}

/// [`call`] in a task.
pub(super) fn spawn(stack: &Stack, body: impl AsRef<[u8]>) -> JoinHandle<Answer> {
    let (stack, body) = (stack.clone(), body.as_ref().to_vec());
    tokio::spawn(async move { call(&stack, body).await })
}
