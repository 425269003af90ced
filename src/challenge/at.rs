//! [`At`]: where handshakes find a value.

type Text = &'static str;

/// Where in a request a value is found. It must be there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Query(Text),
    Header(Text),
    /// A scalar, by its JSON pointer.
    Json(Text),
    Form(Text),
}

impl At {
    pub(crate) fn is_in_head(self) -> bool {
        matches!(self, Self::Query(_) | Self::Header(_))
    }

    /// The name, for the operator.
    pub(crate) fn name(self) -> Text {
        match self {
            Self::Query(name) | Self::Header(name) | Self::Json(name) | Self::Form(name) => name,
        }
    }
}
