//! [`Found`]: a hypothesis by its name, with the detail under which it was tried.

/// The name of a hypothesis, and the detail of a cause.
pub(super) type Named = (&'static str, String);

/// A hypothesis with the detail under which it was tried.
#[derive(Clone)]
pub(super) struct Found {
    /// Its name in the list.
    pub(super) hypothesis: &'static str,
    pub(super) detail: String,
}

impl Found {
    /// The name of the cause: what is in front of the detail, and the detail.
    pub(super) fn name(&self) -> String {
        if self.detail.is_empty() {
            return self.hypothesis.to_owned();
        }
        let family = self.hypothesis.split_once(':');
        let family = family.map_or(self.hypothesis, |(family, _)| family);
        format!("{family}:{}", self.detail)
    }
}
