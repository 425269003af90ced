//! Parses the headers of a part, and their values.

use std::borrow::Cow;

use memchr::memmem;

const MAX_LINES: usize = 16;
const MAX_BYTES: usize = 8 * 1024;
const END: &[u8] = b"\r\n\r\n";
/// The maximum length of the headers, including the line break and empty line after them.
const MAX_BLOCK: usize = MAX_BYTES + END.len();

/// The names and values of the parameters, in order.
pub(super) type Parameters<'a> = Vec<(&'a [u8], Cow<'a, [u8]>)>;

/// Splits a part into its header lines, each with its line break, and its content.
pub(super) fn block(part: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let start = part.get(..MAX_BLOCK).unwrap_or(part);
    let Some(at) = memmem::find(start, END) else {
        return Err(if part.len() > start.len() {
            "its headers are longer than 8 KiB"
        } else {
            "its headers are not followed by an empty line"
        });
    };
    let split = at
        .checked_add(2)
        .and_then(|lines| part.split_at_checked(lines))
        .and_then(|(lines, rest)| Some((lines, rest.strip_prefix(b"\r\n")?)));
    split.ok_or("its headers are not followed by an empty line")
}

/// The name and value of each header line.
pub(super) fn lines(block: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8]), &'static str>> {
    let lines = block.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines.map(|(number, line)| {
        if number >= MAX_LINES {
            return Err("it has more than 16 header lines");
        }
        field(line).ok_or("it has a malformed header")
    })
}

fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_suffix(b"\r\n")?;
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.strip_prefix(b":")?;
    let text = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
    (is_token(name) && value.iter().all(text)).then(|| (name, value.trim_ascii()))
}

/// The name of a form field, and its file name.
pub(super) fn form_data(disposition: &[u8]) -> Result<(Box<str>, Option<Box<str>>), &'static str> {
    let unreadable = "its Content-Disposition is malformed";
    let (kind, parameters) = value(disposition).ok_or(unreadable)?;
    if !kind.eq_ignore_ascii_case(b"form-data") {
        return Err("its Content-Disposition is not form-data");
    }
    let name = parameter(&parameters, "name").map_err(|Duplicate| "it has two names")?;
    let name = name.ok_or("it has no name")?;
    let name = String::from_utf8(unescape(name)).map_err(|_| "its name is not UTF-8")?;
    let file_name =
        parameter(&parameters, "filename").map_err(|Duplicate| "it has two file names")?;
    let file_name = file_name.map(|text| String::from_utf8_lossy(&unescape(text)).into());
    Ok((name.into(), file_name))
}

/// Decodes the three escapes that browsers use in names, for quotes and line breaks.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let (byte, after) = match rest {
            [b'%', b'2', b'2', after @ ..] => (&b'"', after),
            [b'%', b'0', b'D' | b'd', after @ ..] => (&b'\r', after),
            [b'%', b'0', b'A' | b'a', after @ ..] => (&b'\n', after),
            _ => (byte, after),
        };
        plain.push(*byte);
        rest = after;
    }
    plain
}

/// A parameter occurs more than once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate;

/// The parameter with this name, if there is one.
pub(super) fn parameter<'p, 'a>(
    parameters: &'p Parameters<'a>,
    name: &str,
) -> Result<Option<&'p Cow<'a, [u8]>>, Duplicate> {
    let mut found = parameters
        .iter()
        .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value);
    let first = found.next();
    found.next().map_or(Ok(first), |_| Err(Duplicate))
}

/// Parses a value such as `form-data; name="a"` into its first item and its parameters.
pub(super) fn value(text: &[u8]) -> Option<(&[u8], Parameters<'_>)> {
    let end = memchr::memchr(b';', text).unwrap_or(text.len());
    let (kind, mut rest) = text.split_at_checked(end)?;
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some((kind.trim_ascii(), parameters));
        }
        rest = rest.strip_prefix(b";")?.trim_ascii_start();
        if rest.is_empty() || rest.starts_with(b";") {
            continue;
        }
        let equals = memchr::memchr(b'=', rest)?;
        let (name, after) = rest.split_at_checked(equals)?;
        if !is_token(name) {
            return None;
        }
        let after = after.strip_prefix(b"=")?;
        let (value, after) = match after.strip_prefix(b"\"") {
            Some(quoted) => unquote(quoted)?,
            None => bare(after)?,
        };
        parameters.push((name, value));
        rest = after;
    }
}

