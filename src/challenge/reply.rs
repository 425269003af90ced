//! [`Reply`]: the answer to a handshake, as data.

use std::slice;

use crate::challenge::at::At;

type Text = &'static str;

/// The answer to a question that is in order.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: &'static [(Text, Piece)],
    pub(crate) body: Content,
}

/// An empty 200.
pub(crate) const OK: Reply = Reply {
    status: 200,
    headers: &[],
    body: Content::Empty,
};

#[derive(Debug)]
pub(crate) enum Content {
    Empty,
    /// Plain text.
    Text(&'static [Piece]),
    /// A JSON object, whose strings are escaped.
    Json(&'static [(Text, Member)]),
}

#[derive(Debug)]
pub(crate) enum Member {
    Text(&'static [Piece]),
    Number(u32),
}

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    Literal(Text),
    /// A value of the question.
    Echo(At),
    /// A parameter of the scheme, without which there is no endpoint.
    Param(Text),
    /// A setting of the endpoint.
    Setting(Text),
    /// A setting, or else a default.
    SettingOr(Text, Text),
    /// The MAC of the rule.
    Mac,
    /// The SHA-256 of a text, in hex.
    Sha256(&'static [Self]),
}

impl Reply {
    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let headers = self.headers.iter().map(|(_, piece)| piece);
        let (text, members): (&[Piece], &[(Text, Member)]) = match &self.body {
            Content::Empty => (&[], &[]),
            Content::Text(pieces) => (pieces, &[]),
            Content::Json(members) => (&[], members),
        };
        let members = members.iter().flat_map(|(_, member)| match member {
            Member::Text(pieces) => *pieces,
            Member::Number(_) => &[],
        });
        let all = headers.chain(text).chain(members);
        all.flat_map(|piece| match piece {
            Piece::Sha256(inner) => inner,
            piece => slice::from_ref(piece),
        })
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = Text> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Setting(name) => Some(*name),
            _ => None,
        })
    }

    pub(crate) fn optional(&self) -> impl Iterator<Item = Text> {
        self.pieces().filter_map(|piece| match piece {
            Piece::SettingOr(name, _) => Some(*name),
            _ => None,
        })
    }
}
