//! Bodies that were read in another character set than they were written in.

/// The characters of Windows-1252 from 0x80 to 0x9f; 0 where it has none.
const CP1252: [u32; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
    0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc,
    0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Latin1,
    Cp1252,
}

impl Charset {
    fn byte(self, letter: char) -> Option<u8> {
        if letter.is_ascii() {
            return u8::try_from(letter).ok();
        }
        let code = u32::from(letter);
        let place = CP1252.iter().position(|known| *known == code && code != 0);
        match (self, place) {
            (Self::Cp1252, Some(place)) => u8::try_from(place.checked_add(0x80)?).ok(),
            _ => u8::try_from(code).ok(),
        }
    }

    fn letter(self, byte: u8) -> char {
        let place = byte.checked_sub(0x80).map(usize::from);
        let known = place
            .and_then(|place| CP1252.get(place))
            .filter(|code| **code != 0);
        match (self, known) {
            (Self::Cp1252, Some(code)) => char::from_u32(*code).unwrap_or_else(|| char::from(byte)),
            _ => char::from(byte),
        }
    }
}

/// The bytes of a text in a character set. `None` if it has only ASCII, or characters that the set
/// lacks.
pub(super) fn encoded(body: &[u8], charset: Charset) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    if text.is_ascii() {
        return None;
    }
    text.chars().map(|letter| charset.byte(letter)).collect()
}

/// UTF-8 of what the bytes are in a character set.
pub(super) fn decoded(body: &[u8], charset: Charset) -> Option<Vec<u8>> {
    if body.is_ascii() {
        return None;
    }
    let text: String = body.iter().map(|byte| charset.letter(*byte)).collect();
    Some(text.into_bytes())
}

/// The text in UTF-16.
pub(super) fn to_utf16(body: &[u8], to_bytes: fn(u16) -> [u8; 2]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    (!text.is_empty()).then(|| text.encode_utf16().flat_map(to_bytes).collect())
}

/// UTF-8 of a body in UTF-16.
pub(super) fn from_utf16(body: &[u8], from_bytes: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    let (pairs, rest) = body.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let units = pairs.iter().map(|pair| from_bytes(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    let text = text.ok()?;
    // Of text in another set, hardly anything is ASCII when it is read so.
    let ascii = text.chars().filter(char::is_ascii).count();
    (ascii.saturating_mul(2) > pairs.len()).then(|| text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_was_read_wrongly_is_read_back() {
        let text = "Zo\u{eb} \u{2013} x".as_bytes();
        let wrong = decoded(text, Charset::Cp1252).unwrap();
        assert_eq!(
            std::str::from_utf8(&wrong).unwrap(),
            "Zo\u{c3}\u{ab} \u{e2}\u{20ac}\u{201c} x"
        );
        assert_eq!(encoded(&wrong, Charset::Cp1252).unwrap(), text);
        assert_eq!(encoded(&wrong, Charset::Latin1), None);
        let wrong = decoded(text, Charset::Latin1).unwrap();
        assert_eq!(encoded(&wrong, Charset::Latin1).unwrap(), text);
        for (to, from) in [
            (
                u16::to_le_bytes as fn(u16) -> [u8; 2],
                u16::from_le_bytes as fn([u8; 2]) -> u16,
            ),
            (u16::to_be_bytes, u16::from_be_bytes),
        ] {
            let utf16 = to_utf16(text, to).unwrap();
            assert_eq!(from_utf16(&utf16, from).unwrap(), text);
        }
        assert_eq!(encoded(b"ascii", Charset::Latin1), None);
    }
}
