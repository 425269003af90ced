//! Smaller events about persons: their documents, faces, ages and accounts.

use serde::{Deserialize, Serialize};

/// The document of an identification expires.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentExpiration {
    /// iDenfy's id of the identification.
    pub scan_ref: String,
    /// Your own id of the person.
    pub client_id: Option<String>,
    /// How near it is.
    pub expiration_threshold: ExpirationThreshold,
    /// When the document expires.
    pub document_expiration: Option<String>,
}

open_enum! {
    /// How near the expiry of a document is.
    ExpirationThreshold {
        /// 30 days or less.
        Within30Days = "DOCUMENT_EXPIRES_WITHIN_30_DAYS",
        /// 7 days or less.
        Within7Days = "DOCUMENT_EXPIRES_WITHIN_7_DAYS",
        /// A day or less.
        Within1Day = "DOCUMENT_EXPIRES_WITHIN_1_DAY",
        /// It has expired.
        Expired = "DOCUMENT_EXPIRED",
    }
}

/// A person was recognised by the face, or was not.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FacialAuthentication {
    /// The id of the authentication.
    pub id: String,
    /// iDenfy's id of the identification that the face is compared with.
    pub scan_ref: Option<String>,
    /// Your own id of the person.
    pub client_id: Option<String>,
    /// What the session was opened with; a secret.
    pub token: Option<String>,
    /// The result.
    pub status: AuthenticationStatus,
    /// What it was for.
    #[serde(rename = "type")]
    pub kind: Option<AuthenticationType>,
    /// How it was done.
    pub method: Option<AuthenticationMethod>,
    /// The address of the photo; a secret while it lives.
    pub face_photo: Option<String>,
    /// The network address of the person.
    pub ip_address: Option<String>,
    /// Why it failed.
    pub fail_reason: Option<String>,
    /// Signs of risk.
    pub risk_tags: Option<Vec<RiskTag>>,
}

open_enum! {
    /// The result of a facial authentication. The vendor writes these in title case.
    AuthenticationStatus {
        /// The face is the person's.
        Success = "Success",
        /// It is not, or could not be compared.
        Failed = "Failed",
        /// Nobody came in time.
        Expired = "Expired",
        /// It was called off.
        Canceled = "Canceled",
        /// It is not over.
        Pending = "Pending",
    }
}

open_enum! {
    /// What a facial authentication was for.
    AuthenticationType {
        /// To get to know a face.
        Enrollment = "ENROLLMENT",
        /// To recognise a face.
        Authentication = "AUTHENTICATION",
    }
}

open_enum! {
    /// How a facial authentication was done.
    AuthenticationMethod {
        /// The person had to move.
        ActiveLiveness = "ACTIVE_LIVENESS",
        /// A photo was compared.
        FaceMatching = "FACE_MATCHING",
    }
}

open_enum! {
    /// A sign of risk in a facial authentication.
    RiskTag {
        /// The device or the browser cannot be trusted.
        UntrustedEnvironment = "UNTRUSTED_ENVIRONMENT",
    }
}

/// The age of a person was estimated.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AgeEstimation {
    /// iDenfy's id of the identification, or of the session where there was none.
    pub scan_ref: String,
    /// Whether it worked.
    pub status: AgeStatus,
    /// The result.
    pub outcome: Option<AgeOutcome>,
    /// What the model says, such as `ADULT`.
    pub verdict: Option<String>,
    /// The age in years: of the document if one was asked for, otherwise of the face.
    pub estimated_age: Option<i64>,
    /// How sure it is, from 0 to 1.
    pub confidence: Option<f64>,
    /// Your own id of the person.
    pub client_id: Option<String>,
    /// When it happened, ISO 8601.
    pub occurred_at: String,
}

open_enum! {
    /// Whether an estimate of age worked.
    AgeStatus {
        /// It did.
        Completed = "COMPLETED",
        /// It did not.
        Failed = "FAILED",
    }
}

open_enum! {
    /// The result of an estimate of age.
    AgeOutcome {
        /// The person is old enough.
        Success = "SUCCESS",
        /// The person is too young.
        Underage = "UNDERAGE",
        /// It cannot be told.
        Uncertain = "UNCERTAIN",
        /// The face is not the one of the document.
        FaceMismatch = "FACE_MISMATCH",
        /// The person tried too often.
        AttemptsExceeded = "ATTEMPTS_EXCEEDED",
    }
}

/// The accounts of a person in social networks were looked up.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccountCheck {
    /// iDenfy's id of the identification.
    pub scan_ref: Option<String>,
    /// Your own id of the person.
    pub client_id: Option<String>,
    /// What the session was opened with; a secret.
    pub auth_token: Option<String>,
    /// When it happened.
    pub date: Option<String>,
    /// The result, from 1 to 5. What each number means is not documented.
    pub status: i64,
    /// The score as a whole.
    pub score: f64,
    /// The score of the Facebook account.
    pub facebook_score: Option<f64>,
    /// The score of the Gmail account.
    pub gmail_score: Option<f64>,
    /// The score of the network address.
    pub ip_score: Option<f64>,
}

shows!(DocumentExpiration {
    scan_ref,
    client_id,
    expiration_threshold
});
shows!(FacialAuthentication {
    id,
    scan_ref,
    client_id,
    status
});
shows!(AgeEstimation {
    scan_ref,
    client_id,
    status
});
shows!(AccountCheck {
    scan_ref,
    client_id,
    status
});
