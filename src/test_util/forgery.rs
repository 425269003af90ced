//! [`Forgery`]: requests that a receiver has to refuse.

use std::fmt;

/// A request that looks like one of the provider, and that a receiver has to refuse. See
/// [`TestSender::forgeries`](crate::test_util::TestSender::forgeries).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forgery {
    /// Without a signature, and without any other header of the provider.
    Unsigned,
    /// Signed with a key of the right form that is not the receiver's.
    WrongKey,
    /// Genuine, with another body. Not for a provider that does not sign the whole body.
    ChangedBody,
    /// Genuine, and signed longer ago than the provider's tolerance. Not for a provider without a
    /// time.
    Stale,
    /// Genuine, and signed with a time further ahead than the provider's tolerance. Not for a
    /// provider without a time.
    FromTheFuture,
}

impl Forgery {
    /// All of this version, in declaration order.
    pub const ALL: &'static [Self] = &[
        Self::Unsigned,
        Self::WrongKey,
        Self::ChangedBody,
        Self::Stale,
        Self::FromTheFuture,
    ];
}

/// Writes a word or two, for the message of an assertion.
impl fmt::Display for Forgery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsigned => "unsigned",
            Self::WrongKey => "wrong key",
            Self::ChangedBody => "changed body",
            Self::Stale => "stale",
            Self::FromTheFuture => "from the future",
        })
    }
}
