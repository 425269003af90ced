//! How a [`TestSender`] forges requests.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, request::Builder};
use serde_json::Value;

use crate::{
    scheme::{definition::Coverage, timestamp::Tolerance},
    sign::SignError,
    test_util::{forgery::Forgery, sender::TestSender},
};

/// Longer than a token without a limit of its own is valid for.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

impl TestSender {
    /// The request in each form that the receiver has to refuse. Which these are depends on what
    /// the provider signs: see [`Forgery`].
    ///
    /// # Errors
    ///
    /// As for [`Signer::sign_body`](crate::Signer::sign_body).
    pub fn forgeries(
        &self,
        request: Builder,
        body: impl Into<Bytes>,
    ) -> Result<Vec<(Forgery, Request<Bytes>)>, SignError> {
        let request = request.body(body.into()).map_err(SignError::invalid)?;
        let mut forgeries = Vec::new();
        for forgery in Forgery::ALL {
            if let Some(forged) = self.forge(*forgery, &request)? {
                forgeries.push((*forgery, forged));
            }
        }
        Ok(forgeries)
    }

    /// The request in this form. `None` if the provider signs nothing that would tell it.
    fn forge(
        &self,
        forgery: Forgery,
        request: &Request<Bytes>,
    ) -> Result<Option<Request<Bytes>>, SignError> {
        let request = request.clone();
        let signed_at = |time: Option<SystemTime>| {
            let Some(time) = time else { return Ok(None) };
            let request = self.sign(&self.signer, request.clone(), time)?;
            // Whether a token ends is known to the code that reads it.
            let is_limited = !self.is_special || !self.accepts(request.clone());
            Ok(is_limited.then_some(request))
        };
        match forgery {
            Forgery::Unsigned => Ok(Some(request)),
            Forgery::WrongKey => {
                let other = self.other.as_ref();
                let forged = other.map(|other| self.sign(other, request, self.now()));
                forged.transpose()
            }
            Forgery::ChangedBody if self.coverage != Coverage::Body => Ok(None),
            Forgery::ChangedBody => {
                let signed = self.sign(&self.signer, request, self.now())?;
                Ok(Some(signed.map(|body| changed(&body))))
            }
            Forgery::Stale => {
                let age = self.limit(Tolerance::past);
                signed_at(age.and_then(|age| self.now().checked_sub(age)))
            }
            Forgery::FromTheFuture => {
                let lead = self.limit(Tolerance::future);
                signed_at(lead.and_then(|lead| self.now().checked_add(lead)))
            }
        }
    }

    /// A duration that is longer than the limit; `None` if there is none.
    fn limit(&self, of: impl Fn(Tolerance) -> Option<Duration>) -> Option<Duration> {
        const MORE: Duration = Duration::from_secs(60);
        match self.tolerance {
            Some(tolerance) => of(tolerance)?.checked_add(MORE),
            None => self.is_special.then_some(LONG),
        }
    }
}

/// The body with one field more, so that it says something else however it is read.
fn changed(body: &[u8]) -> Bytes {
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body)
        && let Some(end) = body.iter().rposition(|byte| *byte == b'}')
    {
        let comma = if fields.is_empty() { "" } else { "," };
        let begin = body.get(..end).unwrap_or(body);
        return [begin, comma.as_bytes(), br#""forged":true}"#]
            .concat()
            .into();
    }
    let is_form = body.contains(&b'=') && !body.iter().any(u8::is_ascii_whitespace);
    let more: &[u8] = if is_form { b"&forged=true" } else { b" forged" };
    [body, more].concat().into()
}
