//! Readings of a body: what was signed, if the body that came is not it.

mod charset;
mod form;
pub(super) mod json;
mod packed;

use std::{borrow::Cow, ops::ControlFlow};

use self::{
    charset::Charset,
    json::{
        document::{Document, Node},
        escapes::{Html, Letters},
        numbers,
        style::Style,
    },
};
use crate::{form::spaced, head::Head, rejection::shown};

/// Takes the rest of a cause's name, behind the colon, and the body. It breaks when nothing more is
/// wanted.
pub(super) type Sink<'s> = dyn FnMut(Cow<'static, str>, Vec<u8>) -> ControlFlow<()> + 's;

/// A rewrite of a body.
pub(super) type Rewrite = fn(&[u8], Option<usize>, &mut Sink<'_>) -> ControlFlow<()>;

/// The length that `Content-Length` announces.
pub(super) fn declared_length(head: &Head<'_>) -> Option<usize> {
    let value = head.headers.nth("content-length", 0)?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

const PLAIN: Cow<'static, str> = Cow::Borrowed("");

fn offer(sink: &mut Sink<'_>, body: Option<Vec<u8>>) -> ControlFlow<()> {
    match body {
        Some(body) => sink(PLAIN, body),
        None => ControlFlow::Continue(()),
    }
}

fn offer_named(sink: &mut Sink<'_>, name: &'static str, body: Option<Vec<u8>>) -> ControlFlow<()> {
    match body {
        Some(body) => sink(Cow::Borrowed(name), body),
        None => ControlFlow::Continue(()),
    }
}

/// The styles that `wanted` selects, of a JSON document.
fn styles(body: &[u8], sink: &mut Sink<'_>, wanted: fn(&Style, &str) -> bool) -> ControlFlow<()> {
    printed(body, wanted, &mut |words, printed| {
        sink(Cow::Borrowed(words), printed)
    })
}

fn printed(
    body: &[u8],
    wanted: fn(&Style, &str) -> bool,
    visit: &mut dyn FnMut(&'static str, Vec<u8>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let Some(document) = Document::parse(body) else {
        return ControlFlow::Continue(());
    };
    // A string is printed by another hypothesis.
    if matches!(document.root, Node::Text(_) | Node::Scalar(_)) {
        return ControlFlow::Continue(());
    }
    let letters = Letters::of(body);
    for (style, words) in Style::all() {
        // An escape that the document has no use for gives what another style gives.
        if !(wanted(style, words) && style.escapes.has_use(&letters)) {
            continue;
        }
        if let Some(printed) = document.print(style) {
            visit(words, printed)?;
        }
    }
    ControlFlow::Continue(())
}

pub(super) fn json_compact(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| words == "compact")
}

pub(super) fn json_indented(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| {
        words.starts_with("indent-") && !words.contains('+')
            || matches!(words, "jackson" | "perl" | "json-build-object")
    })
}

pub(super) fn json_python(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| {
        matches!(words, "python" | "python+ascii")
    })
}

pub(super) fn json_ascii(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let wanted = |_: &Style, words: &str| {
        matches!(
            words,
            "compact+ascii" | "compact+ascii-upper" | "compact+dotnet"
        )
    };
    styles(body, sink, wanted)
}

pub(super) fn json_slashes(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| {
        matches!(words, "compact+slashes" | "compact+ascii+slashes")
    })
}

pub(super) fn json_html(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |style, words| {
        words.starts_with("compact+") && style.differences() == 1 && style.escapes.html != Html::No
    })
}

pub(super) fn json_sorted(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| {
        matches!(words, "sorted" | "sorted-on-top")
    })
}

pub(super) fn json_jsonb(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |_, words| words == "jsonb")
}

pub(super) fn json_numbers(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let wanted = |_: &Style, words: &str| {
        matches!(
            words,
            "integers-as-floats" | "floats-as-integers" | "two-decimals" | "shortest-numbers"
        )
    };
    styles(body, sink, wanted)
}

