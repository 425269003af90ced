//! Results of lookups in external services: money laundering (the older format), lost documents,
//! criminal records.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::read_as;

/// The status of a lookup in a service.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FraudStatus {
    /// Whether the service had a hit.
    pub service_suspected: Option<bool>,
    /// Whether the service was queried.
    pub service_used: Option<bool>,
    /// Whether the service could be reached.
    pub service_found: Option<bool>,
    /// Whether the lookup succeeded.
    pub check_successful: Option<bool>,
    /// The result.
    pub overall_status: Option<Suspicion>,
}

open_enum! {
    /// The result of a lookup.
    Suspicion {
        /// The lookup had a hit.
        Suspected = "SUSPECTED",
        /// The lookup had no hit.
        NotSuspected = "NOT_SUSPECTED",
    }
}

/// A lookup in anti-money-laundering lists or in the news: the older format of
/// [`AmlCheck`](super::AmlCheck).
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlResult {
    /// The status of the lookup.
    pub status: Option<FraudStatus>,
    /// The name of the service, such as `AML_NAMES_CHECK`.
    pub service_name: Option<String>,
    /// The group of the service, `AML`.
    pub service_group_type: Option<String>,
    /// The id of the lookup.
    pub uid: Option<String>,
    /// The error message, if the lookup failed.
    pub error_message: Option<String>,
    /// The hits.
    pub data: Option<Vec<AmlEntry>>,
}

/// A hit of a lookup. Its fields determine the variant, because the names of the services have
/// changed.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AmlEntry {
    /// An entry in a list.
    Hit(Box<AmlHit>),
    /// An article: it has a title, a text, a URL, a type or a date of publication, and no list.
    News(Box<NewsHit>),
    /// An entry in an undocumented format.
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

/// An entry in a list that may be about the person or company.
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
    /// The kind of list.
    pub suspicion: Option<SuspicionType>,
    /// Why the entry is in the list.
    pub reason: Option<String>,
    /// The number of the list.
    pub list_number: Option<String>,
    /// The name of the list.
    pub list_name: Option<String>,
    /// The match score of the entry, up to 100.
    pub score: Option<f64>,
    /// When the entry was last changed.
    pub last_update: Option<String>,
    /// When the person left political office.
    pub exit_date: Option<String>,
    /// Whether the entry is about a person rather than a company.
    pub is_person: Option<bool>,
    /// Whether the entry is in force.
    pub is_active: Option<bool>,
    /// The URL of a document about the entry.
    pub linked_document: Option<String>,
    /// The level of a politically exposed person.
    pub pep_level: Option<i64>,
    /// The category of the entry.
    pub category: Option<String>,
    /// Other information.
    pub other_information: Option<String>,
    /// When the lookup was made.
    pub check_date: Option<String>,
    /// Whether you have whitelisted the entry.
    pub whitelisted: Option<bool>,
}

/// An article that may be about the person or company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewsHit {
    /// The title.
    pub title: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// The text, or the start of it.
    pub text: Option<String>,
    /// The match score, as text.
    pub score: Option<String>,
    /// The kind of article.
    #[serde(rename = "type")]
    pub kind: Option<ArticleType>,
    /// When the lookup was made.
    pub check_date: Option<String>,
    /// The date of publication.
    pub publish_date: Option<String>,
}

open_enum! {
    /// The kind of list that contains an entry.
    SuspicionType {
        /// Sanctions.
        Sanction = "SANCTION",
        /// Persons wanted by Interpol.
        Interpol = "INTERPOL",
        /// Politically exposed persons.
        Peps = "PEPS",
        /// Adverse media.
        AdverseMedia = "ADVERSE_MEDIA",
        /// Any other list.
        OtherList = "OTHER",
    }
}

open_enum! {
    /// The kind of article.
    ArticleType {
        /// The article is negative.
        Negative = "NEGATIVE",
    }
}

/// A lookup in lists of lost, stolen and invalid documents.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LidResult {
    /// The status of the lookup.
    pub status: Option<FraudStatus>,
    /// The hits.
    pub data: Option<Vec<LidHit>>,
    /// The name of the service, such as `IrdInvalidPapers`.
    pub service_name: Option<String>,
    /// The group of the service, `LID`.
    pub service_group_type: Option<String>,
    /// The id of the lookup.
    pub uid: Option<String>,
    /// The error message, if the lookup failed.
    pub error_message: Option<String>,
}

/// An entry in a list of lost, stolen or invalid documents.
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
    /// The expiry date of the document.
    pub expiry_date: Option<String>,
    /// When the lookup was made.
    pub check_date: Option<String>,
}

/// A lookup in criminal records.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CriminalResult {
    /// The status of the lookup.
    pub status: Option<FraudStatus>,
    /// The hits.
    pub data: Option<Vec<CriminalHit>>,
    /// The name of the service.
    pub service_name: Option<String>,
    /// The group of the service, `CRIMINAL_CHECK`.
    pub service_group_type: Option<String>,
    /// The id of the lookup.
    pub uid: Option<String>,
    /// The error message, if the lookup failed.
    pub error_message: Option<String>,
}

/// A person's entry in criminal records.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CriminalHit {
    /// The recorded offences.
    pub offenses: Option<Vec<Offense>>,
    /// The full name.
    pub full_name: Option<String>,
    /// The county of the record.
    pub county: Option<String>,
    /// The two-letter code of the state of the record.
    pub region: Option<String>,
}

/// An offence in a criminal record.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Offense {
    /// The name of the offence.
    pub offense: Option<String>,
    /// The class of the offence.
    pub offense_class: Option<String>,
    /// The description of the offence.
    pub offense_description: Option<String>,
    /// The severity of the offence.
    pub offense_level: Option<String>,
    /// The date of sentencing.
    pub sentence_date: Option<String>,
    /// The court.
    pub court_name: Option<String>,
    /// The case number.
    pub court_case_number: Option<String>,
    /// The date of release.
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
