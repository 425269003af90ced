//! The verification session.

use std::collections::BTreeMap;

use serde_json::Value;

records! {
    /// A verification session of Stripe Identity.
    VerificationSession shows [id, status, session_type, verification_flow, last_error, livemode, redaction] {
        /// The id of the session.
        id: String,
        /// `identity.verification_session`.
        object: Option<String>,
        /// Your own reference for the person.
        client_reference_id: Option<String>,
        /// The secret by which a browser takes part.
        client_secret: Option<String>,
        /// When the session was created, in Unix seconds.
        created: Option<i64>,
        /// Why the last attempt failed.
        last_error: Option<LastError>,
        /// The id of the report of the last attempt.
        last_verification_report: Option<String>,
        /// Whether the session is from live mode.
        livemode: Option<bool>,
        /// Your own data.
        metadata: Option<BTreeMap<String, Option<String>>>,
        /// What the session asks for.
        options: Option<Options>,
        /// What you know of the person.
        provided_details: Option<ProvidedDetails>,
        /// Whether the data are being deleted, or have been.
        redaction: Option<Redaction>,
        /// The id of a customer.
        related_customer: Option<String>,
        /// The id of a customer's account.
        related_customer_account: Option<String>,
        /// The person of an account.
        related_person: Option<Value>,
        /// The status.
        status: SessionStatus,
        /// What is verified.
        #[serde(rename = "type")]
        session_type: Option<SessionType>,
        /// The address by which the person takes part.
        url: Option<String>,
        /// The flow, which says what is verified.
        verification_flow: Option<String>,
        /// The verified data, which no webhook has.
        verified_outputs: Option<Value>,
    }

    /// Why an attempt failed.
    LastError shows [code] {
        /// The code.
        code: Option<ErrorCode>,
        /// A description.
        reason: Option<String>,
    }

    /// What a session asks for.
    Options shows [] {
        /// A document.
        document: Option<DocumentOptions>,
        /// An e-mail address.
        email: Option<Value>,
        /// An identification number.
        id_number: Option<Value>,
        /// What has to match.
        matching: Option<Matching>,
        /// A phone number.
        phone: Option<Value>,
    }

    /// What a session asks of a document.
    DocumentOptions shows [require_id_number, require_live_capture, require_matching_selfie] {
        /// The types that are enough.
        allowed_types: Option<Vec<String>>,
        /// Whether an identification number is needed.
        require_id_number: Option<bool>,
        /// Whether a photograph has to be taken in the session.
        require_live_capture: Option<bool>,
        /// Whether a matching photograph of the face is needed.
        require_matching_selfie: Option<bool>,
    }

    /// What has to match the details that you provided.
    Matching shows [dob, name] {
        /// How the date of birth has to match.
        dob: Option<String>,
        /// How the name has to match.
        name: Option<String>,
    }

    /// What you know of a person. Its `Debug` shows nothing.
    ProvidedDetails shows [] {
        /// The e-mail address.
        email: Option<String>,
        /// The phone number.
        phone: Option<String>,
    }

    /// Whether the data of a session are being deleted, or have been.
    Redaction shows [status] {
        /// How far it is.
        status: Option<RedactionStatus>,
    }
}

open_enum! {
    /// The status of a verification session.
    SessionStatus {
        /// It was cancelled.
        Canceled = "canceled",
        /// The data are being checked.
        Processing = "processing",
        /// The person has to act: the first status, and the one after a failure.
        RequiresInput = "requires_input",
        /// The person passed.
        Verified = "verified",
    }
}

open_enum! {
    /// What a verification session verifies.
    SessionType {
        /// A document.
        Document = "document",
        /// An identification number.
        IdNumber = "id_number",
        /// What its flow says.
        VerificationFlow = "verification_flow",
    }
}

open_enum! {
    /// How far a redaction is.
    RedactionStatus {
        /// The data are being deleted.
        Processing = "processing",
        /// The data are deleted.
        Redacted = "redacted",
        /// The deletion was checked.
        Validated = "validated",
    }
}

open_enum! {
    /// Why an attempt failed.
    ErrorCode {
        /// The person did not finish.
        Abandoned = "abandoned",
        /// The person did not agree.
        ConsentDeclined = "consent_declined",
        /// The country is not supported.
        CountryNotSupported = "country_not_supported",
        /// The person's device has no camera.
        DeviceNotSupported = "device_not_supported",
        /// The document has expired.
        DocumentExpired = "document_expired",
        /// The type of the document is not allowed.
        DocumentTypeNotSupported = "document_type_not_supported",
        /// The document could not be verified.
        DocumentUnverifiedOther = "document_unverified_other",
        /// The e-mail address could not be verified.
        EmailUnverifiedOther = "email_unverified_other",
        /// The person declined to verify the e-mail address.
        EmailVerificationDeclined = "email_verification_declined",
        /// The document does not have the data for the identification number.
        IdNumberInsufficientDocumentData = "id_number_insufficient_document_data",
        /// The identification number does not match.
        IdNumberMismatch = "id_number_mismatch",
        /// The identification number could not be verified.
        IdNumberUnverifiedOther = "id_number_unverified_other",
        /// The phone number could not be verified.
        PhoneUnverifiedOther = "phone_unverified_other",
        /// The person declined to verify the phone number.
        PhoneVerificationDeclined = "phone_verification_declined",
        /// The document has no photograph of the face.
        SelfieDocumentMissingPhoto = "selfie_document_missing_photo",
        /// The faces do not match.
        SelfieFaceMismatch = "selfie_face_mismatch",
        /// The photograph of the face was manipulated.
        SelfieManipulated = "selfie_manipulated",
        /// The photograph of the face could not be verified.
        SelfieUnverifiedOther = "selfie_unverified_other",
        /// The person is too young.
        UnderSupportedAge = "under_supported_age",
    }
}
