//! Documents and reports that were ordered from registers of companies.

use serde::{Deserialize, Serialize};

/// A document that was ordered from a register of companies.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GovOrderedDocument {
    /// The id of the order.
    pub id: String,
    /// The title of the document.
    pub title: Option<String>,
    /// The format of the document, such as `PDF`.
    pub document_format: Option<String>,
    /// What was ordered.
    pub product_key: String,
    /// When it was expected, ISO 8601.
    pub expected_delivery_time: Option<String>,
    /// What it costs.
    pub price: Option<f64>,
    /// When it arrived, ISO 8601.
    pub delivered_at: Option<String>,
    /// How far the order is.
    pub status: Option<OrderStatus>,
    /// The address of the document; a secret while it lives.
    pub file: Option<String>,
}

/// A report from the Secretary of State of a state of the United States.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SosReport {
    /// The id of the report.
    pub id: String,
    /// The name of the company.
    pub company_name: Option<String>,
    /// The form of the company.
    pub entity_type: Option<SosEntity>,
    /// When the company was founded.
    pub formation_date: Option<String>,
    /// How far the order is.
    pub status: Option<OrderStatus>,
    /// The address of the report; a secret while it lives.
    pub report_file: Option<String>,
    /// The address of its data; a secret while it lives.
    pub data_file: Option<String>,
    /// How many entries of watch lists were found.
    pub watchlist_hits_count: Option<i64>,
}

open_enum! {
    /// How far an order is.
    OrderStatus {
        /// It was not placed.
        NotOrdered = "NOT_ORDERED",
        /// It was placed.
        InProgress = "IN_PROGRESS",
        /// It was delivered.
        Finished = "FINISHED",
        /// It failed.
        Failed = "FAILED",
        /// It took too long.
        TimedOut = "TIMED_OUT",
    }
}

open_enum! {
    /// The form of a company.
    SosEntity {
        /// A corporation.
        Corporation = "CORPORATION",
        /// A limited liability company.
        Llc = "LLC",
        /// A partnership.
        Partnership = "PARTNERSHIP",
        /// A non-profit organisation.
        NonProfit = "NON_PROFIT",
        /// A trust.
        Trust = "TRUST",
        /// One person.
        SoleProprietorship = "SOLE_PROPRIETORSHIP",
    }
}

shows!(GovOrderedDocument { id, status });
shows!(SosReport { id, status });
