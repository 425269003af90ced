//! [`Owner`]: identifies a claim.

use std::{
    cell::Cell,
    fmt,
    hash::{BuildHasher, RandomState},
};

/// Identifies a claim, uniquely among all claims of this process and of all others.
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
    /// Generates a unique owner.
    #[must_use]
    pub fn unique() -> Self {
        // Each thread counts up from a random 128-bit number: threads share no state, and the
        // ranges of two threads overlap with negligible probability.
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

    /// The bytes, for a store to save.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Random, because the standard library seeds each thread's `RandomState` keys from the operating
/// system.
fn random() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(()));
    (half() << 64) | half()
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", const_hex::display(&self.0))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({self})")
    }
}
