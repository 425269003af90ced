//! Keys that are looked up for each request: many tenants behind one route, or keys that change while the service runs.
//!
//! A [`KeySource`] is asked with the head of a request, after the gate and before a byte of the body is read. What it
//! answers decides:
//!
//! | answer | what happens |
//! | --- | --- |
//! | a [`Tenant`] | the request is checked with its keys; event, refusals, span and log name it |
//! | `None` | the request is checked with a decoy key and refused with 401, so that whoever sends it cannot tell an unknown tenant from a wrong signature |
//! | an error, or nothing within the [key timeout](crate::WebhookVerifyLayer::with_key_timeout) | 503, so that the provider sends the event again |
//!
//! [`SharedKeys`] is the source for one set of keys that can be replaced. `CachedKeys` (feature `cache`) asks
//! a database once and remembers. `examples/tenants.rs` has tenants from the path in an SQLite table.
//!
//! The id of a tenant comes from the row that was found, and not from the request: see [`Tenant::new`].
//!
//! A tenant that is switched between two keys has two hashes to make, and so takes longer to refuse a request than one with a
//! single key; a source without a cache takes as long as the database. Both show in time, and not in the answer.

#[cfg(feature = "cache")]
pub(crate) mod cached;
pub(crate) mod key_set;
pub(crate) mod secret;
pub(crate) mod shared;
pub(crate) mod source;

#[cfg(feature = "cache")]
pub use self::cached::CachedKeys;
pub use self::{
    key_set::KeySet,
    shared::SharedKeys,
    source::{FnSource, KeyFuture, KeyRequest, KeySource, KeySourceError, Tenant, source_fn},
};
