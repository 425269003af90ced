//! Anti-money-laundering screening, in its current format, and ongoing monitoring.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    json::typed::read_as,
    providers::idenfy::{event::data::Sex, event::lookup::AmlResult},
};

/// The screening of a person or a company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlCheck {
    /// The id of the screening.
    pub id: Option<String>,
    /// The overall result.
    pub overall_status: Option<AmlStatus>,
    /// Who set the result.
    pub status_set_by: Option<SetBy>,
    /// When the result was set, ISO 8601.
    pub status_set_at: Option<String>,
    /// Adverse media.
    pub adverse_media: Option<Vec<AdverseMedia>>,
    /// Profiles that may be of the person or company.
    pub aml_check: Option<Vec<AmlProfile>>,
}

open_enum! {
    /// The result of a screening.
    AmlStatus {
        /// The screening was not made.
        NotChecked = "NOT_CHECKED",
        /// The screening had no hit.
        NoFlags = "NO_FLAGS",
        /// The hit is about somebody else.
        FalsePositive = "FALSE_POSITIVE",
        /// The hit is about the person or company.
        TruePositive = "TRUE_POSITIVE",
        /// The screening had a hit that has not been decided on.
        FlagsFound = "FLAGS_FOUND",
    }
}

/// Who set a result.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SetBy {
    /// Somebody with an account in your dashboard.
    Manager(Manager),
    /// An undocumented format.
    Other(Value),
}

impl<'de> Deserialize<'de> for SetBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let by = Value::deserialize(deserializer)?;
        let manager = by.get("email").and_then(|_| read_as(&by));
        Ok(manager.map_or(Self::Other(by), Self::Manager))
    }
}

/// Somebody with an account in your dashboard.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Manager {
    /// The id of the account.
    pub id: Option<i64>,
    /// The name of the account. Only in older bodies.
    pub username: Option<String>,
    /// The first name.
    pub name: Option<String>,
    /// The last name.
    pub surname: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// A news report.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AdverseMedia {
    /// The title.
    pub title: Option<String>,
    /// The URL.
    pub url: Option<String>,
    /// The text, or the start of it.
    pub text: Option<String>,
    /// The match score, as text.
    pub score: Option<String>,
    /// The kind of report.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The date of publication.
    pub publish_date: Option<String>,
    /// The decision about the report.
    pub status: Option<String>,
    /// A comment on the report.
    pub comment: Option<Value>,
}

/// A profile that may be of the person or company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlProfile {
    /// The version of the profile. It changes whenever the profile does.
    pub version: Option<i64>,
    /// The id for fetching the complete profile.
    pub resource_id: Option<String>,
    /// The match score, up to 100.
    pub score: Option<f64>,
    /// The name in the profile that matched.
    #[serde(rename = "match")]
    pub matched: Option<String>,
    /// The main name in the profile.
    pub name: Option<String>,
    /// The addresses.
    pub addresses: Option<Vec<ProfileAddress>>,
    /// The nationalities, as two-letter country codes.
    pub nationalities: Option<Vec<String>>,
    /// The countries, as two-letter codes.
    pub countries: Option<Vec<String>>,
    /// The dates of birth: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub dates_of_birth: Option<Vec<String>>,
    /// The sex.
    pub gender: Option<Sex>,
    /// The URL of a picture.
    pub profile_image: Option<String>,
    /// The datasets that contain the profile.
    pub datasets: Option<Vec<Dataset>>,
    /// The ids of the bodies that currently impose sanctions.
    pub current_san_body_ids: Option<Vec<i64>>,
    /// The ids of the bodies that formerly imposed sanctions.
    pub former_san_body_ids: Option<Vec<i64>>,
    /// The tier of a politically exposed person.
    pub pep_tier: Option<PepTier>,
}

/// An address in a profile.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProfileAddress {
    /// The two-letter country code.
    pub geography: Option<String>,
    /// The city.
    pub city: Option<String>,
}

