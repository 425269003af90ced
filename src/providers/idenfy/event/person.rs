//! Smaller events about persons: document expiry, facial authentication, age estimation, account
//! checks.

use serde::{Deserialize, Serialize};

/// The document of an identification is about to expire, or has expired.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentExpiration {
    /// iDenfy's id of the identification.
    pub scan_ref: String,
    /// Your own id for the person.
    pub client_id: Option<String>,
    /// How soon the document expires.
    pub expiration_threshold: ExpirationThreshold,
    /// The expiry date of the document.
    pub document_expiration: Option<String>,
}

open_enum! {
    /// How soon a document expires.
    ExpirationThreshold {
        /// Within 30 days.
        Within30Days = "DOCUMENT_EXPIRES_WITHIN_30_DAYS",
        /// Within 7 days.
        Within7Days = "DOCUMENT_EXPIRES_WITHIN_7_DAYS",
        /// Within 1 day.
        Within1Day = "DOCUMENT_EXPIRES_WITHIN_1_DAY",
        /// The document has expired.
        Expired = "DOCUMENT_EXPIRED",
    }
}

/// A facial authentication.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FacialAuthentication {
    /// The id of the authentication.
    pub id: String,
    /// iDenfy's id of the identification whose face is the reference.
    pub scan_ref: Option<String>,
    /// Your own id for the person.
    pub client_id: Option<String>,
    /// The token that opened the session: treat it as a secret.
    pub token: Option<String>,
    /// The result.
    pub status: AuthenticationStatus,
    /// The purpose of the authentication.
    #[serde(rename = "type")]
    pub kind: Option<AuthenticationType>,
    /// The method of authentication.
    pub method: Option<AuthenticationMethod>,
    /// The link to the photo: treat it as a secret until it expires.
    pub face_photo: Option<String>,
    /// The IP address of the person.
    pub ip_address: Option<String>,
    /// Why the authentication failed.
    pub fail_reason: Option<String>,
    /// Risk indicators.
    pub risk_tags: Option<Vec<RiskTag>>,
}

open_enum! {
    /// The result of a facial authentication. The vendor writes these in title case.
    AuthenticationStatus {
        /// The face is that of the person.
        Success = "Success",
        /// The face is not that of the person, or could not be compared.
        Failed = "Failed",
        /// The session was not used in time.
        Expired = "Expired",
        /// The session was cancelled.
        Canceled = "Canceled",
        /// The authentication is not complete.
        Pending = "Pending",
    }
}

open_enum! {
    /// The purpose of a facial authentication.
    AuthenticationType {
        /// To enrol a face.
        Enrollment = "ENROLLMENT",
        /// To authenticate a face.
        Authentication = "AUTHENTICATION",
    }
}

open_enum! {
    /// The method of a facial authentication.
    AuthenticationMethod {
        /// Active liveness: the person had to move.
        ActiveLiveness = "ACTIVE_LIVENESS",
        /// Face matching: a photo was compared.
        FaceMatching = "FACE_MATCHING",
    }
}

open_enum! {
    /// A risk indicator of a facial authentication.
    RiskTag {
        /// The device or the browser cannot be trusted.
        UntrustedEnvironment = "UNTRUSTED_ENVIRONMENT",
    }
}

/// An age estimation.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AgeEstimation {
    /// iDenfy's id of the identification, or of the session if there was no identification.
    pub scan_ref: String,
    /// Whether the estimation succeeded.
    pub status: AgeStatus,
    /// The result.
    pub outcome: Option<AgeOutcome>,
    /// The verdict of the model, such as `ADULT`.
    pub verdict: Option<String>,
    /// The age in years: from the document if one was requested, otherwise from the face.
    pub estimated_age: Option<i64>,
    /// The confidence, from 0 to 1.
    pub confidence: Option<f64>,
    /// Your own id for the person.
    pub client_id: Option<String>,
    /// When the estimation took place, ISO 8601.
    pub occurred_at: String,
}

open_enum! {
    /// Whether an age estimation succeeded.
    AgeStatus {
        /// The estimation succeeded.
        Completed = "COMPLETED",
        /// The estimation failed.
        Failed = "FAILED",
    }
}

open_enum! {
    /// The result of an age estimation.
    AgeOutcome {
        /// The person is old enough.
        Success = "SUCCESS",
        /// The person is too young.
        Underage = "UNDERAGE",
        /// The age could not be determined.
        Uncertain = "UNCERTAIN",
        /// The face does not match the document.
        FaceMismatch = "FACE_MISMATCH",
        /// The person exceeded the number of attempts.
        AttemptsExceeded = "ATTEMPTS_EXCEEDED",
    }
}

/// A check of a person's social network accounts.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccountCheck {
    /// iDenfy's id of the identification.
    pub scan_ref: Option<String>,
    /// Your own id for the person.
    pub client_id: Option<String>,
    /// The token that opened the session: treat it as a secret.
    pub auth_token: Option<String>,
    /// When the check took place.
    pub date: Option<String>,
    /// The result, from 1 to 5. What each number means is not documented.
    pub status: i64,
    /// The overall score.
    pub score: f64,
    /// The score of the Facebook account.
    pub facebook_score: Option<f64>,
    /// The score of the Gmail account.
    pub gmail_score: Option<f64>,
    /// The score of the IP address.
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
