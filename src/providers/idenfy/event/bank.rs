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
    /// The two-letter code of the bank's country.
    pub country: Option<String>,
    /// The name of the bank.
    pub bank: Option<String>,
    /// The accounts.
    pub accounts: Option<Vec<BankAccount>>,
    /// The risk level of the accounts.
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
    /// The three-letter currency code.
    pub currency: Option<String>,
    /// The balances.
    pub balances_overview: Option<Balances>,
    /// The number of transactions found.
    pub transactions_count: Option<f64>,
}

/// The balances of an account, in its currency.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Balances {
    /// The booked balance.
    pub booked_balance: Option<f64>,
    /// The available balance.
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
    /// Why the card did not match.
    pub no_match_reason: Option<CardReason>,
    /// The name on the card.
    pub name: Option<String>,
    /// The first six digits of the card number.
    pub first_six: Option<String>,
    /// The last four digits of the card number.
    pub last_four: Option<String>,
    /// The expiry date of the card.
    pub expiry_date: Option<String>,
    /// Whether the name matches the expected one.
    pub name_match: Option<bool>,
    /// Whether the last four digits match the expected ones.
    pub last_four_match: Option<bool>,
}

open_enum! {
    /// The result of the check of a bank card.
    CardStatus {
        /// Nothing was compared.
        NotCompared = "NOT_COMPARED",
        /// The card matches the expected one.
        Match = "MATCH",
        /// The card does not match.
        NoMatch = "NO_MATCH",
    }
}

open_enum! {
    /// Why a bank card did not match.
    CardReason {
        /// The name differs.
        NameMismatch = "NAME_MISMATCH",
        /// The number differs.
        NumberMismatch = "NUMBER_MISMATCH",
        /// No name was found.
        NameNotFound = "NAME_NOT_FOUND",
        /// No number was found.
        NumberNotFound = "NUMBER_NOT_FOUND",
        /// The liveness check failed.
        LivenessFailed = "LIVENESS_FAILED",
    }
}

shows!(BankVerification { id });
shows!(BankAccount { id });
shows!(Balances {});
shows!(BankCard { id, status });