open_enum! {
    /// A dataset that contains a profile.
    Dataset {
        /// A politically exposed person. Deprecated.
        Pep = "PEP",
        /// A person who is currently politically exposed.
        PepCurrent = "PEP_CURRENT",
        /// A person who was formerly politically exposed.
        PepFormer = "PEP_FORMER",
        /// A person linked to a politically exposed person.
        PepLinked = "PEP_LINKED",
        /// Sanctions. Deprecated.
        San = "SAN",
        /// Current sanctions.
        SanCurrent = "SAN_CURRENT",
        /// Former sanctions.
        SanFormer = "SAN_FORMER",
        /// Insolvency.
        Ins = "INS",
        /// A reputational risk.
        Rre = "RRE",
        /// A disqualified director.
        Dd = "DD",
        /// A profile of interest.
        Poi = "POI",
        /// Regulatory enforcement.
        Rel = "REL",
        /// A gambling risk.
        Gri = "GRI",
        /// A state-owned enterprise. Deprecated.
        Soe = "SOE",
        /// A current state-owned enterprise.
        SoeCurrent = "SOE_CURRENT",
        /// A former state-owned enterprise.
        SoeFormer = "SOE_FORMER",
    }
}

open_enum! {
    /// The tier of a politically exposed person.
    PepTier {
        /// Tier 1, the most senior.
        PepTier1 = "PEP_TIER_1",
        /// Tier 2.
        PepTier2 = "PEP_TIER_2",
        /// Tier 3, the most junior.
        PepTier3 = "PEP_TIER_3",
    }
}

/// A new result of the monitoring of a person.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlMonitoring {
    /// The id of the monitoring.
    pub monitoring_id: String,
    /// The first name.
    pub name: Option<String>,
    /// The last name.
    pub surname: Option<String>,
    /// The nationality, as a two-letter country code.
    pub nationality: Option<String>,
    /// The date of birth.
    pub dob: Option<String>,
    /// Whether the monitoring is active.
    pub is_active: Option<bool>,
    /// When the monitoring ends.
    pub expiration: Option<String>,
    /// The `scanRef`s of the identifications of the person.
    pub scan_ref_list: Option<Vec<String>>,
    /// The status of the monitoring, in the older format. Deprecated.
    pub alert_status: Option<AlertStatus>,
    /// The status of the monitoring.
    pub status: Option<MonitoringStatus>,
    /// The result of the check for political exposure.
    pub peps_status: Option<AmlStatus>,
    /// The result of the sanctions check.
    pub sanctions_status: Option<AmlStatus>,
    /// The result of the adverse media check.
    pub adverse_media_status: Option<AmlStatus>,
    /// The lookups, in the older format.
    pub results: Option<Vec<AmlResult>>,
    /// The screening.
    pub aml_check: Option<AmlCheck>,
}

open_enum! {
    /// The status of a monitoring, in the older format.
    AlertStatus {
        /// The monitoring had a hit.
        Alert = "ALERT",
        /// The hit was declined.
        Declined = "DECLINED",
        /// The hit was accepted.
        Accepted = "ACCEPTED",
        /// The monitoring has not run yet.
        Pending = "PENDING",
        /// The status of the monitoring has changed.
        Status = "STATUS",
    }
}

open_enum! {
    /// The status of a monitoring.
    MonitoringStatus {
        /// The monitoring is active.
        Active = "ACTIVE",
        /// The monitoring was stopped.
        Stopped = "STOPPED",
        /// The monitoring has not run yet.
        Pending = "PENDING",
        /// The monitoring had a hit.
        Alert = "ALERT",
    }
}

/// The monitoring of some persons is about to end. The body gives their number, not their identity.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlMonitoringExpiration {
    /// The number of persons whose monitoring will be extended.
    pub users_to_extend: i64,
    /// The number of persons whose monitoring will end.
    pub users_to_expire: i64,
}

shows!(AmlCheck { id, overall_status });
shows!(SetBy: Manager, Other);
shows!(Manager { id });
shows!(AdverseMedia { status });
shows!(AmlProfile {});
shows!(ProfileAddress {});
shows!(AmlMonitoring {
    monitoring_id,
    scan_ref_list,
    status,
    alert_status
});
shows!(AmlMonitoringExpiration {
    users_to_extend,
    users_to_expire
});
