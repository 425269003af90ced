//! [`Parameter`]: a setting of a provider beside those of its scheme.

/// A provider-specific setting.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// The allowed values; if empty, any text is allowed.
    pub(crate) values: &'static [&'static str],
}

/// The parameter that says what has to have been verified.
pub(crate) const LEVEL: &str = "level";

pub(super) const LEVEL_PARAM: Parameter = Parameter {
    name: LEVEL,
    values: &[],
};

/// The parameter that says where your reference for the person is.
pub(crate) const SUBJECT: &str = "subject";

pub(super) const SUBJECT_PARAM: Parameter = Parameter {
    name: SUBJECT,
    values: &[],
};

/// The parameter that says what becomes of a signed test event.
pub(crate) const TEST: &str = "test";

pub(super) const TEST_PARAM: Parameter = Parameter {
    name: TEST,
    values: &["accept"],
};
