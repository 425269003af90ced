//! Typed events.

mod result;

use std::fmt;

use self::result::Ended;
pub use self::result::{
    DocumentData, DocumentType, LicenseClass, Platform, Sex, Status, VerificationResult,
};
use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    multipart::Part,
    providers::{
        authenteq::{MISSING_STATUS, PASSED},
        typed,
    },
};

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let (id, end_time, is_passed) = match Event::from_event(event) {
        Ok(read) => {
            let may_be_missing = event.param(MISSING_STATUS) == Some(PASSED);
            let is_passed = read.result.is_passed() || (may_be_missing && read.has_no_status());
            (read.result.id, read.result.end_time, is_passed)
        }
        Err(error) => (ended(event).ok_or(error)?.id, None, false),
    };
    let occurred_at = end_time.and_then(|text| typed::time(&text));
    let identity = if is_passed {
        Identity::new(Outcome::Approved, true)
    } else {
        Identity::new(Outcome::Other, false)
    };
    let identity = identity.with_session(id);
    Ok(Some(identity.with_occurred_at(occurred_at)))
}

/// The verification, if its status is not documented and the body has no document.
fn ended(event: &VerifiedEvent) -> Option<Ended> {
    let parts = event.parts().ok()?;
    let mut results = parts.iter().filter(|part| part.name() == "result");
    match (results.next(), results.next()) {
        (Some(result), None) => Ended::read(result.body()),
        _ => None,
    }
}

/// A passed verification. Its `Debug` shows the id and the status; everything else is personal
/// data.
///
/// The images are slices of the event's body, so keeping one image keeps the whole body in memory.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The result of the verification, without the images.
    pub result: VerificationResult,
    /// The face from the liveness check (`livenessFaceImage`).
    pub liveness_face_image: Option<Part>,
    /// The cropped front of the first document (`croppedFrontImage`).
    pub cropped_front_image: Option<Part>,
    /// The cropped back of the first document (`croppedBackImage`). A passport has none.
    pub cropped_back_image: Option<Part>,
    /// The portrait on the first document (`faceImage`).
    pub face_image: Option<Part>,
    /// The cropped front of the second document (`croppedFrontImage2`).
    pub cropped_front_image2: Option<Part>,
    /// The cropped back of the second document (`croppedBackImage2`).
    pub cropped_back_image2: Option<Part>,
    /// The portrait on the second document (`faceImage2`).
    pub face_image2: Option<Part>,
    /// The cropped front of the third document (`croppedFrontImage3`).
    pub cropped_front_image3: Option<Part>,
    /// The cropped back of the third document (`croppedBackImage3`).
    pub cropped_back_image3: Option<Part>,
    /// The portrait on the third document (`faceImage3`).
    pub face_image3: Option<Part>,
    /// The proof of address that the person uploaded (`addressProofDocument`): an image, a PDF, or
    /// any other file.
    pub address_proof_document: Option<Part>,
    /// Undocumented parts, in the order of the body.
    pub other: Vec<Part>,
}

impl Event {
    /// Whether nothing states the outcome of the verification: neither the [`result`](Self::result)
    /// nor the name of an undocumented part. This is Authenteq's older format.
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
            take("result")?.ok_or_else(|| PayloadError::new("the body has no part `result`"))?;
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

/// Removes the part with this name from `parts`; a second one is an error.
fn take(parts: &mut Vec<Part>, name: &str) -> Result<Option<Part>, PayloadError> {
    let mut named = parts.extract_if(.., |part| part.name() == name);
    let first = named.next();
    if named.next().is_some() {
        return Err(PayloadError::new(format!(
            "the body has two parts `{name}`"
        )));
    }
    Ok(first)
}
