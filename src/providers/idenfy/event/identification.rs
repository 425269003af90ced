//! The identification of a person: the body of every `IDENTIFICATION…` event.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::object;
use crate::providers::idenfy::{
    event::status::Status,
    event::{
        bank::{BankCard, BankVerification},
        checks::{
            AddressVerification, DriverLicenseCheck, EmailVerification, PhoneVerification,
            Questionnaire, RiskAssessment,
        },
        data::Data,
        lookup::{AmlResult, CriminalResult, LidResult},
        registry::RegistryCheck,
        screening::AmlCheck,
    },
};

/// The identification of a person, in one of its states. Several events share the `scan_ref`: a preliminary
/// result, the final one, and those after a resubmission.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identification {
    /// Whether no other result follows. A preliminary approval can still be withdrawn.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// What the person used.
    pub platform: Option<Platform>,
    /// How it went.
    #[serde(deserialize_with = "object")]
    pub status: Status,
    /// What was read off the document.
    pub data: Option<Data>,
    /// The addresses of photos and videos, by `FRONT`, `BACK`, `FACE`, `FRONT_VIDEO` and so on, and by
    /// additional step. They open without a password until they expire: treat them as secrets. What is not text
    /// is left out.
    #[serde(default, deserialize_with = "links")]
    pub file_urls: Option<BTreeMap<String, String>>,
    /// The addresses of documents of additional steps, by step; secrets too.
    #[serde(default, deserialize_with = "links")]
    pub additional_step_pdf_urls: Option<BTreeMap<String, String>>,
    /// Look-ups against money laundering, in the older form.
    #[serde(rename = "AML", alias = "aml")]
    pub aml: Option<Vec<AmlResult>>,
    /// The screening against money laundering.
    pub aml_check: Option<AmlCheck>,
    /// Look-ups in lists of lost, stolen and invalid documents.
    #[serde(rename = "LID", alias = "lid")]
    pub lid: Option<Vec<LidResult>>,
    /// Look-ups in criminal records.
    #[serde(rename = "CRIMINAL_CHECK")]
    pub criminal_check: Option<Vec<CriminalResult>>,
    /// iDenfy's id of the identification.
    pub scan_ref: String,
    /// Any value that you gave when you made the session.
    pub external_ref: Option<String>,
    /// Your own id of the person.
    pub client_id: Option<String>,
    /// The id of the company that the person belongs to; empty or `None` where there is none.
    pub company_id: Option<String>,
    /// The id of the beneficiary that the person is; empty or `None` where there is none.
    pub beneficiary_id: Option<String>,
    /// When the person began, in unix seconds.
    pub start_time: Option<i64>,
    /// When the machine came to its decision, in unix seconds.
    pub finish_time: Option<i64>,
    /// The network address of the person.
    pub client_ip: Option<String>,
    /// The country of the network address, by its two-letter code.
    pub client_ip_country: Option<String>,
    /// The place of the network address.
    pub client_location: Option<String>,
    /// Whether the Global Data Consortium (GDC) knows the person.
    pub gdc_match: Option<bool>,
    /// The address that the person typed.
    pub manual_address: Option<String>,
    /// Whether the typed address is the one of the document.
    pub manual_address_match: Option<bool>,
    /// A look-up in a population register.
    pub registry_center_check: Option<RegistryCheck>,
    /// The check of the address.
    pub address_verification: Option<AddressVerification>,
    /// What the person answered in your questionnaire.
    pub questionnaire_answers: Option<Questionnaire>,
    /// How great a risk the person is.
    pub risk_assessment: Option<RiskAssessment>,
    /// The accounts of the person.
    pub bank_verification: Option<BankVerification>,
    /// The check of the e-mail address.
    pub email_verification: Option<EmailVerification>,
    /// The check of the telephone number.
    pub phone_verification: Option<PhoneVerification>,
    /// A look-up in a driving licence register.
    pub driver_license_check: Option<DriverLicenseCheck>,
    /// The check of a bank card.
    pub bank_card_verification: Option<BankCard>,
    /// The additional steps and what each was for.
    #[serde(default, deserialize_with = "steps")]
    pub additional_steps: Option<BTreeMap<String, Option<StepKind>>>,
}

shows!(Identification {
    scan_ref,
    external_ref,
    client_id,
    company_id,
    beneficiary_id,
    is_final,
    status
});

open_enum! {
    /// What a person went through an identification with.
    Platform {
        /// A computer.
        Pc = "PC",
        /// The browser of a telephone.
        Mobile = "MOBILE",
        /// A tablet.
        Tablet = "TABLET",
        /// iDenfy's app.
        MobileApp = "MOBILE_APP",
        /// An app of yours.
        MobileSdk = "MOBILE_SDK",
        /// Anything else.
        OtherDevice = "OTHER",
    }
}

open_enum! {
    /// What an additional step was for.
    StepKind {
        /// To have a file.
        Upload = "UPLOAD",
        /// To compare a file with what is known.
        Compare = "COMPARE",
        /// To read data off a file.
        Extract = "EXTRACT",
    }
}

/// The addresses that are text; the vendor does not promise that all are.
fn links<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let links = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let text = |(name, link)| match link {
        Value::String(link) => Some((name, link)),
        _ => None,
    };
    Ok(links.map(|links| links.into_iter().filter_map(text).collect()))
}

/// The steps, and what they were for where that is text.
fn steps<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Option<StepKind>>>, D::Error> {
    let steps = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let kind = |(name, kind)| match kind {
        Value::String(kind) => (name, Some(kind.into())),
        _ => (name, None),
    };
    Ok(steps.map(|steps| steps.into_iter().map(kind).collect()))
}
