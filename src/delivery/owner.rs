//! [`Owner`]: who has claimed a delivery.

use std::{
    cell::Cell,
    fmt,
    hash::{BuildHasher, RandomState},
};

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
        write!(f, "{:x}", const_hex::display(&self.0))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({self})")
    }
}
