//! Documents and reports ordered from company registers.

use serde::{Deserialize, Serialize};

/// A document ordered from a company register.
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
    /// The key of the product that was ordered.
    pub product_key: String,
    /// The expected delivery time, ISO 8601.
    pub expected_delivery_time: Option<String>,
    /// The price.
    pub price: Option<f64>,
    /// When the document was delivered, ISO 8601.
    pub delivered_at: Option<String>,
    /// The status of the order.
    pub status: Option<OrderStatus>,
    /// The link to the document: treat it as a secret until it expires.
    pub file: Option<String>,
}

/// A report from the Secretary of State of a US state.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SosReport {
    /// The id of the report.
    pub id: String,
    /// The name of the company.
    pub company_name: Option<String>,
    /// The legal form of the company.
    pub entity_type: Option<SosEntity>,
    /// The date of formation of the company.
    pub formation_date: Option<String>,
    /// The status of the order.
    pub status: Option<OrderStatus>,
    /// The link to the report: treat it as a secret until it expires.
    pub report_file: Option<String>,
    /// The link to the data of the report: treat it as a secret until it expires.
    pub data_file: Option<String>,
    /// The number of hits in watch lists.
    pub watchlist_hits_count: Option<i64>,
}

open_enum! {
    /// The status of an order.
    OrderStatus {
        /// The order was not placed.
        NotOrdered = "NOT_ORDERED",
        /// The order was placed.
        InProgress = "IN_PROGRESS",
        /// The order was delivered.
        Finished = "FINISHED",
        /// The order failed.
        Failed = "FAILED",
        /// The order timed out.
        TimedOut = "TIMED_OUT",
    }
}

open_enum! {
    /// The legal form of a company.
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
        /// A sole proprietorship.
        SoleProprietorship = "SOLE_PROPRIETORSHIP",
    }
}

shows!(GovOrderedDocument { id, status });
shows!(SosReport { id, status });
