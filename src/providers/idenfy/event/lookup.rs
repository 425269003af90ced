//! Look-ups in outside services, as lists of results: money laundering (the older form), lost documents, criminal records.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::read_as;

/// How a look-up in a service went.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FraudStatus {
    /// Whether the service found something.
    pub service_suspected: Option<bool>,
    /// Whether the service was asked.
    pub service_used: Option<bool>,
    /// Whether the service could be reached.
    pub service_found: Option<bool>,
    /// Whether the look-up worked.
    pub check_successful: Option<bool>,
    /// The result.
    pub overall_status: Option<Suspicion>,
}

open_enum! {
    /// The result of a look-up.
    Suspicion {
        /// It found something.
        Suspected = "SUSPECTED",
        /// It found nothing.
        NotSuspected = "NOT_SUSPECTED",
    }
}

/// A look-up in lists against money laundering, or in the news. The older form of
/// [`AmlCheck`](super::AmlCheck).
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlResult {
    /// How the look-up went.
    pub status: Option<FraudStatus>,
    /// The name of the service, such as `AML_NAMES_CHECK`.
    pub service_name: Option<String>,
    /// The group of the service, `AML`.
    pub service_group_type: Option<String>,
    /// The id of the look-up.
    pub uid: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
    /// What was found.
    pub data: Option<Vec<AmlEntry>>,
}

/// An entry that a look-up found. Its fields decide which it is, since the services have had several names.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AmlEntry {
    /// An entry of a list.
    Hit(Box<AmlHit>),
    /// An article: it has a title, a text, an address or a date of publication, and no list.
    News(Box<NewsHit>),
    /// An entry of a shape that is not documented.
    Other(Value),
}

impl<'de> Deserialize<'de> for AmlEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(deserializer)?;
        let has = |field: &&str| entry.get(field).is_some();
        let is_news = ["title", "text", "url", "publishDate", "type"]
            .iter()
            .any(has)
            && !has(&"listName");
        let read = if is_news {
            read_as(&entry).map(Self::News)
        } else {
            read_as(&entry).map(Self::Hit)
        };
        Ok(read.unwrap_or(Self::Other(entry)))
    }
}

/// An entry of a list that may be about the person or company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlHit {
    /// The first name, or the name of the company.
    pub name: Option<String>,
    /// The last name.
    pub surname: Option<String>,
    /// The nationality.
    pub nationality: Option<String>,
    /// The date of birth.
    pub dob: Option<String>,
    /// What kind of list it is.
    pub suspicion: Option<SuspicionType>,
    /// Why the entry stands there.
    pub reason: Option<String>,
    /// The number of the list.
    pub list_number: Option<String>,
    /// The name of the list.
    pub list_name: Option<String>,
    /// How well the entry matches, up to 100.
    pub score: Option<f64>,
    /// When the entry was last changed.
    pub last_update: Option<String>,
    /// When a political function ended.
    pub exit_date: Option<String>,
    /// Whether the entry is about a person, and not a company.
    pub is_person: Option<bool>,
    /// Whether the entry is in force.
    pub is_active: Option<bool>,
    /// The address of a document about the entry.
    pub linked_document: Option<String>,
    /// The rank of a politically exposed person.
    pub pep_level: Option<i64>,
    /// The category of the entry.
    pub category: Option<String>,
    /// Anything else.
    pub other_information: Option<String>,
    /// When the look-up was made.
    pub check_date: Option<String>,
    /// Whether you have declared the entry harmless.
    pub whitelisted: Option<bool>,
}

/// An article that may be about the person or company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewsHit {
    /// The title.
    pub title: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// The text, or its beginning.
    pub text: Option<String>,
    /// How well it matches, as text.
    pub score: Option<String>,
    /// What kind of article it is.
    #[serde(rename = "type")]
    pub kind: Option<ArticleType>,
    /// When the look-up was made.
    pub check_date: Option<String>,
    /// When it was published.
    pub publish_date: Option<String>,
}

open_enum! {
    /// What kind of list an entry stands on.
    SuspicionType {
        /// Sanctions.
        Sanction = "SANCTION",
        /// Wanted persons of Interpol.
        Interpol = "INTERPOL",
        /// Politically exposed persons.
        Peps = "PEPS",
        /// Reports in the news.
        AdverseMedia = "ADVERSE_MEDIA",
        /// Any other.
        OtherList = "OTHER",
    }
}

open_enum! {
    /// What kind of article it is.
    ArticleType {
        /// It speaks against its subject.
        Negative = "NEGATIVE",
    }
}

/// A look-up in lists of lost, stolen and invalid documents.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LidResult {
    /// How the look-up went.
    pub status: Option<FraudStatus>,
    /// What was found.
    pub data: Option<Vec<LidHit>>,
    /// The name of the service, such as `IrdInvalidPapers`.
    pub service_name: Option<String>,
    /// The group of the service, `LID`.
    pub service_group_type: Option<String>,
    /// The id of the look-up.
    pub uid: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
}

/// A document as it stands in such a list.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LidHit {
    /// The number of the document.
    pub document_number: Option<String>,
    /// The type of the document.
    pub document_type: Option<String>,
    /// Whether the document is valid.
    pub valid: Option<bool>,
    /// When it expires.
    pub expiry_date: Option<String>,
    /// When the look-up was made.
    pub check_date: Option<String>,
}

/// A look-up in criminal records.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CriminalResult {
    /// How the look-up went.
    pub status: Option<FraudStatus>,
    /// What was found.
    pub data: Option<Vec<CriminalHit>>,
    /// The name of the service.
    pub service_name: Option<String>,
    /// The group of the service, `CRIMINAL_CHECK`.
    pub service_group_type: Option<String>,
    /// The id of the look-up.
    pub uid: Option<String>,
    /// What went wrong.
    pub error_message: Option<String>,
}

/// A person as they stand in criminal records.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CriminalHit {
    /// What the person is recorded for.
    pub offenses: Option<Vec<Offense>>,
    /// The full name.
    pub full_name: Option<String>,
    /// The county of the record.
    pub county: Option<String>,
    /// The state of the record, by its two-letter code.
    pub region: Option<String>,
}

/// An offence in a criminal record.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Offense {
    /// Its name.
    pub offense: Option<String>,
    /// Its class.
    pub offense_class: Option<String>,
    /// What it was.
    pub offense_description: Option<String>,
    /// How grave it is.
    pub offense_level: Option<String>,
    /// When the sentence was passed.
    pub sentence_date: Option<String>,
    /// The court.
    pub court_name: Option<String>,
    /// The number of the case.
    pub court_case_number: Option<String>,
    /// When the person was released.
    pub release_date: Option<String>,
}

shows!(FraudStatus { overall_status });
shows!(AmlResult { status, uid });
shows!(AmlEntry: Hit, News, Other);
shows!(AmlHit {});
shows!(NewsHit {});
shows!(LidResult { status, uid });
shows!(LidHit {});
shows!(CriminalResult { status, uid });
shows!(CriminalHit {});
shows!(Offense {});
