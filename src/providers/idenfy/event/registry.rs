//! Look-ups in population registers: one shape for each country.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::read_as;

/// A look-up in a population register. Its `resourceType` says which one.
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
    /// A register or a shape that is not documented.
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
    /// Which register was asked.
    RegistryKind {
        /// The register of Hungary.
        HungaryRegistryCenterCheck = "HungaryRegistryCenterCheck",
        /// The register of Lithuania.
        LithuaniaRegistryCenterCheck = "LithuaniaRegistryCenterCheck",
        /// A commercial register of the United States.
        Us15RegistryCenterCheck = "Us15RegistryCenterCheck",
    }
}

/// A look-up in the register of Lithuania.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LithuanianRegistryCheck {
    /// The personal number that was looked up.
    pub checked_personal_number: Option<String>,
    /// The type of document that was looked up, by two letters.
    pub checked_document_type: Option<String>,
    /// The personal number in the register.
    pub personal_number: Option<String>,
    /// The first name in the register.
    pub name: Option<String>,
    /// The last name in the register.
    pub surname: Option<String>,
    /// The number of the document in the register.
    pub document_number: Option<String>,
    /// When the document expires, by the register.
    pub document_expiration: Option<String>,
    /// The address of the portrait in the register; a secret while it lives.
    pub face_photo: Option<String>,
    /// Which register it is.
    pub resource_type: Option<RegistryKind>,
}

/// A look-up in the register of Hungary.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HungarianRegistryCheck {
    /// The machine-readable lines that were looked up.
    pub checked_mrz: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The maiden name.
    pub maiden_name: Option<String>,
    /// The maiden name of the mother.
    pub mothers_maiden_name: Option<String>,
    /// The date of birth.
    pub birth_date: Option<String>,
    /// The place of birth.
    pub birth_place: Option<String>,
    /// The nationality, by its two-letter code.
    pub nationality: Option<String>,
    /// The address.
    pub address: Option<Value>,
    /// The address of residence.
    pub residential_address: Option<Value>,
    /// The identity card.
    pub id_card: Option<Value>,
    /// The passport.
    pub passport: Option<Value>,
    /// Anything else.
    pub additional_data: Option<Value>,
    /// Which register it is.
    pub resource_type: Option<RegistryKind>,
}

/// A look-up in a commercial register of the United States: what was looked up, and how each part compares.
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
    /// The state, by its two-letter code.
    pub state: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// The social security number, or a part of it.
    pub id_num: Option<String>,
    /// The telephone number.
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
    /// How the telephone number compares.
    pub phone_status: Option<RegistryMatch>,
    /// How the e-mail address compares.
    pub email_status: Option<RegistryMatch>,
    /// Which register it is.
    pub resource_type: Option<RegistryKind>,
}

open_enum! {
    /// How a value compares with that in a register.
    RegistryMatch {
        /// It is the same.
        Match = "MATCH",
        /// It is another.
        NoMatch = "NO_MATCH",
        /// It is the same in part.
        PartialMatch = "PARTIAL_MATCH",
        /// The register has none.
        NoData = "NO_DATA",
        /// There is none to compare.
        NoInput = "NO_INPUT",
        /// It cannot be one.
        Invalid = "INVALID",
    }
}

shows!(RegistryCheck: Hungary, Lithuania, UnitedStates, Other);
shows!(LithuanianRegistryCheck { resource_type });
shows!(HungarianRegistryCheck { resource_type });
shows!(UsRegistryCheck { resource_type });
