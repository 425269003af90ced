//! [`Example`]: the fault of a hypothesis, from which its test follows.

use crate::scheme::{definition::Scheme, timestamp::TimeUnit};

pub(in crate::explain) type HeaderLines = Vec<(String, String)>;

/// A fault, from which a request follows that is not genuine as it stands.
pub(in crate::explain) enum Example {
    /// A provider, the configured secret, and the key that was used.
    Secret(&'static str, &'static str, &'static [u8]),
    /// A configured secret that is not the one that was used.
    Evidence(&'static str, &'static str),
    /// The body that came, the one that was signed, and the cause.
    Body(&'static [u8], &'static [u8], &'static str),
    /// A provider, the cause, and a change of the headers.
    Head(&'static str, &'static str, fn(&mut HeaderLines)),
    /// A provider, the cause, and a change of the scheme.
    Scheme(&'static str, &'static str, fn(&mut Scheme)),
    /// The unit of the provider, and that of the request.
    TimeUnit(TimeUnit, TimeUnit),
    Microseconds,
    /// How late the request comes, in seconds.
    Time(i64),
    /// A body whose loss nothing can mend.
    Lost(&'static [u8]),
    OtherSecret,
    KeyWindow,
    KeyId,
    OtherProvider,
    Url,
    Unsigned,
    /// Signed with the text that JavaScript has for no value.
    Careless,
    TooLong,
    Required,
    Unusable,
    Longer,
}

impl Example {
    pub(in crate::explain) const fn secret(
        provider: &'static str,
        configured: &'static str,
        key: &'static [u8],
    ) -> Self {
        Self::Secret(provider, configured, key)
    }

    pub(in crate::explain) const fn evidence(
        provider: &'static str,
        configured: &'static str,
    ) -> Self {
        Self::Evidence(provider, configured)
    }

    pub(in crate::explain) const fn body(
        came: &'static [u8],
        signed: &'static [u8],
        cause: &'static str,
    ) -> Self {
        Self::Body(came, signed, cause)
    }

    pub(in crate::explain) const fn head(
        provider: &'static str,
        cause: &'static str,
        change: fn(&mut HeaderLines),
    ) -> Self {
        Self::Head(provider, cause, change)
    }

    pub(in crate::explain) const fn scheme(
        provider: &'static str,
        cause: &'static str,
        change: fn(&mut Scheme),
    ) -> Self {
        Self::Scheme(provider, cause, change)
    }
}

/// Changes the value of a header.
pub(in crate::explain) fn edit(
    headers: &mut HeaderLines,
    name: &str,
    change: impl Fn(&str) -> String,
) {
    for (_, value) in headers.iter_mut().filter(|(known, _)| known == name) {
        *value = change(value);
    }
}
