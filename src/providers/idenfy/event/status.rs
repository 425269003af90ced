//! How an identification went: the verdict, what it rests on, and what was found.

use serde::{Deserialize, Serialize};

use crate::providers::idenfy::{
    event::screening::AmlStatus,
    event::tags::{FraudTag, MismatchTag},
};

/// How an identification went.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Status {
    /// The verdict so far. [`is_final`](super::Identification::is_final) says whether it can still change.
    pub overall: Overall,
    /// Signs of fraud. Any of them can make the verdict [`Suspected`](Overall::Suspected).
    pub fraud_tags: Option<Vec<FraudTag>>,
    /// What on the document differs from what you gave when you made the session.
    pub mismatch_tags: Option<Vec<MismatchTag>>,
    /// What the machine says about the face.
    pub auto_face: Option<FaceStatus>,
    /// What a person says about the face; `None` when nobody looked.
    pub manual_face: Option<FaceStatus>,
    /// What the machine says about the document.
    pub auto_document: Option<DocumentStatus>,
    /// What a person says about the document; `None` when nobody looked.
    pub manual_document: Option<DocumentStatus>,
    /// What became of the additional steps, such as a proof of address.
    pub additional_steps: Option<AdditionalStepStatus>,
    /// Why the verdict is `Suspected`. On the vendor's page and in older bodies; newer ones have `fraud_tags`.
    pub suspicion_reasons: Option<Vec<FraudTag>>,
    /// Why it was denied, in the vendor's words. Only in older bodies.
    pub deny_reasons: Option<Vec<String>>,
    /// The class of the screening's result. Only in older bodies.
    pub aml_result_class: Option<String>,
    /// What the screening for politically exposed persons found. Only in older bodies.
    pub peps_status: Option<AmlStatus>,
    /// What the screening for sanctions found. Only in older bodies.
    pub sanctions_status: Option<AmlStatus>,
    /// What the screening of the news found. Only in older bodies.
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
        /// The checks may have passed, and something does not add up. You decide.
        Suspected = "SUSPECTED",
        /// A person is looking at it.
        Reviewing = "REVIEWING",
        /// The session ended without the person having gone through it.
        Expired = "EXPIRED",
        /// The session waits for the person.
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
    /// What a check of the face found.
    FaceStatus {
        /// It is the face on the document.
        FaceMatch = "FACE_MATCH",
        /// It was not compared.
        FaceNotChecked = "FACE_NOT_CHECKED",
        /// It could not be matched with the one on the document.
        FaceMismatch = "FACE_MISMATCH",
        /// There is none on the photo.
        NoFaceFound = "NO_FACE_FOUND",
        /// There is more than one on the photo.
        TooManyFaces = "TOO_MANY_FACES",
        /// It is too blurred to compare.
        FaceTooBlurry = "FACE_TOO_BLURRY",
        /// There is glare on it.
        FaceGlared = "FACE_GLARED",
        /// Whether it is alive cannot be told.
        FaceUncertain = "FACE_UNCERTAIN",
        /// It was left out, since the identification failed for another reason.
        FaceNotAnalysed = "FACE_NOT_ANALYSED",
        /// The check broke down.
        FaceError = "FACE_ERROR",
        /// A machine cannot tell; a person has to.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// It was not taken live, or it is not genuine.
        FakeFace = "FAKE_FACE",
    }
}

open_enum! {
    /// What a check of the document found.
    DocumentStatus {
        /// It is genuine and can be read.
        DocValidated = "DOC_VALIDATED",
        /// Its data differ from those that were given, or contradict each other.
        DocInfoMismatch = "DOC_INFO_MISMATCH",
        /// There is none on the photo.
        DocNotFound = "DOC_NOT_FOUND",
        /// A part of it is not on the photo.
        DocNotFullyVisible = "DOC_NOT_FULLY_VISIBLE",
        /// Its portrait was not found.
        DocFaceNotFound = "DOC_FACE_NOT_FOUND",
        /// It is too blurred to read.
        DocTooBlurry = "DOC_TOO_BLURRY",
        /// There is glare on it.
        DocGlared = "DOC_GLARED",
        /// There is glare on its portrait.
        DocFaceGlared = "DOC_FACE_GLARED",
        /// Its machine-readable lines were not found.
        MrzNotFound = "MRZ_NOT_FOUND",
        /// Its machine-readable lines could not be read.
        MrzOcrReadingError = "MRZ_OCR_READING_ERROR",
        /// Its bar code was not found.
        BarcodeNotFound = "BARCODE_NOT_FOUND",
        /// It has expired.
        DocExpired = "DOC_EXPIRED",
        /// A document of this type is not supported for the country.
        DocNotSupported = "DOC_NOT_SUPPORTED",
        /// Documents of the country are not supported.
        CountryNotSupported = "COUNTRY_NOT_SUPPORTED",
        /// Another country issued it than was chosen.
        CountryMismatch = "COUNTRY_MISMATCH",
        /// It is of another type than was chosen.
        DocTypeMismatch = "DOC_TYPE_MISMATCH",
        /// It is of another subtype than was expected.
        DocSubtypeMismatch = "DOC_SUBTYPE_MISMATCH",
        /// It shows the wrong side.
        DocSideMismatch = "DOC_SIDE_MISMATCH",
        /// It is damaged.
        DocDamaged = "DOC_DAMAGED",
        /// It is forged.
        DocFake = "DOC_FAKE",
        /// Its personal code cannot be one.
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
        /// It was left out, since the identification failed for another reason.
        DocNotAnalysed = "DOC_NOT_ANALYSED",
        /// The check broke down.
        DocError = "DOC_ERROR",
        /// A machine cannot tell; a person has to.
        AutoUnverifiable = "AUTO_UNVERIFIABLE",
        /// It is a copy or a picture of a document.
        DocSpoofDetected = "DOC_SPOOF_DETECTED",
        /// Its machine-readable lines contradict themselves.
        MrzInvalid = "MRZ_INVALID",
        /// The electronic identity could not be verified.
        EidFailed = "EID_FAILED",
        /// Reading its chip could not be begun.
        NfcInitFailed = "NFC_INIT_FAILED",
        /// Reading its chip failed.
        NfcFailed = "NFC_FAILED",
        /// Reading its chip took too long.
        NfcTimeout = "NFC_TIMEOUT",
    }
}

open_enum! {
    /// What became of an additional step, such as a proof of address.
    AdditionalStepStatus {
        /// What was handed in is right.
        Valid = "VALID",
        /// What was handed in is not right.
        Invalid = "INVALID",
        /// What was asked for was not handed in.
        NotFound = "NOT_FOUND",
    }
}
