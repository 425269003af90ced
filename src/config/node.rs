//! [`Node`]: a configuration file of any format as a tree, from which the configuration types are
//! deserialized.
//!
//! The file is buffered because the deserializer of a format stops at the first error, and its
//! errors may quote a value.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, MapAccess, SeqAccess, Unexpected, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use zeroize::Zeroizing;

use crate::error::{SetupError, nearest};

/// A value of the file.
pub(super) enum Node {
    Nothing,
    Truth(bool),
    Integer(i64),
    Float,
    /// The text may be a secret.
    Text(Zeroizing<String>),
    List(Vec<Self>),
    Table(Table),
}

/// Keys and values, in the order of the file.
pub(super) type Table = Vec<(String, Node)>;

impl Node {
    /// Whether it is a table with this key.
    pub(super) fn has(&self, key: &str) -> bool {
        match self {
            Self::Table(entries) => entries.iter().any(|(name, _)| name == key),
            _ => false,
        }
    }

    /// The kind of the value, for messages, which never show the value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Truth(_) => "a boolean",
            Self::Integer(_) => "a whole number",
            Self::Float => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    fn misplaced(&self, expected: &dyn de::Expected) -> Mistake {
        Mistake::misplaced(self.kind(), expected)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true, false, a list or a table")
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Node, E> {
                Ok(Node::Truth(truth))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
                Ok(Node::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
                Ok(i64::try_from(number).map_or(Node::Float, Node::Integer))
            }

            // Larger integers, which serde would otherwise quote in an error.
            fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
                Ok(Node::Float)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
                Ok(Node::Float)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Float)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Node, E> {
                self.visit_string(text.to_owned())
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Node, E> {
                Ok(Node::Text(Zeroizing::new(text)))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Nothing)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Nothing)
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Node, D::Error> {
                Node::deserialize(value)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = values.next_element()? {
                    list.push(value);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut table = Table::new();
                while let Some(entry) = entries.next_entry()? {
                    table.push(entry);
                }
                Ok(Node::Table(table))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The reason why a value cannot be read as a type.
#[derive(Debug)]
pub(super) struct Mistake {
    /// The keys that lead to the value, innermost first.
    path: Vec<String>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Text(String),
    MissingKey(&'static str),
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
}

impl Mistake {
    fn new(problem: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            problem: Problem::Text(problem.into()),
        }
    }

    fn misplaced(found: &str, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        let expected = match &*expected {
            "a string" => "text in quotes",
            "a boolean" => "true or false",
            "usize" | "i64" => "a whole number",
            "a sequence" => "a list in square brackets",
            "a map" => "a table, as in { key = … }",
            fields if fields.starts_with("struct ") => "a table, as in { key = … }",
            other => other,
        };
        Self::new(format!("expected {expected}, found {found}"))
    }

    /// The top-level key that must be removed so that the rest can be read.
    fn key(&self) -> Option<&str> {
        match (self.path.last(), &self.problem) {
            (Some(key), _) | (None, Problem::UnknownKey { key, .. }) => Some(key),
            (None, _) => None,
        }
    }
}

/// Shows a key of the file in a message, unless it could be a misplaced secret.
pub(super) fn shown_key(key: &str) -> &str {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    if key.len() < 24 && key.bytes().all(is_letter) {
        key
    } else {
        "(hidden key)"
    }
}

/// The message about an unknown key.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> String {
    format!("{}: unknown key; {}", shown_key(key), nearest(key, known))
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            let path: Vec<&str> = self.path.iter().rev().map(|key| shown_key(key)).collect();
            write!(f, "{}: ", path.join("."))?;
        }
        match &self.problem {
            Problem::Text(text) => f.write_str(text),
            Problem::MissingKey(key) => write!(f, "{key}: missing key; add it"),
            Problem::UnknownKey { key, known } => f.write_str(&unknown_key(key, known)),
        }
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::new(problem.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a number",
            Unexpected::Str(_) | Unexpected::Char(_) => "text",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table",
            _ => "something else",
        };
        Self::misplaced(found, expected)
    }

    /// A number that is out of range for its type.
    fn invalid_value(_: Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::new("the value is out of range; write a whole number that is not negative")
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self {
            path: Vec::new(),
            problem: Problem::UnknownKey {
                key: key.to_owned(),
                known,
            },
        }
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            path: Vec::new(),
            problem: Problem::MissingKey(key),
        }
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new(format!("{key}: duplicate key; keep one"))
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Node::Nothing => visitor.visit_unit(),
            Node::Truth(truth) => visitor.visit_bool(*truth),
            Node::Integer(number) => visitor.visit_i64(*number),
            Node::Float => visitor.visit_f64(0.0),
            Node::Text(text) => visitor.visit_borrowed_str(text),
            Node::List(list) => visitor.visit_seq(Values(list.iter())),
            Node::Table(table) => visitor.visit_map(Entries::new(table)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self {
            Node::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// Accepts only a table: a list of values in the order of the fields is refused.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match self {
            Node::Table(_) => self.deserialize_any(visitor),
            other => Err(other.misplaced(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Values<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Values<'de> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mistake> {
        self.0
            .next()
            .map(|value| seed.deserialize(value))
            .transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (String, Node)>,
    current: Option<&'de (String, Node)>,
}

impl<'de> Entries<'de> {
    fn new(table: &'de Table) -> Self {
        Self {
            rest: table.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mistake> {
        self.current = self.rest.next();
        let key = self.current.map(|(key, _)| StrDeserializer::new(key));
        key.map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mistake> {
        let Some((key, value)) = self.current.take() else {
            return Err(Mistake::new("a key without a value"));
        };
        seed.deserialize(value).map_err(|mut mistake| {
            mistake.path.push(key.clone());
            mistake
        })
    }
}

/// Reads a table as a type, and finds the mistakes in all of its entries: an entry that cannot be
/// read is reported and skipped.
///
/// `spare` is called for each entry whose key the type does not know, with the keys that it knows,
/// and returns whether it accepts the entry.
pub(super) fn read<T: de::DeserializeOwned>(
    mut node: Node,
    mut spare: impl FnMut(&str, &Node, &'static [&'static str]) -> bool,
) -> (Option<T>, Vec<SetupError>) {
    let mut mistakes = Vec::new();
    let mut left_out = Vec::new();
    loop {
        let mistake = match T::deserialize(&node) {
            Ok(read) => return (Some(read), mistakes),
            Err(mistake) => mistake,
        };
        let entry = match (&mut node, mistake.key()) {
            (Node::Table(table), Some(key)) => {
                let place = table.iter().position(|(other, _)| other == key);
                place.map(|place| table.remove(place))
            }
            _ => None,
        };
        let is_reported = match (&mistake.problem, &entry) {
            (Problem::UnknownKey { known, .. }, Some((key, value))) if mistake.path.is_empty() => {
                !spare(key, value, known)
            }
            (Problem::MissingKey(key), None) => !left_out.iter().any(|other| other == key),
            _ => true,
        };
        if is_reported {
            mistakes.push(SetupError::new(mistake.to_string()));
        }
        match entry {
            Some((key, _)) => left_out.push(key),
            None => return (None, mistakes),
        }
    }
}

/// Like [`read`], for a type that allows no other keys.
pub(super) fn read_exactly<T: de::DeserializeOwned>(node: Node) -> Result<T, Vec<SetupError>> {
    match read(node, |_, _, _| false) {
        (Some(read), mistakes) if mistakes.is_empty() => Ok(read),
        (_, mistakes) => Err(mistakes),
    }
}