/// The numbers of some names, in the received printing and in common ones.
pub(super) fn json_some_numbers(
    body: &[u8],
    _: Option<usize>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let Some(document) = Document::parse(body) else {
        return ControlFlow::Continue(());
    };
    numbers::respelled(&document, &mut |detail, text| {
        if let Some(changed) = Document::parse(&text) {
            for style in Style::COMMON {
                if let Some(printed) = changed.print(&style) {
                    sink(Cow::Owned(detail.clone()), printed)?;
                }
            }
        }
        sink(Cow::Owned(detail), text)
    })
}

/// Two differences from compact printing.
pub(super) fn json_two(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    styles(body, sink, |style, _| style.differences() == 2)
}

/// Any number of differences, those with fewer first, also by writers that end the line.
pub(super) fn json_all(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    printed(body, |_, _| true, &mut |words, printed| {
        let ended = [&*printed, b"\n"].concat();
        sink(Cow::Borrowed(words), printed)?;
        sink(Cow::Owned(format!("{words}+newline")), ended)
    })
}

pub(super) fn json_string(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let text = Document::parse(body).and_then(|document| document.string(&document.root));
    offer(sink, text.map(String::into_bytes))
}

/// How many values of a document are tried as the body.
const MOST_VALUES: usize = 200;

/// Calls `visit` with each value to a depth, and its pointer.
fn walk(
    document: &Document<'_>,
    deepest: usize,
    visit: &mut dyn FnMut(&str, &Node) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut left = vec![(String::new(), &document.root, 0_usize)];
    let mut seen = 0_usize;
    while let Some((pointer, node, depth)) = left.pop() {
        if depth > 0 {
            visit(&pointer, node)?;
        }
        seen = seen.saturating_add(1);
        if depth >= deepest || seen > MOST_VALUES {
            continue;
        }
        let below = depth.saturating_add(1);
        let child = |name: &str| {
            let name = name.replace('~', "~0").replace('/', "~1");
            format!("{pointer}/{}", shown(&name))
        };
        match node {
            Node::List(_, items) => {
                let items = items.iter().enumerate().take(MOST_VALUES);
                let items = items.map(|(place, item)| (child(&place.to_string()), item, below));
                left.extend(items.rev());
            }
            Node::Map(_, members) => {
                let members = members.iter().take(MOST_VALUES);
                let members =
                    members.map(|(key, value)| (child(&document.key(*key)), value, below));
                left.extend(members.rev());
            }
            Node::Scalar(_) | Node::Text(_) => {}
        }
    }
    ControlFlow::Continue(())
}

pub(super) fn envelope(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    const DEPTH: usize = 3;
    const SHORTEST: usize = 2;
    let Some(document) = Document::parse(body) else {
        return ControlFlow::Continue(());
    };
    // HAR has its bodies deeper, and has few requests.
    let deepest = if memchr::memmem::find(body, b"postData").is_some() {
        7
    } else {
        DEPTH
    };
    walk(&document, deepest, &mut |pointer, node| {
        let Some(text) = document.string(node).filter(|text| text.len() >= SHORTEST) else {
            return ControlFlow::Continue(());
        };
        if let Some(bytes) = packed::from_base64(text.as_bytes()) {
            sink(Cow::Owned(format!("{pointer}:base64")), bytes)?;
        }
        sink(Cow::Owned(pointer.to_owned()), text.into_bytes())
    })
}

pub(super) fn part(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    const DEPTH: usize = 3;
    let Some(document) = Document::parse(body) else {
        return ControlFlow::Continue(());
    };
    walk(&document, DEPTH, &mut |pointer, node| {
        if !matches!(node, Node::List(..) | Node::Map(..)) {
            return ControlFlow::Continue(());
        }
        sink(Cow::Owned(pointer.to_owned()), document.raw(node).to_vec())?;
        match document.print_node(node, &Style::COMPACT) {
            Some(printed) => sink(Cow::Owned(pointer.to_owned()), printed),
            None => ControlFlow::Continue(()),
        }
    })
}

