//! Data read from the document, and facts about the person from the session.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Data read from the document. All of it is personal data. Dates are text in the vendor's format,
/// mostly `YYYY-MM-DD`. Fields that begin with `org` keep the spelling and script of the document.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Data {
    /// The first name.
    pub doc_first_name: Option<String>,
    /// The last name.
    pub doc_last_name: Option<String>,
    /// The number of the document.
    pub doc_number: Option<String>,
    /// The personal code.
    pub doc_personal_code: Option<String>,
    /// The expiry date of the document.
    pub doc_expiry: Option<String>,
    /// The date of birth.
    pub doc_dob: Option<String>,
    /// The date of issue of the document.
    pub doc_date_of_issue: Option<String>,
    /// The type of the document.
    pub doc_type: Option<DocType>,
    /// The sex.
    pub doc_sex: Option<Sex>,
    /// The nationality, as a two-letter country code.
    pub doc_nationality: Option<String>,
    /// The two-letter code of the country that issued the document.
    pub doc_issuing_country: Option<String>,
    /// The place of birth.
    pub birth_place: Option<String>,
    /// The authority that issued the document.
    pub authority: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// The temporary address.
    pub doc_temporary_address: Option<String>,
    /// The mother's maiden name.
    pub mothers_maiden_name: Option<String>,
    /// The name at birth.
    pub doc_birth_name: Option<String>,
    /// The patronymic.
    pub doc_patronymic: Option<String>,
    /// The categories of a driving licence.
    pub driver_license_category: Option<String>,
    /// Whether a human corrected the data that were read automatically.
    pub manually_data_changed: Option<bool>,
    /// The full name.
    pub full_name: Option<String>,
    /// The two-letter code of the country that was chosen in the session.
    pub selected_country: Option<String>,
    /// The first name, as on the document.
    pub org_first_name: Option<String>,
    /// The last name, as on the document.
    pub org_last_name: Option<String>,
    /// The nationality, as on the document.
    pub org_nationality: Option<String>,
    /// The place of birth, as on the document.
    pub org_birth_place: Option<String>,
    /// The issuing authority, as on the document.
    pub org_authority: Option<String>,
    /// The address, as on the document.
    pub org_address: Option<String>,
    /// The temporary address, as on the document.
    pub org_temporary_address: Option<String>,
    /// The mother's maiden name, as on the document.
    pub org_mothers_maiden_name: Option<String>,
    /// The patronymic, as on the document.
    pub org_patronymic: Option<String>,
    /// The name at birth, as on the document.
    pub org_birth_name: Option<String>,
    /// The estimated age of the face.
    pub age_estimate: Option<AgeGroup>,
    /// The likelihood that the IP address belongs to a proxy.
    pub client_ip_proxy_risk_level: Option<RiskLevel>,
    /// The `scanRef`s of identifications with the same face.
    pub duplicate_faces: Option<Vec<String>>,
    /// The `scanRef`s of identifications with the same document portrait.
    pub duplicate_doc_faces: Option<Vec<String>>,
    /// The data read in additional steps, by step and field. The format is not documented.
    pub additional_data: Option<Value>,
    /// The older location of
    /// [`Identification::manual_address`](super::Identification::manual_address).
    pub manual_address: Option<String>,
    /// The older location of
    /// [`Identification::manual_address_match`](super::Identification::manual_address_match).
    pub manual_address_match: Option<bool>,
    /// The older location of
    /// [`Identification::registry_center_check`](super::Identification::registry_center_check), in
    /// an undocumented format.
    pub registry_center_check: Option<Value>,
    /// The older location of
    /// [`Identification::address_verification`](super::Identification::address_verification), in an
    /// undocumented format.
    pub address_verification: Option<Value>,
}

shows!(Data {});

