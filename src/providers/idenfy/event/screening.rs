//! Screening against money laundering, in its current form, and the monitoring that repeats it.

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
    /// Its result.
    pub overall_status: Option<AmlStatus>,
    /// Who set the result.
    pub status_set_by: Option<SetBy>,
    /// When the result was set, ISO 8601.
    pub status_set_at: Option<String>,
    /// Reports in the news.
    pub adverse_media: Option<Vec<AdverseMedia>>,
    /// Profiles that may be of the person or company.
    pub aml_check: Option<Vec<AmlProfile>>,
}

open_enum! {
    /// The result of a screening.
    AmlStatus {
        /// It was not made.
        NotChecked = "NOT_CHECKED",
        /// It found nothing.
        NoFlags = "NO_FLAGS",
        /// What it found is about somebody else.
        FalsePositive = "FALSE_POSITIVE",
        /// What it found is right.
        TruePositive = "TRUE_POSITIVE",
        /// It found something that nobody has decided on.
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
    /// A shape that is not documented.
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

/// A report in the news.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AdverseMedia {
    /// The title.
    pub title: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// The text, or its beginning.
    pub text: Option<String>,
    /// How well it matches, as text.
    pub score: Option<String>,
    /// What kind of report it is.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// When it was published.
    pub publish_date: Option<String>,
    /// What was decided about it.
    pub status: Option<String>,
    /// What was noted about it.
    pub comment: Option<Value>,
}

/// A profile that may be of the person or company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlProfile {
    /// The version of the profile: another one means that it has changed.
    pub version: Option<i64>,
    /// The id by which the whole profile can be fetched.
    pub resource_id: Option<String>,
    /// How well it matches, up to 100.
    pub score: Option<f64>,
    /// The name in the profile that matched.
    #[serde(rename = "match")]
    pub matched: Option<String>,
    /// The main name in the profile.
    pub name: Option<String>,
    /// The addresses.
    pub addresses: Option<Vec<ProfileAddress>>,
    /// The nationalities, by their two-letter codes.
    pub nationalities: Option<Vec<String>>,
    /// The countries, by their two-letter codes.
    pub countries: Option<Vec<String>>,
    /// The dates of birth: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
    pub dates_of_birth: Option<Vec<String>>,
    /// The sex.
    pub gender: Option<Sex>,
    /// The address of a picture.
    pub profile_image: Option<String>,
    /// What the profile is about.
    pub datasets: Option<Vec<Dataset>>,
    /// The ids of the bodies that sanction it now.
    pub current_san_body_ids: Option<Vec<i64>>,
    /// The ids of the bodies that sanctioned it once.
    pub former_san_body_ids: Option<Vec<i64>>,
    /// The rank of a politically exposed person.
    pub pep_tier: Option<PepTier>,
}

/// An address in a profile.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProfileAddress {
    /// The country, by its two-letter code.
    pub geography: Option<String>,
    /// The city.
    pub city: Option<String>,
}

open_enum! {
    /// What a profile is about.
    Dataset {
        /// A politically exposed person. Deprecated.
        Pep = "PEP",
        /// A person who is politically exposed now.
        PepCurrent = "PEP_CURRENT",
        /// A person who was politically exposed once.
        PepFormer = "PEP_FORMER",
        /// Somebody close to a politically exposed person.
        PepLinked = "PEP_LINKED",
        /// Sanctions. Deprecated.
        San = "SAN",
        /// Sanctions that are in force.
        SanCurrent = "SAN_CURRENT",
        /// Sanctions that were lifted.
        SanFormer = "SAN_FORMER",
        /// Insolvency.
        Ins = "INS",
        /// A risk to the reputation.
        Rre = "RRE",
        /// A disqualified director.
        Dd = "DD",
        /// A profile of interest.
        Poi = "POI",
        /// Enforcement by a regulator.
        Rel = "REL",
        /// A gambling risk.
        Gri = "GRI",
        /// An enterprise of a state. Deprecated.
        Soe = "SOE",
        /// An enterprise that a state owns now.
        SoeCurrent = "SOE_CURRENT",
        /// An enterprise that a state owned once.
        SoeFormer = "SOE_FORMER",
    }
}

open_enum! {
    /// The rank of a politically exposed person.
    PepTier {
        /// Senior.
        PepTier1 = "PEP_TIER_1",
        /// In the middle.
        PepTier2 = "PEP_TIER_2",
        /// Junior.
        PepTier3 = "PEP_TIER_3",
    }
}

/// The monitoring of a person found, cleared or dropped something.
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
    /// The nationality, by its two-letter code.
    pub nationality: Option<String>,
    /// The date of birth.
    pub dob: Option<String>,
    /// Whether the monitoring runs.
    pub is_active: Option<bool>,
    /// When the monitoring ends.
    pub expiration: Option<String>,
    /// The `scanRef`s of the identifications of the person.
    pub scan_ref_list: Option<Vec<String>>,
    /// How the monitoring stands, in the older form. Deprecated.
    pub alert_status: Option<AlertStatus>,
    /// How the monitoring stands.
    pub status: Option<MonitoringStatus>,
    /// What was found about political exposure.
    pub peps_status: Option<AmlStatus>,
    /// What was found about sanctions.
    pub sanctions_status: Option<AmlStatus>,
    /// What was found in the news.
    pub adverse_media_status: Option<AmlStatus>,
    /// The look-ups, in the older form.
    pub results: Option<Vec<AmlResult>>,
    /// The screening.
    pub aml_check: Option<AmlCheck>,
}

open_enum! {
    /// How a monitoring stands, in the older form.
    AlertStatus {
        /// It found something.
        Alert = "ALERT",
        /// What it found was rejected.
        Declined = "DECLINED",
        /// What it found was accepted.
        Accepted = "ACCEPTED",
        /// It has not run yet.
        Pending = "PENDING",
        /// Its status has changed.
        Status = "STATUS",
    }
}

open_enum! {
    /// How a monitoring stands.
    MonitoringStatus {
        /// It runs.
        Active = "ACTIVE",
        /// It was stopped.
        Stopped = "STOPPED",
        /// It has not run yet.
        Pending = "PENDING",
        /// It found something.
        Alert = "ALERT",
    }
}

/// Monitorings are about to end. The body says how many, and not whose.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AmlMonitoringExpiration {
    /// How many persons' monitorings will be extended.
    pub users_to_extend: i64,
    /// How many persons' monitorings will end.
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
