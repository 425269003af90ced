//! Lookups in population registers, with one format per country.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::read_as;

/// A lookup in a population register. Its `resourceType` determines the variant.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum RegistryCheck {
    /// The register of Hungary.
    Hungary(Box<HungarianRegistryCheck>),
    /// The register of Lithuania.
    Lithuania(Box<LithuanianRegistryCheck>),
    /// A commercial register of the United States.
    UnitedStates(Box<UsRegistryCheck>),
    /// An undocumented register or format.
    Other(Value),
}

impl<'de> Deserialize<'de> for RegistryCheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let check = Value::deserialize(deserializer)?;
        let kind = check.get("resourceType").and_then(Value::as_str);
        let read = match kind.map(|kind| RegistryKind::from(kind.to_owned())) {
            Some(RegistryKind::HungaryRegistryCenterCheck) => read_as(&check).map(Self::Hungary),
            Some(RegistryKind::LithuaniaRegistryCenterCheck) => {
                read_as(&check).map(Self::Lithuania)
            }
            Some(RegistryKind::Us15RegistryCenterCheck) => read_as(&check).map(Self::UnitedStates),
            _ => None,
        };
        Ok(read.unwrap_or(Self::Other(check)))
    }
}

open_enum! {
    /// The register that was queried.
    RegistryKind {
        /// The register of Hungary.
        HungaryRegistryCenterCheck = "HungaryRegistryCenterCheck",
        /// The register of Lithuania.
        LithuaniaRegistryCenterCheck = "LithuaniaRegistryCenterCheck",
        /// A commercial register of the United States.
        Us15RegistryCenterCheck = "Us15RegistryCenterCheck",
    }
}

/// A lookup in the register of Lithuania.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LithuanianRegistryCheck {
    /// The personal number that was looked up.
    pub checked_personal_number: Option<String>,
    /// The type of document that was looked up, as two letters.
    pub checked_document_type: Option<String>,
    /// The personal number in the register.
    pub personal_number: Option<String>,
    /// The first name in the register.
    pub name: Option<String>,
    /// The last name in the register.
    pub surname: Option<String>,
    /// The document number in the register.
    pub document_number: Option<String>,
    /// The expiry date of the document in the register.
    pub document_expiration: Option<String>,
    /// The link to the portrait in the register: treat it as a secret until it expires.
    pub face_photo: Option<String>,
    /// The register that was queried.
    pub resource_type: Option<RegistryKind>,
}

/// A lookup in the register of Hungary.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HungarianRegistryCheck {
    /// The machine-readable zone (MRZ) that was looked up.
    pub checked_mrz: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The maiden name.
    pub maiden_name: Option<String>,
    /// The mother's maiden name.
    pub mothers_maiden_name: Option<String>,
    /// The date of birth.
    pub birth_date: Option<String>,
    /// The place of birth.
    pub birth_place: Option<String>,
    /// The nationality, as a two-letter country code.
    pub nationality: Option<String>,
    /// The address.
    pub address: Option<Value>,
    /// The address of residence.
    pub residential_address: Option<Value>,
    /// The identity card.
    pub id_card: Option<Value>,
    /// The passport.
    pub passport: Option<Value>,
    /// Additional data.
    pub additional_data: Option<Value>,
    /// The register that was queried.
    pub resource_type: Option<RegistryKind>,
}

/// A lookup in a commercial register of the United States: the values that were looked up, and how
/// each of them compares with the register.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UsRegistryCheck {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The middle name.
    pub middle_name: Option<String>,
    /// The date of birth.
    pub dob: Option<String>,
    /// The year of birth.
    pub yob: Option<i64>,
    /// The first line of the address.
    pub address1: Option<String>,
    /// The second line of the address.
    pub address2: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The two-letter state code.
    pub state: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// The social security number, or part of it.
    pub id_num: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// How the first name compares.
    pub first_name_status: Option<RegistryMatch>,
    /// How the last name compares.
    pub last_name_status: Option<RegistryMatch>,
    /// How the middle name compares.
    pub middle_name_status: Option<RegistryMatch>,
    /// How the date of birth compares.
    pub dob_status: Option<RegistryMatch>,
    /// How the year of birth compares.
    pub yob_status: Option<RegistryMatch>,
    /// How the first line of the address compares.
    pub address1_status: Option<RegistryMatch>,
    /// How the second line of the address compares.
    pub address2_status: Option<RegistryMatch>,
    /// How the city compares.
    pub city_status: Option<RegistryMatch>,
    /// How the state compares.
    pub state_status: Option<RegistryMatch>,
    /// How the postal code compares.
    pub zip_status: Option<RegistryMatch>,
    /// How the social security number compares.
    pub id_num_status: Option<RegistryMatch>,
    /// How the phone number compares.
    pub phone_status: Option<RegistryMatch>,
    /// How the e-mail address compares.
    pub email_status: Option<RegistryMatch>,
    /// The register that was queried.
    pub resource_type: Option<RegistryKind>,
}

open_enum! {
    /// How a value compares with the one in the register.
    RegistryMatch {
        /// The values match.
        Match = "MATCH",
        /// The values differ.
        NoMatch = "NO_MATCH",
        /// The values match in part.
        PartialMatch = "PARTIAL_MATCH",
        /// The register has no value.
        NoData = "NO_DATA",
        /// There was no value to look up.
        NoInput = "NO_INPUT",
        /// The value is invalid.
        Invalid = "INVALID",
    }
}

shows!(RegistryCheck: Hungary, Lithuania, UnitedStates, Other);
shows!(LithuanianRegistryCheck { resource_type });
shows!(HungarianRegistryCheck { resource_type });
shows!(UsRegistryCheck { resource_type });
