//! Bank accounts and bank cards.

use serde::{Deserialize, Serialize};

use crate::providers::idenfy::event::data::RiskLevel;

/// The bank accounts of a person.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BankVerification {
    /// The id of the verification.
    pub id: String,
    /// The country of the bank, by its two-letter code.
    pub country: Option<String>,
    /// The name of the bank.
    pub bank: Option<String>,
    /// The accounts.
    pub accounts: Option<Vec<BankAccount>>,
    /// How great a risk they show.
    pub risk_level: Option<RiskLevel>,
}

/// A bank account.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BankAccount {
    /// The id of the account.
    pub id: Option<String>,
    /// The name of the account.
    pub name: Option<String>,
    /// The IBAN.
    pub iban: Option<String>,
    /// The currency, by its three-letter code.
    pub currency: Option<String>,
    /// The balances.
    pub balances_overview: Option<Balances>,
    /// How many transactions were seen.
    pub transactions_count: Option<f64>,
}

/// The balances of an account, in its currency.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Balances {
    /// What is booked.
    pub booked_balance: Option<f64>,
    /// What is available.
    pub available_balance: Option<f64>,
}

/// The check of a bank card.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BankCard {
    /// The id of the check.
    pub id: String,
    /// The result.
    pub status: CardStatus,
    /// Why the card is not the person's.
    pub no_match_reason: Option<CardReason>,
    /// The name on the card.
    pub name: Option<String>,
    /// The first six digits of the number.
    pub first_six: Option<String>,
    /// The last four digits of the number.
    pub last_four: Option<String>,
    /// When the card expires.
    pub expiry_date: Option<String>,
    /// Whether the name is the one that was expected.
    pub name_match: Option<bool>,
    /// Whether the last four digits are the ones that were expected.
    pub last_four_match: Option<bool>,
}

open_enum! {
    /// The result of the check of a bank card.
    CardStatus {
        /// Nothing was compared.
        NotCompared = "NOT_COMPARED",
        /// It is the card that was expected.
        Match = "MATCH",
        /// It is not.
        NoMatch = "NO_MATCH",
    }
}

open_enum! {
    /// Why a bank card is not the one that was expected.
    CardReason {
        /// The name is another.
        NameMismatch = "NAME_MISMATCH",
        /// The number is another.
        NumberMismatch = "NUMBER_MISMATCH",
        /// No name was found.
        NameNotFound = "NAME_NOT_FOUND",
        /// No number was found.
        NumberNotFound = "NUMBER_NOT_FOUND",
        /// It was not shown live.
        LivenessFailed = "LIVENESS_FAILED",
    }
}

shows!(BankVerification { id });
shows!(BankAccount { id });
shows!(Balances {});
shows!(BankCard { id, status });
