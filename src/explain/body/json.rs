//! JSON printed again, as the writers that people use print it.

pub(super) mod bytes;
pub(in crate::explain) mod document;
pub(super) mod escapes;
pub(in crate::explain) mod numbers;
mod print;
pub(super) mod style;

#[cfg(test)]
mod tests {
    use super::{document::Document, style::Style};

    fn printed(text: &str, words: &str) -> String {
        let document = Document::parse(text.as_bytes()).unwrap();
        let mut styles = Style::all().iter();
        let (style, _) = styles.find(|(_, known)| known == words).expect(words);
        String::from_utf8(document.print(style).unwrap()).unwrap()
    }

    #[test]
    fn each_style_prints_as_its_writer() {
        let text =
            "{\"b\": [1, 2.50, 1e2, 3.0], \"aa\": \"/\\u00e9<\\ud83d\\ude00\\\"\", \"c\":{} }";
        for (words, expected) in [
            (
                "compact",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "python+ascii",
                "{\"b\": [1, 2.50, 1e2, 3.0], \"aa\": \"/\\u00e9<\\ud83d\\ude00\\\"\", \"c\": {}}",
            ),
            (
                "compact+html",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\u{e9}\\u003c\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "compact+ascii-upper+slashes",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"\\/\\u00E9<\\uD83D\\uDE00\\\"\",\"c\":{}}",
            ),
            (
                "compact+dotnet",
                "{\"b\":[1,2.50,1e2,3.0],\"aa\":\"/\\u00E9\\u003C\\uD83D\\uDE00\\u0022\",\"c\":{}}",
            ),
            (
                "sorted+shortest-numbers",
                "{\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"b\":[1,2.5,100,3],\"c\":{}}",
            ),
            (
                "jsonb",
                "{\"b\":[1,2.50,1e2,3.0],\"c\":{},\"aa\":\"/\u{e9}<\u{1f600}\\\"\"}",
            ),
            (
                "integers-as-floats",
                "{\"b\":[1.0,2.50,1e2,3.0],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "floats-as-integers",
                "{\"b\":[1,2.50,1e2,3],\"aa\":\"/\u{e9}<\u{1f600}\\\"\",\"c\":{}}",
            ),
            (
                "indent-2",
                "{\n  \"b\": [\n    1,\n    2.50,\n    1e2,\n    3.0\n  ],\n  \"aa\": \"/\u{e9}<\u{1f600}\\\"\",\n  \"c\": {}\n}",
            ),
        ] {
            assert_eq!(printed(text, words), expected, "{words}");
        }
    }

    #[test]
    fn what_is_no_document_is_none() {
        for text in ["", "1", "true", "{", "{\"a\":}", "{\"a\":1} x", "\"\\x\""] {
            assert!(Document::parse(text.as_bytes()).is_none(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(Document::parse(deep.as_bytes()).is_none());
        assert_eq!(printed("\"\\ud83d\"", "compact"), "\"\\ud83d\"");
    }
}
