//! [`DeliveryKey`]: which delivery; [`Owner`]: whose claim.

use std::{
    cell::Cell,
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

/// Names one delivery of one endpoint, however often it is sent: a digest. Logs and events show it as 64 hexadecimal
/// digits.
///
/// ```
/// use tower_webhook::delivery::DeliveryKey;
///
/// let text = "00ff".repeat(16);
/// let key: DeliveryKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// assert_eq!(key.as_bytes()[1], 255);
/// assert!("00ff".parse::<DeliveryKey>().is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey([u8; 32]);

impl DeliveryKey {
    pub(crate) const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl fmt::Debug for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads what `Display` writes, in either case.
impl FromStr for DeliveryKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let mut digest = [0; 32];
        match base16ct::mixed::decode(text, &mut digest) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self::new(digest)),
            _ => Err(ParseKeyError(())),
        }
    }
}

/// A text is not a [`DeliveryKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseKeyError(());

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a delivery key has 64 hexadecimal digits; take it from the log or the event")
    }
}

impl Error for ParseKeyError {}

/// Tells one claim from all others, of this process and of every other.
///
/// ```
/// use tower_webhook::delivery::Owner;
///
/// assert_ne!(Owner::unique(), Owner::unique());
/// assert_eq!(Owner::unique().to_string().len(), 32);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner([u8; 16]);

impl Owner {
    /// One that was never there before.
    #[must_use]
    pub fn unique() -> Self {
        // A random start for each thread, and a count from there: no two threads write to one place, and no two runs
        // of 128-bit numbers meet.
        thread_local! {
            static NEXT: Cell<u128> = Cell::new(random());
        }
        let number = NEXT.try_with(|next| {
            let number = next.get();
            next.set(number.wrapping_add(1));
            number
        });
        Self(number.unwrap_or_else(|_| random()).to_be_bytes())
    }

    /// The bytes, for a store to write down.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The standard library keys each `RandomState` with what the operating system gave the thread.
fn random() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(()));
    (half() << 64) | half()
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", base16ct::HexDisplay(&self.0))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({self})")
    }
}
