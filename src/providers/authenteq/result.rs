//! The JSON of the part `result`.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::json::object;
use crate::{PayloadError, json};

/// What a verification found. Its `Debug` shows id and status.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerificationResult {
    /// The id of the verification.
    pub id: String,
    /// How it ended. Older deliveries do not say, and none but a passed one is sent.
    pub status: Option<Status>,
    /// Where it was done.
    pub platform: Option<Platform>,
    /// When it began: ISO 8601, in UTC.
    pub start_time: Option<String>,
    /// When it ended: ISO 8601, in UTC.
    pub end_time: Option<String>,
    /// The first document.
    #[serde(deserialize_with = "object")]
    pub document_data: DocumentData,
    /// The second document, in a flow that asks for more than one.
    pub document_data2: Option<DocumentData>,
    /// The third document, in a flow that asks for more than two.
    pub document_data3: Option<DocumentData>,
    /// Whether the chip of the document was read and verified.
    pub nfc_verified: Option<bool>,
    /// The proof of address, as far as it is described here: Authenteq's export has an object with `contentType` and `content`. In a
    /// webhook the file itself is a part.
    pub address_proof_document: Option<Value>,
}

impl VerificationResult {
    pub(super) fn read(part: &[u8]) -> Result<Self, PayloadError> {
        json::read(part)
            .map_err(|problem| PayloadError::new(format!("in the part result: {problem}")))
    }

    /// The documents, one to three.
    pub fn documents(&self) -> impl Iterator<Item = &DocumentData> {
        let more = self.document_data2.iter().chain(&self.document_data3);
        std::iter::once(&self.document_data).chain(more)
    }
}

impl fmt::Debug for VerificationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationResult")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

open_enum! {
    /// How a verification ended.
    Status {
        /// The person has passed.
        Passed = "PASSED",
    }
}

open_enum! {
    /// Where a verification was done.
    Platform {
        /// In a browser.
        Web = "WEB",
    }
}

/// What stands in one document. Dates are `YYYY-MM-DD`, countries three letters. Its `Debug` shows the type.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentData {
    /// What it is.
    pub document_type: DocumentType,
    /// Its number.
    pub document_number: Option<String>,
    /// The country that issued it.
    pub issuing_country: Option<String>,
    /// The part of the country that issued it, such as `UTA`.
    pub jurisdiction: Option<String>,
    /// Of which country the person is.
    pub nationality: Option<String>,
    /// The whole name.
    pub surname_and_given_names: Option<String>,
    /// The surname.
    pub surname: Option<String>,
    /// The given names.
    pub given_names: Option<String>,
    /// What follows the name, such as `JR`.
    pub name_suffixes: Option<String>,
    /// What precedes the name.
    pub name_prefixes: Option<String>,
    /// The sex as the document says it.
    pub sex: Option<Sex>,
    /// The day of birth.
    pub date_of_birth: Option<String>,
    /// The day of issue.
    pub date_of_issue: Option<String>,
    /// The last day of validity.
    pub date_of_expiry: Option<String>,
    /// The address; its lines may be joined by `^`.
    pub address: Option<String>,
    /// The classes of a driving licence, such as `B/C`.
    pub license_class: Option<String>,
    /// More about each class, by its name.
    #[serde(default, deserialize_with = "present")]
    pub license_class_details: BTreeMap<String, LicenseClass>,
}

impl fmt::Debug for DocumentData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentData")
            .field("document_type", &self.document_type)
            .finish_non_exhaustive()
    }
}

open_enum! {
    /// What a document is.
    DocumentType {
        /// A passport.
        Passport = "PP",
        /// A driving licence.
        DrivingLicense = "DL",
        /// A national identity card.
        NationalId = "NID",
    }
}

open_enum! {
    /// The sex as a document says it.
    Sex {
        /// Female.
        Female = "F",
        /// Male.
        Male = "M",
        /// Not specified.
        Unspecified = "X",
    }
}

/// One class of a driving licence. Its `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LicenseClass {
    /// The first day on which it holds.
    pub from: Option<String>,
    /// The last day on which it holds.
    pub to: Option<String>,
    /// Restrictions and the like.
    pub notes: Option<String>,
}

impl fmt::Debug for LicenseClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LicenseClass").finish_non_exhaustive()
    }
}

/// A map where null stands for nothing, as a whole and in each value. An error here does not name the key, which is not ours.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, LicenseClass>, D::Error> {
    let classes = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let classes = classes.into_iter().flatten();
    classes
        .filter(|(_, class)| !class.is_null())
        .map(|(name, class)| {
            let class = LicenseClass::deserialize(class).map_err(D::Error::custom)?;
            Ok((name, class))
        })
        .collect()
}
