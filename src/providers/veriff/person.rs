//! The person and the document of a verification.

use serde_json::Value;

records! {
    /// What the document says of the person. Its `Debug` shows nothing.
    #[serde(rename_all = "camelCase")]
    Person shows [] {
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
        /// The date of birth, as `1988-07-14`.
        date_of_birth: Option<String>,
        /// The year of birth.
        year_of_birth: Option<String>,
        /// The gender, as `F` or `M`.
        gender: Option<String>,
        /// The nationality, by two letters.
        nationality: Option<String>,
        /// The citizenship.
        citizenship: Option<String>,
        /// The national identification number.
        id_number: Option<String>,
        /// The place of birth.
        place_of_birth: Option<String>,
        /// Whether a list of politically exposed or sanctioned persons matched.
        pep_sanction_match: Option<Value>,
        /// The addresses.
        addresses: Option<Vec<Address>>,
    }

    /// An address. Its `Debug` shows nothing.
    #[serde(rename_all = "camelCase")]
    Address shows [] {
        /// The address in one text.
        full_address: Option<String>,
        /// The address in its parts.
        parsed_address: Option<ParsedAddress>,
    }

    /// An address in its parts. Its `Debug` shows nothing.
    #[serde(rename_all = "camelCase")]
    ParsedAddress shows [] {
        /// The city.
        city: Option<String>,
        /// The flat.
        unit: Option<String>,
        /// The state.
        state: Option<String>,
        /// The street.
        street: Option<String>,
        /// The country.
        country: Option<String>,
        /// The postcode.
        postcode: Option<String>,
        /// The number of the house.
        house_number: Option<String>,
    }

    /// The document. Its `Debug` shows the type and the country.
    #[serde(rename_all = "camelCase")]
    Document shows [document_type, country] {
        /// The type, such as `PASSPORT` or `ID_CARD`.
        #[serde(rename = "type")]
        document_type: Option<String>,
        /// The number.
        number: Option<String>,
        /// The country, by two letters.
        country: Option<String>,
        /// The state.
        state: Option<String>,
        /// The day from which it is valid.
        valid_from: Option<String>,
        /// The day until which it is valid.
        valid_until: Option<String>,
        /// Where it was issued.
        place_of_issue: Option<String>,
        /// The day of its first issue.
        first_issue: Option<String>,
        /// The number of its issue.
        issue_number: Option<String>,
        /// Who issued it.
        issued_by: Option<String>,
        /// Remarks.
        remarks: Option<Value>,
    }
}