/// Parses an unquoted value, up to a semicolon or white space. This is lenient, because senders
/// leave unquoted what should be quoted.
fn bare(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let ends = |byte: &u8| *byte == b';' || byte.is_ascii_whitespace();
    let end = text.iter().position(ends).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    (!value.is_empty() && !value.contains(&b'"')).then_some((value.into(), rest))
}

/// Parses a value up to its closing quote. A backslash escapes a quote or a backslash; any other
/// backslash is literal, because old browsers send Windows paths.
fn unquote(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        let end = memchr::memchr2(b'"', b'\\', rest)?;
        let (plain, after) = rest.split_at_checked(end)?;
        value.extend_from_slice(plain);
        match after {
            [b'"', after @ ..] => return Some((value.into(), after)),
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
            [] => return None,
        }
    }
}

fn is_token(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_as_browsers_and_libraries_write_them() {
        for (text, name, file_name) in [
            (r#"form-data; name="a""#, "a", None),
            (r#"FORM-DATA ; NAME=a ;filename=b.jpg;"#, "a", Some("b.jpg")),
            (
                r#"form-data;name="a;b=c";filename="d; name=e""#,
                "a;b=c",
                Some("d; name=e"),
            ),
            // Browsers.
            (
                r#"form-data; name="%22a%22%0d%0A"; filename="50%.jpg""#,
                "\"a\"\r\n",
                Some("50%.jpg"),
            ),
            (
                r#"form-data; name="%2522"; filename="%20%""#,
                "%2522",
                Some("%20%"),
            ),
            // Libraries, and old browsers.
            (
                r#"form-data; name="\"a\\"; filename="b\"c""#,
                r#""a\"#,
                Some("b\"c"),
            ),
            (
                r#"form-data; name=a; filename="C:\photos\me.jpg""#,
                "a",
                Some(r"C:\photos\me.jpg"),
            ),
            (r#"form-data; name=""; filename="""#, "", Some("")),
            // `filename*` is not used in forms, and is ignored.
            (r#"form-data; name=a; filename*=utf-8''b"#, "a", None),
        ] {
            let expected = (name.into(), file_name.map(Into::into));
            assert_eq!(form_data(text.as_bytes()), Ok(expected), "{text}");
        }
        let (_, file_name) = form_data(b"form-data; name=a; filename=\"\xff.jpg\"").unwrap();
        assert_eq!(file_name.as_deref(), Some("\u{fffd}.jpg"));
    }

    #[test]
    fn ambiguous_values_are_rejected() {
        for text in [
            r#"form-data; name"#,
            r#"form-data; name="#,
            r#"form-data; name =a"#,
            r#"form-data; name= a"#,
            r#"form-data; ="a""#,
            r#"form-data; na"me=a"#,
            r#"form-data; name=a"b"#,
            r#"form-data; name="a"b"#,
            r#"form-data; name="a" filename=b"#,
            r#"form-data; name=a filename=b"#,
            r#"form-data; name="a"#,
            r#"form-data; name="a\"#,
            r#"form-data; name="a\""#,
        ] {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn splits_header_lines_into_names_and_values() {
        let read = |line: &'static [u8]| lines(line).collect::<Result<Vec<_>, _>>();
        assert_eq!(
            read(b"A: b\r\nc:\t d \r\nE:\r\n"),
            Ok(vec![(&b"A"[..], &b"b"[..]), (b"c", b"d"), (b"E", b"")])
        );
        for wrong in [
            &b"A\r\n"[..],
            b": b\r\n",
            b"A : b\r\n",
            b" A: b\r\n",
            b"A: b\r\n folded\r\n",
            b"A: b\nC: d\r\n",
            b"A: b\rC: d\r\n",
            b"A: b\0\r\n",
            b"\xc3\xa9: b\r\n",
            b"\r\n",
        ] {
            assert!(read(wrong).is_err(), "{}", wrong.escape_ascii());
        }
    }
}
