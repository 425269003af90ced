//! Keys that are looked up for each request, for several tenants on one route or for keys that
//! change at run time.
//!
//! A [`KeySource`] is called once per request, after the header checks and before the body is read.
//! Its result decides how the request proceeds:
//!
//! | result | effect |
//! | --- | --- |
//! | a [`Tenant`] | the request is verified with the tenant's keys; the event, rejections, the span and the log name the tenant |
//! | `None` | the request is verified with a decoy key and refused with 401, so that the sender cannot distinguish an unknown tenant from a wrong signature |
//! | an error, or no result within the [key timeout](crate::WebhookVerifyLayer::with_key_timeout) | 503, so that the provider sends the event again |
//!
//! [`SharedKeys`] is a source for one set of keys that can be replaced. `CachedKeys` (feature
//! `cache`) caches the results of a database. `examples/tenants.rs` looks tenants
//! up by the path of the request.
//!
//! Take the id of a tenant from the row that was found, not from the request: see [`Tenant::new`].
//!
//! A tenant without a valid key gets 503, so that the provider sends the event again; otherwise
//! responses do not differ between tenants. Response times can: refusing a request takes two hashes
//! instead of one while a tenant has two keys, and a source without a cache takes as long as its
//! database.

#[cfg(feature = "cache")]
pub(crate) mod cached;
#[cfg(feature = "asymmetric")]
mod jwks;
pub(crate) mod key_set;
pub(crate) mod public_key;
pub(crate) mod published;
#[cfg(feature = "remote-keys")]
pub(crate) mod remote;
pub(crate) mod secret;
pub(crate) mod shared;
pub(crate) mod source;
pub(crate) mod suspicion;

#[cfg(feature = "cache")]
pub use self::cached::CachedKeys;
#[cfg(feature = "remote-keys")]
pub use self::remote::{
    RemoteKeys,
    address::KeyUrl,
    client::{FetchFuture, KeyClient, KeyDocument},
    https::HttpsClient,
};
pub use self::{
    key_set::KeySet,
    shared::SharedKeys,
    source::{FnSource, KeyFuture, KeyRequest, KeySource, KeySourceError, Tenant, source_fn},
};