pub(super) fn object(_: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for text in [
        "[object Object]",
        "[object ReadableStream]",
        "[object Buffer]",
        "Array",
        "\"\"",
        "{}",
        "undefined",
        "null",
        "\"[object Object]\"",
        "[object Promise]",
    ] {
        sink(PLAIN, text.as_bytes().to_vec())?;
    }
    ControlFlow::Continue(())
}

pub(super) fn empty(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, (!body.is_empty()).then(Vec::new))
}

pub(super) fn form_wrapped(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for name in ["payload", "data", "body", "json", "message"] {
        for style in form::Style::all() {
            let pair = (name.as_bytes().to_vec(), Some(body.to_vec()));
            sink(Cow::Borrowed(name), form::encoded(&[pair], &style))?;
        }
    }
    ControlFlow::Continue(())
}

pub(super) fn form_field(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    for (name, value) in form::fields(body).unwrap_or_default() {
        let name = shown(&String::from_utf8_lossy(&name));
        sink(Cow::Owned(name.into()), value.unwrap_or_default())?;
    }
    ControlFlow::Continue(())
}

pub(super) fn form_encoded(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(fields) = form::fields(body) else {
        return ControlFlow::Continue(());
    };
    for style in form::Style::all_for(&fields) {
        sink(Cow::Owned(style.words()), form::encoded(&fields, &style))?;
    }
    ControlFlow::Continue(())
}

pub(super) fn charset(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    /// Of longer forms, how they are encoded takes too long to find out.
    const LONGEST_FORM: usize = 1 << 18;
    let form = form::fields(body).filter(|_| body.is_ascii() && body.len() <= LONGEST_FORM);
    let form = form.filter(|fields| form::has_more_than_ascii(fields));
    let form = form.and_then(|fields| Some((form::Style::of(body, &fields)?, fields)));
    type Change = fn(&[u8], Charset) -> Option<Vec<u8>>;
    let changes: [(&'static str, Change, Charset); 4] = [
        ("latin1", charset::encoded, Charset::Latin1),
        ("cp1252", charset::encoded, Charset::Cp1252),
        ("read-as-latin1", charset::decoded, Charset::Latin1),
        ("read-as-cp1252", charset::decoded, Charset::Cp1252),
    ];
    for (name, change, set) in changes {
        let changed = match &form {
            // The characters are percent-encoded.
            Some((style, fields)) => form::changed(fields, |text| change(text, set))
                .map(|fields| form::encoded(&fields, style)),
            None => change(body, set),
        };
        offer_named(sink, name, changed)?;
    }
    ControlFlow::Continue(())
}

pub(super) fn byte_order_mark(
    body: &[u8],
    _: Option<usize>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    offer(sink, body.strip_prefix(MARK).map(<[u8]>::to_vec))
}

pub(super) fn lost_mark(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    sink(PLAIN, [b"\xef\xbb\xbf", body].concat())
}

pub(super) fn utf16(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let little = charset::to_utf16(body, u16::to_le_bytes);
    let big = charset::to_utf16(body, u16::to_be_bytes);
    let marked =
        |mark: &[u8], text: &Option<Vec<u8>>| text.as_ref().map(|text| [mark, text].concat());
    offer_named(sink, "utf-16le", marked(b"\xff\xfe", &little))?;
    offer_named(sink, "utf-16be", marked(b"\xfe\xff", &big))?;
    offer_named(sink, "utf-16le", little)?;
    offer_named(sink, "utf-16be", big)?;
    let unmarked = body
        .strip_prefix(b"\xff\xfe")
        .or(body.strip_prefix(b"\xfe\xff"));
    let unmarked = unmarked.unwrap_or(body);
    offer_named(
        sink,
        "utf-8",
        charset::from_utf16(unmarked, u16::from_le_bytes),
    )?;
    offer_named(
        sink,
        "utf-8",
        charset::from_utf16(unmarked, u16::from_be_bytes),
    )
}

pub(super) fn newline_lost(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    sink(PLAIN, [body, b"\n"].concat())?;
    sink(PLAIN, [body, b"\r\n"].concat())?;
    // One CRLF of which the LF was cut.
    let half = body.ends_with(b"\r");
    offer(sink, half.then(|| [body, b"\n"].concat()))
}

pub(super) fn newline_added(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let crlf = body.strip_suffix(b"\r\n");
    offer(sink, crlf.map(<[u8]>::to_vec))?;
    offer(sink, body.strip_suffix(b"\n").map(<[u8]>::to_vec))
}

pub(super) fn trimmed(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let trimmed = body.trim_ascii();
    offer(sink, (trimmed.len() < body.len()).then(|| trimmed.to_vec()))
}

pub(super) fn line_ends(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    if memchr::memchr2(b'\n', b'\r', body).is_none() {
        return ControlFlow::Continue(());
    }
    let mut unix = Vec::with_capacity(body.len());
    for (place, byte) in body.iter().enumerate() {
        let next = body.get(place.saturating_add(1));
        if !(*byte == b'\r' && next == Some(&b'\n')) {
            unix.push(*byte);
        }
    }
    let mut dos = Vec::with_capacity(body.len());
    for byte in &unix {
        if *byte == b'\n' {
            dos.push(b'\r');
        }
        dos.push(*byte);
    }
    sink(Cow::Borrowed("lf"), unix)?;
    sink(Cow::Borrowed("crlf"), dos)?;
    // That of the last line only.
    match (body.strip_suffix(b"\r\n"), body.strip_suffix(b"\n")) {
        (Some(rest), _) => sink(Cow::Borrowed("lf"), [rest, b"\n"].concat()),
        (None, Some(rest)) => sink(Cow::Borrowed("crlf"), [rest, b"\r\n"].concat()),
        (None, None) => ControlFlow::Continue(()),
    }
}

pub(super) fn base64(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_base64(body))
}