open_enum! {
    /// The type of a document, or the electronic identity that was used instead of one.
    DocType {
        /// An identity card.
        IdCard = "ID_CARD",
        /// A passport.
        Passport = "PASSPORT",
        /// A residence permit.
        ResidencePermit = "RESIDENCE_PERMIT",
        /// A driving licence.
        DriverLicense = "DRIVER_LICENSE",
        /// A PAN card (India).
        PanCard = "PAN_CARD",
        /// An Aadhaar card (India).
        Aadhaar = "AADHAAR",
        /// A visa.
        Visa = "VISA",
        /// A national passport.
        NationalPassport = "NATIONAL_PASSPORT",
        /// An international passport. An older value.
        InternationalPassport = "INTERNATIONAL_PASSPORT",
        /// A provisional driving licence.
        ProvisionalDriverLicense = "PROVISIONAL_DRIVER_LICENSE",
        /// An identity card of an older model.
        OldIdCard = "OLD_ID_CARD",
        /// A military card.
        MilitaryCard = "MILITARY_CARD",
        /// An address card.
        AddressCard = "ADDRESS_CARD",
        /// Smart-ID (Baltic states).
        SmartId = "SMART_ID",
        /// CLEAR (United States).
        Clear = "CLEAR",
        /// OneID (United Kingdom).
        OneId = "ONE_ID",
        /// BankID (Sweden).
        BankIdSe = "BANK_ID_SE",
        /// BankID (Norway).
        BankIdNo = "BANK_ID_NO",
        /// Bank iD (Czechia).
        BankIdCz = "BANK_ID_CZ",
        /// The Finnish Trust Network.
        Ftn = "FTN",
        /// MitID (Denmark).
        MitId = "MIT_ID",
        /// Verimi (Germany).
        Verimi = "VERIMI",
        /// LA Wallet (Louisiana).
        LaWallet = "LA_WALLET",
        /// Samsung Wallet.
        SamsungWallet = "SAMSUNG_WALLET",
        /// MojeID (Czechia).
        MojeIdCz = "MOJE_ID_CZ",
        /// Yoti.
        YotiId = "YOTI_ID",
        /// Any other document.
        OtherDocument = "OTHER",
        /// A border crossing card.
        BorderCrossing = "BORDER_CROSSING",
        /// A document of an asylum seeker.
        Asylum = "ASYLUM",
        /// A photo card.
        PhotoCard = "PHOTO_CARD",
        /// A proof of age card.
        ProofOfAgeCard = "PROOF_OF_AGE_CARD",
        /// A travel document.
        TravelCard = "TRAVEL_CARD",
        /// A social security card.
        SocialSecurityCard = "SOCIAL_SECURITY_CARD",
        /// A voter card.
        VoterCard = "VOTER_CARD",
        /// A diplomatic identity card.
        DiplomaticId = "DIPLOMATIC_ID",
        /// A work permit.
        WorkPermit = "WORK_PERMIT",
    }
}

open_enum! {
    /// The sex of a person.
    Sex {
        /// Male.
        Male = "MALE",
        /// Female.
        Female = "FEMALE",
        /// Neither, or not stated on the document.
        Undefined = "UNDEFINED",
    }
}

open_enum! {
    /// The estimated age of a face.
    AgeGroup {
        /// Under 8 years.
        Under8 = "UNDER_8",
        /// 8 years or more.
        Over8 = "OVER_8",
        /// Under 13 years.
        Under13 = "UNDER_13",
        /// 13 years or more.
        Over13 = "OVER_13",
        /// 16 years or more.
        Over16 = "OVER_16",
        /// 18 years or more.
        Over18 = "OVER_18",
        /// 21 years or more.
        Over21 = "OVER_21",
        /// 22 years or more.
        Over22 = "OVER_22",
        /// 25 years or more.
        Over25 = "OVER_25",
        /// 30 years or more.
        Over30 = "OVER_30",
    }
}

open_enum! {
    /// A level of risk.
    RiskLevel {
        /// Very low.
        VeryLow = "VERY_LOW",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Very high.
        VeryHigh = "VERY_HIGH",
        /// Not checked.
        NotChecked = "NOT_CHECKED",
    }
}
