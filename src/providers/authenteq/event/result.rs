//! The JSON of the part `result`.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::MapAccessDeserializer,
    },
};
use serde_json::Value;

use crate::{error::PayloadError, json, json::typed::object};

/// The result of a verification. Its `Debug` shows only the id and the status.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerificationResult {
    /// The id of the verification.
    pub id: String,
    /// The outcome, or `None` if the field is null or missing. A missing status alone does not
    /// identify the older format: see [`has_no_status`](Self::has_no_status).
    pub status: Option<Status>,
    /// Where the verification took place.
    pub platform: Option<Platform>,
    /// When the verification began: ISO 8601, in UTC.
    pub start_time: Option<String>,
    /// When the verification ended: ISO 8601, in UTC.
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
    /// The description of the proof of address: in Authenteq's export, an object with `contentType`
    /// and `content`. In a webhook the file itself is a separate part.
    pub address_proof_document: Option<Value>,
    #[serde(skip)]
    stated: Stated,
}

/// Where the part `result` states the outcome of the verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stated {
    /// In `status`, and in no other spelling of that name.
    InStatus,
    /// Nowhere: the older format.
    Nowhere,
    /// Under another name, or ambiguously.
    #[default]
    Otherwise,
}

impl VerificationResult {
    pub(super) fn read(part: &[u8]) -> Result<Self, PayloadError> {
        let read = || {
            let mut result: Self = json::typed::read(part)?;
            result.stated = Stated::find(part, result.status.is_some())?;
            Ok(result)
        };
        read().map_err(|problem: PayloadError| {
            PayloadError::new(format!("in the part `result`: {problem}"))
        })
    }

    /// Whether the person has passed: `status` is [`Passed`](Status::Passed), and no other field
    /// has a name that is a spelling of `status`.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.stated == Stated::InStatus && self.status == Some(Status::Passed)
    }

    /// Whether the part `result` does not state the outcome: there is no `status`, and nothing that
    /// might be one under another name. This is Authenteq's older format. The
    /// [module](mod@crate::providers::authenteq) lists what counts as a status.
    #[must_use]
    pub fn has_no_status(&self) -> bool {
        self.stated == Stated::Nowhere
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

/// The fields that a verification with an undocumented status certainly has; it may have no others.
#[derive(Deserialize)]
pub(super) struct Ended {
    pub(super) id: String,
    status: Status,
    #[serde(rename = "documentData")]
    document_data: Option<IgnoredAny>,
}

impl Ended {
    /// Reads the part, if the status is not documented and there is no document.
    pub(super) fn read(part: &[u8]) -> Option<Self> {
        let ended: Self = json::typed::read(part).ok()?;
        (!ended.status.is_known() && ended.document_data.is_none()).then_some(ended)
    }
}

impl Stated {
    fn find(part: &[u8], has_status: bool) -> Result<Self, PayloadError> {
        if has_status {
            let names = json::typed::names(part)?;
            let spellings = names.iter().filter(|name| letters(name) == "status");
            return Ok(match spellings.count() {
                1 => Self::InStatus,
                _ => Self::Otherwise,
            });
        }
        let search = Search {
            place: Place::Result,
        };
        let part = json::document(part);
        let found = search.deserialize(&mut serde_json::Deserializer::from_slice(part));
        Ok(match found {
            Ok(false) => Self::Nowhere,
            // JSON that cannot be searched, for example because it is nested too deeply, may have
            // one.
            Ok(true) | Err(_) => Self::Otherwise,
        })
    }
}

/// The position of a value in the result, as far as it is documented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Result,
    Document,
    LicenseClasses,
    LicenseClass,
    ProofOfAddress,
    /// The value of a documented field, whose text does not state the outcome.
    Field,
    Undocumented,
}

impl Place {
    /// The place of the field with this name.
    fn field(self, name: &str) -> Self {
        match (self, name) {
            (Self::Result, "id" | "platform" | "startTime" | "endTime" | "nfcVerified") => {
                Self::Field
            }
            (Self::Result, "documentData" | "documentData2" | "documentData3") => Self::Document,
            (Self::Result, "addressProofDocument") => Self::ProofOfAddress,
            (
                Self::Document,
                "documentType"
                | "documentNumber"
                | "issuingCountry"
                | "jurisdiction"
                | "nationality"
                | "surnameAndGivenNames"
                | "surname"
                | "givenNames"
                | "nameSuffixes"
                | "namePrefixes"
                | "sex"
                | "dateOfBirth"
                | "dateOfIssue"
                | "dateOfExpiry"
                | "address"
                | "licenseClass",
            ) => Self::Field,
            (Self::Document, "licenseClassDetails") => Self::LicenseClasses,
            // The names of the classes are not a fixed set.
            (Self::LicenseClasses, _) => Self::LicenseClass,
            (Self::LicenseClass, "from" | "to" | "notes") => Self::Field,
            (Self::ProofOfAddress, "contentType" | "content") => Self::Field,
            _ => Self::Undocumented,
        }
    }
}

