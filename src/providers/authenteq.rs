//! Authenteq: identity verification, with the images of the documents.
//!
//! | | |
//! | --- | --- |
//! | signs | one of two constructions over the whole body, see below; header `X-SIGNATURE`, hex |
//! | secret | the Client Secret from the dashboard, as text |
//! | required | header `X-CLIENT-ID` equals parameter `client_id`, the Client ID from the dashboard |
//! | timestamp | none: a request that was seen once stays valid for ever |
//! | event type | nowhere: only a passed verification is ever sent |
//! | delivery id | nowhere in the head; `id` in the part `result` is the same for every attempt, as far as known |
//! | delivery key | the part `result`: a retry may have another boundary and other images; kept for a week |
//! | body | `multipart/form-data` with images: up to 32 MiB within 60 seconds by default |
//! | success | status 200 and no other, so the layer turns the handler's other 2xx into it; else sent again after an hour, and on for a week |
//!
//! # How it signs, and how sure that is
//!
//! **Not settled.** Authenteq's page says that the signature is the hex-encoded SHA-256 digest of the request body and the
//! Client Secret. It never says HMAC, it shows no code, and no delivery has been seen. So there are three constructions:
//!
//! | construction | signature | |
//! | --- | --- | --- |
//! | `sha256-body-secret` | SHA-256 of body, then secret | the words as they stand |
//! | `hmac-sha256` | HMAC-SHA256 of the body | what most vendors mean by such words |
//! | `length-extendable-sha256-secret-body` | SHA-256 of secret, then body | the same words in the other order |
//!
//! Unless told, a request under either of the first two is accepted. `event.construction()` says which it was: **once you
//! have seen a genuine delivery, fix it**, with [`with_only_construction`](Provider::with_only_construction) or `construction` in
//! the configuration. The third counts only when it is named so: whoever has seen one request can append to its body
//! and sign the result without the secret. What is appended stands after the closing boundary, so it cannot be read as an
//! [`Event`]; a handler that takes the raw body has no such protection.
//!
//! Taken for granted beside that: the secret is its UTF-8 bytes, and the digest covers the raw body, boundaries included.
//!
//! # The body
//!
//! The part `result` is JSON; the images are parts of their own. How the parts are framed, in which order they
//! come, and of which type they are is not documented, so any order and type will do, and only `result` has to be there. The header
//! `Content-Type` is not signed; see [`multipart`](crate::multipart) for how the body is read without trusting it.
//!
//! An [`Event`] has one `result`, with an `id` and a `documentData` that says its `documentType`. Two parts under one documented
//! name are an error: there is no telling which one Authenteq meant. This matters, because what a part holds was uploaded
//! by the person who wants to pass.
//!
//! # As an identity
//!
//! The session is `id` of the part `result`; there is no subject and no reason.
//!
//! | part `result` | outcome | final |
//! | --- | --- | --- |
//! | `"status": "PASSED"`, and no second spelling of the name `status` | approved | yes |
//! | any other text | other | no |
//! | `null`, a status under another name, no status | other | no |
//! | no status, and the endpoint says `missing_status = "passed"` | approved | yes |
//!
//! Authenteq's older form has no `status`; the newer one always has it. **Only if your account gets the older form**, set the
//! parameter `missing_status` to `passed`: as a key of the endpoint in the configuration, or with
//! [`with_param`](Provider::with_param). Without it, an event without a status approves nobody: read the [`Event`], and ask Authenteq.
//!
//! Under `missing_status`, an event has a status as soon as anything in it may be one:
//!
//! - the field `status` itself, `null` included;
//! - in the part `result`, at any depth, a field that is not documented and whose name has to do with how something ended: status,
//!   state, result, outcome, decision, verdict, passed, failed, approved, rejected, declined, verified, valid, reason and the like, in
//!   any spelling and among other words;
//! - such a field whose text has one of these words, such as `FAILED`, whatever the field is called;
//! - a part of the body that is not documented and has such a name.
//!
//! A field that is taken for a status by mistake makes the event `Other`, which is the safe side.
//!
//! A `status` that is neither text nor null, or that stands there twice, is an error. So is a body that is not an [`Event`], with one
//! exception: a status that is not documented and no document is `Other`, as a failed verification may have nothing else.
//!
//! # Pitfalls
//!
//! - A failed verification is never sent, as far as is documented; if one came, it would be `Other` and never rejected. To wait for one is to wait for ever.
//! - No time is signed. Recognise what you have handled already by `result.id`.
//! - The page marks `croppedBackImage` as required, and a passport has no back.
//! - `address` may hold several lines joined by `^`.
//!
//! Documented: <https://docs.authenteq.com> (webhook overview, Web IDV, export).
//!
//! ```
//! use tower_webhook::{Secret, Verifier, providers, providers::authenteq, verify::Head};
//! # use tower_webhook::Signer;
//! # use http::Request;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = providers::authenteq().with_param("client_id", "the-client-id");
//! let secret = Secret::new("the-client-secret");
//! let verifier = Verifier::new(provider.clone(), secret.clone())?;
//!
//! let body = "--b\r\n\
//!     Content-Disposition: form-data; name=\"result\"\r\n\
//!     \r\n\
//!     {\"id\":\"3631324b\",\"status\":\"PASSED\",\"documentData\":{\"documentType\":\"PP\"}}\r\n\
//!     --b\r\n\
//!     Content-Disposition: form-data; name=\"faceImage\"; filename=\"face.jpg\"\r\n\
//!     \r\n\
//!     the image\r\n\
//!     --b--\r\n";
//! # let request = Signer::new(provider, secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! let event = verifier.verify(&Head::of(&head), body, now)?;
//! assert_eq!(event.construction(), "sha256-body-secret");
//! let event = event.parse::<authenteq::Event>()?.into_payload();
//! assert_eq!(event.result.status, Some(authenteq::Status::Passed));
//! assert_eq!(event.result.document_data.document_type, authenteq::DocumentType::Passport);
//! assert_eq!(event.face_image.unwrap().body(), "the image");
//! # Ok(())
//! # }
//! ```

