//! [`PublishedKeys`]: where a provider publishes the keys that it signs with.

/// Where a provider publishes the keys that it signs with, as its pages say.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "remote-keys"),
    allow(dead_code, reason = "only what fetches keys reads them")
)]
pub(crate) enum PublishedKeys {
    /// A set of JSON Web Keys, at an address that anybody may read.
    Set(&'static str),
    /// A set of JSON Web Keys, at the address that a parameter has.
    SetOfParam(&'static str),
    /// One key by its id, from an API that needs credentials: what to call.
    Api(&'static str),
    /// A document at an address that the request names, within the one that a parameter has. The
    /// secret is a member of the document.
    Named {
        param: &'static str,
        member: &'static str,
    },
    /// A certificate at an address that the request names.
    Certificate {
        /// Whether the address is one of the vendor. It has to be a complete match.
        is_address: fn(&str) -> bool,
        /// Whether a chain from the certificate to a root has to vouch for it, beside the server
        /// that it is fetched from.
        has_chain: bool,
    },
}