/// Searches a value for an undocumented field whose name or text may state the outcome, at every
/// depth and including duplicate fields.
#[derive(Clone, Copy)]
struct Search {
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Search {
    /// Whether there is such a field.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            let place = self.place.field(&name);
            let is_documented = !matches!(place, Place::Undocumented | Place::LicenseClass);
            found |= !is_documented && names_the_end(&name);
            found |= map.next_value_seed(Self { place })?;
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(found_inside) = seq.next_element_seed(self)? {
            found |= found_inside;
        }
        Ok(found)
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        let is_documented = matches!(self.place, Place::Field);
        Ok(!is_documented && is_word_for_the_end(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Whether a text such as `FAILED` or `Not passed: no face` states an outcome. URLs and e-mail
/// addresses do not.
fn is_word_for_the_end(text: &str) -> bool {
    let is_address = text.contains("://") || text.contains('@');
    !is_address && has_word_for_the_end(text)
}

/// Whether a name, in any spelling, suggests an outcome.
pub(super) fn names_the_end(name: &str) -> bool {
    // This covers "state", "stat" and "statut". Texts are exempt, since they may name the United
    // States.
    words(name).iter().any(|word| word.starts_with("stat")) || has_word_for_the_end(name)
}

fn has_word_for_the_end(text: &str) -> bool {
    /// Matched anywhere among the letters.
    const PARTS: &[&str] = &[
        "status",
        "result",
        "outcome",
        "decision",
        "verdict",
        "conclusion",
        "resolution",
        "determination",
        "disposition",
        "evaluation",
        "assessment",
        "judgement",
        "judgment",
        "success",
        "succeed",
        "passed",
        "failed",
        "failure",
        "approv",
        "accept",
        "reject",
        "declin",
        "denied",
        "denial",
        "refus",
        "verif",
        "review",
        "suspect",
        "fraud",
        "invalid",
        "expired",
        "pending",
        "cancel",
    ];
    /// Matched only as whole words, because they are short enough to be parts of other words.
    const WORDS: &[&str] = &[
        "pass", "fail", "fails", "ok", "valid", "error", "errors", "reason", "reasons",
    ];
    let letters = letters(text);
    let is_meant = |word: &String| WORDS.contains(&word.as_str());
    PARTS.iter().any(|part| letters.contains(part)) || words(text).iter().any(is_meant)
}

/// The letters and digits of a name, in lower case.
fn letters(name: &str) -> String {
    let is_letter = |c: &char| c.is_alphanumeric();
    name.chars()
        .filter(is_letter)
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a name, in lower case: those of `endState`, `end_state` and `END-STATE` are equal.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts_word = !c.is_alphabetic() || (c.is_uppercase() && was_lower);
        if starts_word {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

open_enum! {
    /// The outcome of a verification.
    Status {
        /// The person has passed.
        Passed = "PASSED",
    }
}

open_enum! {
    /// Where a verification took place.
    Platform {
        /// In a browser.
        Web = "WEB",
    }
}

/// The data of one document. Dates are `YYYY-MM-DD`, countries are three-letter codes. Its `Debug`
/// shows only the document's type.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DocumentData {
    /// The type of the document.
    pub document_type: DocumentType,
    /// The document number.
    pub document_number: Option<String>,
    /// The country that issued it.
    pub issuing_country: Option<String>,
    /// The part of the country that issued it, such as a state (`UTA`).
    pub jurisdiction: Option<String>,
    /// The person's nationality.
    pub nationality: Option<String>,
    /// The full name.
    pub surname_and_given_names: Option<String>,
    /// The surname.
    pub surname: Option<String>,
    /// The given names.
    pub given_names: Option<String>,
    /// Suffixes of the name, such as `JR`.
    pub name_suffixes: Option<String>,
    /// Prefixes of the name.
    pub name_prefixes: Option<String>,
    /// The sex, as stated on the document.
    pub sex: Option<Sex>,
    /// The date of birth.
    pub date_of_birth: Option<String>,
    /// The date of issue.
    pub date_of_issue: Option<String>,
    /// The date of expiry.
    pub date_of_expiry: Option<String>,
    /// The address; its lines may be joined by `^`.
    pub address: Option<String>,
    /// The classes of a driving licence, such as `B/C`.
    pub license_class: Option<String>,
    /// Details of each class, by the name of the class.
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
    /// The type of a document.
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
    /// The sex, as stated on a document.
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
    /// The first day on which the class is valid.
    pub from: Option<String>,
    /// The last day on which the class is valid.
    pub to: Option<String>,
    /// Notes, such as restrictions.
    pub notes: Option<String>,
}

impl fmt::Debug for LicenseClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LicenseClass").finish_non_exhaustive()
    }
}

/// Reads a map and ignores nulls, both for the whole map and for its values. Errors do not name the
/// key, which comes from the document.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, LicenseClass>, D::Error> {
    struct Present;

    impl<'de> Visitor<'de> for Present {
        type Value = BTreeMap<String, LicenseClass>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        /// Reads all of them first, so that an error is at the map.
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let map = MapAccessDeserializer::new(map);
            let classes = BTreeMap::<String, Value>::deserialize(map)?.into_iter();
            let classes = classes.filter(|(_, class)| !class.is_null());
            classes
                .map(|(name, class)| {
                    let class = LicenseClass::deserialize(class).map_err(de::Error::custom)?;
                    Ok((name, class))
                })
                .collect()
        }
    }

    deserializer.deserialize_any(Present)
}
