//! [`CertificateRule`]: which certificates may vouch for the keys of a provider.

/// The parameter with the root certificates of an endpoint.
pub(crate) const ROOTS: &str = "roots";

/// What a chain of certificates has to be, beside leading to a root.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "certificates"),
    allow(dead_code, reason = "only what judges certificates reads it")
)]
pub(crate) struct CertificateRule {
    /// The roots in PEM, unless the endpoint has others. Without any, a certificate of the endpoint
    /// is only a form of its key.
    pub(crate) roots: &'static str,
    /// The DNS names, of which the first certificate has one. If there are none, any name will do.
    pub(crate) names: &'static [&'static str],
    /// The object identifier of an extension that the first certificate has.
    pub(crate) leaf_mark: Option<&'static str>,
    /// The object identifier of an extension that its issuer has.
    pub(crate) issuer_mark: Option<&'static str>,
    /// The number of certificates in every request, which has the whole chain. `None` if the
    /// certificates are those of the endpoint.
    pub(crate) in_request: Option<usize>,
}
