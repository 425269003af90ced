//! The status of an identification: the verdict, and the results of the checks behind it.

use serde::{Deserialize, Serialize};

use crate::providers::idenfy::{
    event::screening::AmlStatus,
    event::tags::{FraudTag, MismatchTag},
};

/// The status of an identification.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Status {
    /// The verdict so far. See [`is_final`](super::Identification::is_final) for whether it can
    /// still change.
    pub overall: Overall,
    /// Fraud indicators. Any of them can make the verdict [`Suspected`](Overall::Suspected).
    pub fraud_tags: Option<Vec<FraudTag>>,
    /// The data on the document that differ from those you set when you created the session.
    pub mismatch_tags: Option<Vec<MismatchTag>>,
    /// The automatic result for the face.
    pub auto_face: Option<FaceStatus>,
    /// The human reviewer's result for the face; `None` if there was no review.
    pub manual_face: Option<FaceStatus>,
    /// The automatic result for the document.
    pub auto_document: Option<DocumentStatus>,
    /// The human reviewer's result for the document; `None` if there was no review.
    pub manual_document: Option<DocumentStatus>,
    /// The result of the additional steps, such as a proof of address.
    pub additional_steps: Option<AdditionalStepStatus>,
    /// Why the verdict is `Suspected`. Documented on the vendor's page and present in older bodies;
    /// newer ones have `fraud_tags`.
    pub suspicion_reasons: Option<Vec<FraudTag>>,
    /// Why the identification was denied, in the vendor's words. Only in older bodies.
    pub deny_reasons: Option<Vec<String>>,
    /// The class of the screening's result. Only in older bodies.
    pub aml_result_class: Option<String>,
    /// The result of the check for political exposure. Only in older bodies.
    pub peps_status: Option<AmlStatus>,
    /// The result of the sanctions check. Only in older bodies.
    pub sanctions_status: Option<AmlStatus>,
    /// The result of the adverse media check. Only in older bodies.
    pub adverse_media_status: Option<AmlStatus>,
}

shows!(Status { overall });

open_enum! {
    /// The verdict on an identification.
    Overall {
        /// All checks have passed; preliminary unless the identification is final.
        Approved = "APPROVED",
        /// A check has failed.
        Denied = "DENIED",
        /// Something is suspicious, even if the checks have passed. The decision is yours.
        Suspected = "SUSPECTED",
        /// A human is reviewing the identification.
        Reviewing = "REVIEWING",
        /// The session ended before the person completed it.
        Expired = "EXPIRED",
        /// The session is waiting for the person.
        Active = "ACTIVE",
        /// The data were deleted.
        Deleted = "DELETED",
        /// The session expired, and its data were deleted. An older value.
        ExpiredDeleted = "EXPIRED-DELETED",
        /// The data were archived.
        Archived = "ARCHIVED",
    }
}

open_enum! {
    /// The result of a check of the face.
    FaceStatus {
        /// The face matches the one on the document.
        FaceMatch = "FACE_MATCH",
        /// The face was not compared.
        FaceNotChecked = "FACE_NOT_CHECKED",
        /// The face could not be matched with the one on the document.
        FaceMismatch = "FACE_MISMATCH",
        /// There is no face in the photo.
        NoFaceFound = "NO_FACE_FOUND",
        /// There is more than one face in the photo.
        TooManyFaces = "TOO_MANY_FACES",
        /// The face is too blurry to compare.
        FaceTooBlurry = "FACE_TOO_BLURRY",
        /// There is glare on the face.
        FaceGlared = "FACE_GLARED",
        /// It is uncertain whether the face is live.
        FaceUncertain = "FACE_UNCERTAIN",
        /// The face was not analysed, because the identification failed for another reason.
        FaceNotAnalysed = "FACE_NOT_ANALYSED",
        /// The check failed with an error.
        FaceError = "FACE_ERROR",
        /// The check cannot be decided automatically and needs a human reviewer.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// The face was not captured live, or is not genuine.
        FakeFace = "FAKE_FACE",
    }
}