mod result;

use std::{fmt, time::Duration};

use http::StatusCode;

use self::result::Ended;
pub use self::result::{
    DocumentData, DocumentType, LicenseClass, Platform, Sex, Status, VerificationResult,
};
use crate::{
    Identity, Outcome, Payload, PayloadError, Provider, VerifiedEvent,
    delivery::KeyedBy,
    multipart::Part,
    provider::Parameter,
    scheme::{Algorithm, Encoding, Scheme, Signature},
};

/// What an event without a status is, for accounts that get the older form.
const MISSING_STATUS: &str = "missing_status";
const PASSED: &str = "passed";

pub(super) fn provider() -> Provider {
    let scheme = |algorithm, signed: &'static str| {
        let signature = Signature::single("X-SIGNATURE", Encoding::Hex);
        Scheme::new(algorithm, signed, signature)
            .with_required_header("X-CLIENT-ID", "{param:client_id}")
    };
    Provider::new("authenteq", scheme(Algorithm::Sha256, "{body}{secret}"))
        .with_construction_name("sha256-body-secret")
        .or_construction("hmac-sha256", scheme(Algorithm::HmacSha256, "{body}"))
        .or_named_construction(
            "length-extendable-sha256-secret-body",
            scheme(Algorithm::Sha256, "{secret}{body}"),
        )
        .with_max_body(32 << 20)
        .with_read_timeout(Duration::from_secs(60))
        .with_success_status(StatusCode::OK)
        .with_delivery_key(KeyedBy::Part("result".into()))
        .with_retry_horizon(Duration::from_secs(7 * 24 * 60 * 60))
        .with_options(&[Parameter {
            name: MISSING_STATUS,
            values: &[PASSED],
        }])
        .with_docs("https://docs.authenteq.com")
        .with_identity(identity)
}

fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let (id, is_passed) = match Event::from_event(event) {
        Ok(read) => {
            let may_be_missing = event.param(MISSING_STATUS) == Some(PASSED);
            let is_passed = read.result.is_passed() || (may_be_missing && read.has_no_status());
            (read.result.id, is_passed)
        }
        Err(error) => (ended(event).ok_or(error)?.id, false),
    };
    let identity = if is_passed {
        Identity::new(Outcome::Approved, true)
    } else {
        Identity::new(Outcome::Other, false)
    };
    Ok(Some(identity.with_session(Some(id))))
}

/// A verification that ended in a way that is not documented, and without a document.
fn ended(event: &VerifiedEvent) -> Option<Ended> {
    let parts = event.parts().ok()?;
    let mut results = parts.iter().filter(|part| part.name() == "result");
    match (results.next(), results.next()) {
        (Some(result), None) => Ended::read(result.body()),
        _ => None,
    }
}

/// A passed verification. Its `Debug` shows id and status; everything else is personal.
///
/// The images are slices of the body of the event, so an image that is kept keeps the whole body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What was found, without the images.
    pub result: VerificationResult,
    /// The face in the liveness check (`livenessFaceImage`).
    pub liveness_face_image: Option<Part>,
    /// The front of the first document, cut out (`croppedFrontImage`).
    pub cropped_front_image: Option<Part>,
    /// The back of the first document, cut out (`croppedBackImage`). A passport has none.
    pub cropped_back_image: Option<Part>,
    /// The portrait in the first document (`faceImage`).
    pub face_image: Option<Part>,
    /// The front of the second document (`croppedFrontImage2`).
    pub cropped_front_image2: Option<Part>,
    /// The back of the second document (`croppedBackImage2`).
    pub cropped_back_image2: Option<Part>,
    /// The portrait in the second document (`faceImage2`).
    pub face_image2: Option<Part>,
    /// The front of the third document (`croppedFrontImage3`).
    pub cropped_front_image3: Option<Part>,
    /// The back of the third document (`croppedBackImage3`).
    pub cropped_back_image3: Option<Part>,
    /// The portrait in the third document (`faceImage3`).
    pub face_image3: Option<Part>,
    /// The proof of address that the person uploaded (`addressProofDocument`): an image, a PDF, or whatever it was.
    pub address_proof_document: Option<Part>,
    /// Parts that are not documented, in their order.
    pub other: Vec<Part>,
}

impl Event {
    /// Whether nothing says how the verification ended: neither the [`result`](Self::result) nor the name of a part that is not
    /// documented. Authenteq's older form is such.
    #[must_use]
    pub fn has_no_status(&self) -> bool {
        let may_be_one = |part: &Part| result::names_the_end(part.name());
        self.result.has_no_status() && !self.other.iter().any(may_be_one)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("result", &self.result)
            .finish_non_exhaustive()
    }
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("authenteq", event)?;
        let mut parts = event.parts()?;
        let mut take = |name| take(&mut parts, name);
        let result =
            take("result")?.ok_or_else(|| PayloadError::new("the body has no part result"))?;
        Ok(Self {
            result: VerificationResult::read(result.body())?,
            liveness_face_image: take("livenessFaceImage")?,
            cropped_front_image: take("croppedFrontImage")?,
            cropped_back_image: take("croppedBackImage")?,
            face_image: take("faceImage")?,
            cropped_front_image2: take("croppedFrontImage2")?,
            cropped_back_image2: take("croppedBackImage2")?,
            face_image2: take("faceImage2")?,
            cropped_front_image3: take("croppedFrontImage3")?,
            cropped_back_image3: take("croppedBackImage3")?,
            face_image3: take("faceImage3")?,
            address_proof_document: take("addressProofDocument")?,
            other: parts,
        })
    }
}

/// Takes the one part of this name out of `parts`.
fn take(parts: &mut Vec<Part>, name: &str) -> Result<Option<Part>, PayloadError> {
    let mut named = parts.extract_if(.., |part| part.name() == name);
    let first = named.next();
    if named.next().is_some() {
        return Err(PayloadError::new(format!("the body has two parts {name}")));
    }
    Ok(first)
}
