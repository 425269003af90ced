//! [`Evidence`]: how it is known how a provider signs.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// How it is known how a provider signs.
    pub enum Evidence: "evidence" {
        /// The vendor's own library, or its published example, was run and agreed.
        Ran = "ran",
        /// The vendor's documentation or source was read.
        Documented = "documented",
        /// Several independent implementations by others agree.
        Reported = "reported",
        /// A reading of an ambiguous page, or of what is remembered of one. Compare it with a
        /// genuine delivery before you rely on it.
        Assumed = "assumed",
    }
}