/// The bytes that a body lists, as `JSON.stringify` writes a `Buffer`, or has in hexadecimal.
pub(super) fn listed_bytes(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer_named(sink, "hex", packed::from_hex(body))?;
    let Some(document) = Document::parse(body) else {
        return ControlFlow::Continue(());
    };
    offer_named(sink, "list", json::bytes::of(&document))
}

pub(super) fn percent_encoded(
    body: &[u8],
    _: Option<usize>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let text = body.strip_suffix(b"=").unwrap_or(body);
    if memchr::memchr(b'%', text).is_none() {
        return ControlFlow::Continue(());
    }
    for text in [&*spaced(text), text] {
        sink(PLAIN, percent_encoding::percent_decode(text).collect())?;
    }
    ControlFlow::Continue(())
}

/// Of a sender that encodes what it signs, and not what it sends.
pub(super) fn encoded(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let text = std::str::from_utf8(body).ok();
    let string = text.and_then(|text| serde_json::to_vec(text).ok());
    offer_named(sink, "json-string", string)?;
    offer_named(sink, "hex", Some(packed::to_hex(body)))
}

/// Plus signs that are characters, and not the spaces that a form has for them.
pub(super) fn form_plus(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(text) = form::fields(body).and_then(|_| std::str::from_utf8(body).ok()) else {
        return ControlFlow::Continue(());
    };
    // That of a telephone number begins a value.
    for (lost, plus) in [("=+", "=%2B"), ("=%20", "=%2B"), ("+", "%2B")] {
        if text.contains(lost) {
            sink(PLAIN, text.replace(lost, plus).into_bytes())?;
        }
    }
    ControlFlow::Continue(())
}

pub(super) fn chunked(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_chunks(body))
}

pub(super) fn too_long(
    body: &[u8],
    declared: Option<usize>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let announced = declared.filter(|length| *length < body.len());
    offer(
        sink,
        announced
            .and_then(|length| body.get(..length))
            .map(<[u8]>::to_vec),
    )
}

pub(super) fn gzip(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_gzip(body))
}

pub(super) fn deflate(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_deflate(body))
}

pub(super) fn brotli(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_brotli(body))
}

pub(super) fn zstd(body: &[u8], _: Option<usize>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    offer(sink, packed::from_zstd(body))
}