open_enum! {
    /// The result of a check of the document.
    DocumentStatus {
        /// The document is genuine and legible.
        DocValidated = "DOC_VALIDATED",
        /// The document's data differ from the expected ones, or contradict each other.
        DocInfoMismatch = "DOC_INFO_MISMATCH",
        /// There is no document in the photo.
        DocNotFound = "DOC_NOT_FOUND",
        /// Part of the document is not in the photo.
        DocNotFullyVisible = "DOC_NOT_FULLY_VISIBLE",
        /// No portrait was found on the document.
        DocFaceNotFound = "DOC_FACE_NOT_FOUND",
        /// The document is too blurry to read.
        DocTooBlurry = "DOC_TOO_BLURRY",
        /// There is glare on the document.
        DocGlared = "DOC_GLARED",
        /// There is glare on the portrait.
        DocFaceGlared = "DOC_FACE_GLARED",
        /// The machine-readable zone (MRZ) was not found.
        MrzNotFound = "MRZ_NOT_FOUND",
        /// The machine-readable zone (MRZ) could not be read.
        MrzOcrReadingError = "MRZ_OCR_READING_ERROR",
        /// The barcode was not found.
        BarcodeNotFound = "BARCODE_NOT_FOUND",
        /// The document has expired.
        DocExpired = "DOC_EXPIRED",
        /// The document type is not supported for the country.
        DocNotSupported = "DOC_NOT_SUPPORTED",
        /// Documents of the country are not supported.
        CountryNotSupported = "COUNTRY_NOT_SUPPORTED",
        /// The document was issued by a country other than the chosen one.
        CountryMismatch = "COUNTRY_MISMATCH",
        /// The document is of a type other than the chosen one.
        DocTypeMismatch = "DOC_TYPE_MISMATCH",
        /// The document is of a subtype other than the expected one.
        DocSubtypeMismatch = "DOC_SUBTYPE_MISMATCH",
        /// The photo shows the wrong side of the document.
        DocSideMismatch = "DOC_SIDE_MISMATCH",
        /// The document is damaged.
        DocDamaged = "DOC_DAMAGED",
        /// The document is forged.
        DocFake = "DOC_FAKE",
        /// The personal code is invalid.
        DocPersonalCodeInvalid = "DOC_PERSONAL_CODE_INVALID",
        /// You do not accept documents of this type.
        DocNotAllowed = "DOC_NOT_ALLOWED",
        /// The first name could not be read.
        DocNameError = "DOC_NAME_ERROR",
        /// The last name could not be read.
        DocSurnameError = "DOC_SURNAME_ERROR",
        /// The date of expiry could not be read.
        DocExpiryError = "DOC_EXPIRY_ERROR",
        /// The date of birth could not be read.
        DocDobError = "DOC_DOB_ERROR",
        /// The personal number could not be read.
        DocPersonalNumberError = "DOC_PERSONAL_NUMBER_ERROR",
        /// The document number could not be read.
        DocNumberError = "DOC_NUMBER_ERROR",
        /// The date of issue could not be read.
        DocDateOfIssueError = "DOC_DATE_OF_ISSUE_ERROR",
        /// The sex could not be read.
        DocSexError = "DOC_SEX_ERROR",
        /// The nationality could not be read.
        DocNationalityError = "DOC_NATIONALITY_ERROR",
        /// The document was not analysed, because the identification failed for another reason.
        DocNotAnalysed = "DOC_NOT_ANALYSED",
        /// The check failed with an error.
        DocError = "DOC_ERROR",
        /// The check cannot be decided automatically and needs a human reviewer.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// The photo shows a copy or a picture of a document.
        DocSpoofDetected = "DOC_SPOOF_DETECTED",
        /// The machine-readable zone (MRZ) contradicts itself.
        MrzInvalid = "MRZ_INVALID",
        /// The electronic identity could not be verified.
        EidFailed = "EID_FAILED",
        /// Reading the chip could not be started.
        NfcInitFailed = "NFC_INIT_FAILED",
        /// Reading the chip failed.
        NfcFailed = "NFC_FAILED",
        /// Reading the chip timed out.
        NfcTimeout = "NFC_TIMEOUT",
    }
}

open_enum! {
    /// The result of an additional step, such as a proof of address.
    AdditionalStepStatus {
        /// The submitted document is valid.
        Valid = "VALID",
        /// The submitted document is invalid.
        Invalid = "INVALID",
        /// The requested document was not submitted.
        NotFound = "NOT_FOUND",
    }
}
