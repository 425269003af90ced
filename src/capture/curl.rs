//! A `curl` command, as browsers, API clients and documentation write it.

use std::iter::Peekable;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::capture::{CapturedRequest, error::ReadError};

/// Options whose argument does not matter.
const WITH_ARGUMENT: [&str; 22] = [
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "-x",
    "--proxy",
    "--cacert",
    "--cert",
    "-E",
    "--key",
    "--retry",
    "--resolve",
    "-w",
    "--write-out",
    "-c",
    "--cookie-jar",
    "--limit-rate",
    "--interface",
    "-D",
    "--dump-header",
    "--max-redirs",
];

pub(super) fn read(command: &[u8]) -> Result<CapturedRequest, ReadError> {
    let command = std::str::from_utf8(command).map_err(|_| {
        ReadError::new("a curl command is UTF-8 text; save the request as raw HTTP instead")
    })?;
    let mut words = words(command)?.into_iter();
    words.next();
    let mut request = Request::default();
    while let Some(word) = words.next() {
        request.option(&word, &mut words)?;
    }
    request.build()
}

#[derive(Default)]
struct Request {
    method: Option<String>,
    url: Option<String>,
    headers: Vec<(String, String)>,
    data: Option<Vec<u8>>,
    is_json: bool,
    as_query: bool,
}

impl Request {
    fn option(
        &mut self,
        word: &str,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), ReadError> {
        // `-XPOST` and `--request=POST` are as good as with a space.
        let (name, attached) = match word.strip_prefix("--") {
            Some(_) => match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word, None),
            },
            None if word.starts_with('-') && word.len() > 1 => {
                let end = word
                    .char_indices()
                    .nth(2)
                    .map_or(word.len(), |(end, _)| end);
                let (name, value) = word.split_at_checked(end).unwrap_or((word, ""));
                (name, (!value.is_empty()).then(|| value.to_owned()))
            }
            None => {
                self.url.get_or_insert_with(|| word.to_owned());
                return Ok(());
            }
        };
        let mut argument = || {
            let value = attached.clone().or_else(|| rest.next());
            value.ok_or_else(|| ReadError::new(format!("curl: {name} has no argument")))
        };
        match name {
            "-X" | "--request" => self.method = Some(argument()?),
            "--url" => self.url = Some(argument()?),
            "-H" | "--header" => self.header(&argument()?),
            "-A" | "--user-agent" => self.headers.push(("User-Agent".into(), argument()?)),
            "-e" | "--referer" => self.headers.push(("Referer".into(), argument()?)),
            "-b" | "--cookie" => self.headers.push(("Cookie".into(), argument()?)),
            "-u" | "--user" => {
                let value = format!("Basic {}", STANDARD.encode(argument()?));
                self.headers.push(("Authorization".into(), value));
            }
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                self.add_data(name, &argument()?, true)?
            }
            "--data-raw" => self.add_data(name, &argument()?, false)?,
            "--data-urlencode" => {
                let value = argument()?;
                let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                let encoded = match value.split_once('=') {
                    Some(("", text)) => encode(text),
                    Some((name, text)) => format!("{name}={}", encode(text)),
                    None => encode(&value),
                };
                self.add_data(name, &encoded, value.contains('@') && !value.contains('='))?;
            }
            "--json" => {
                self.is_json = true;
                self.add_data(name, &argument()?, true)?;
            }
            "-F" | "--form" | "-T" | "--upload-file" | "-K" | "--config" => {
                return Err(ReadError::new(format!(
                    "curl: {name} makes a body from files, which are not read; save the request as raw HTTP"
                )));
            }
            "-G" | "--get" => self.as_query = true,
            "-I" | "--head" => self.method = Some("HEAD".into()),
            _ if WITH_ARGUMENT.contains(&name) => drop(argument()?),
            // Letters of options without an argument may be joined, as in `-sS`.
            _ if !name.starts_with("--") => {
                if let Some(rest_of_letters) = attached {
                    return self.option(&format!("-{rest_of_letters}"), rest);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn header(&mut self, line: &str) {
        if let Some((name, value)) = line.split_once(':') {
            self.headers
                .push((name.trim().to_owned(), value.trim().to_owned()));
        } else if let Some(name) = line.strip_suffix(';') {
            self.headers.push((name.trim().to_owned(), String::new()));
        }
    }

    fn add_data(&mut self, option: &str, text: &str, reads_files: bool) -> Result<(), ReadError> {
        if reads_files && text.starts_with('@') {
            return Err(ReadError::new(format!(
                "curl: the body is in a file that {option} names, which is not read; put the body into the command, or \
                 save the request as raw HTTP"
            )));
        }
        let data = match self.data.take() {
            Some(mut data) => {
                if option != "--json" {
                    data.push(b'&');
                }
                data.extend_from_slice(text.as_bytes());
                data
            }
            None => text.as_bytes().to_vec(),
        };
        self.data = Some(data);
        Ok(())
    }

    fn build(self) -> Result<CapturedRequest, ReadError> {
        let Some(mut url) = self.url else {
            return Err(ReadError::new("curl: the command has no URL"));
        };
        let mut data = self.data;
        if let Some(query) = data.take_if(|_| self.as_query) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&String::from_utf8_lossy(&query));
        }
        let method = self.method.unwrap_or_else(|| {
            let method = if data.is_some() { "POST" } else { "GET" };
            method.to_owned()
        });
        let mut captured =
            CapturedRequest::of(&method, &url, Bytes::from(data.clone().unwrap_or_default()));
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if data.is_some() && !has("content-type") {
            let content_type = if self.is_json {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            captured.push_header("Content-Type", content_type.as_bytes());
        }
        for (name, value) in &self.headers {
            captured.push_header(name, value.as_bytes());
        }
        Ok(captured)
    }
}

/// The words of a command, as a POSIX shell splits them; of `$'…'`, as bash does.
fn words(command: &str) -> Result<Vec<String>, ReadError> {
    const MOST: usize = 2048;
    let open = || ReadError::new("curl: a quotation mark is not closed; copy the whole command");
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = command.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            // What follows is another command.
            ';' | '|' | '&' | '>' | '<' if word.is_none() => break,
            '\\' => match letters.next() {
                Some('\n') => {}
                Some('\r') => {
                    letters.next_if_eq(&'\n');
                }
                Some(other) => word.get_or_insert_default().push(other),
                None => return Err(open()),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        Some('\'') => break,
                        Some(other) => word.push(other),
                        None => return Err(open()),
                    }
                }
            }
            '$' if letters.next_if_eq(&'\'').is_some() => {
                ansi(&mut letters, word.get_or_insert_default()).ok_or_else(open)?;
            }
            // Its quoting is another one, in which quotation marks and line ends follow a caret.
            '^' if matches!(letters.peek(), None | Some('"' | '\r' | '\n')) => {
                return Err(ReadError::new(
                    "curl: the command is for cmd.exe of Windows, with another quoting; copy it \"as cURL (bash)\"",
                ));
            }
            '"' => double(&mut letters, word.get_or_insert_default()).ok_or_else(open)?,
            other => word.get_or_insert_default().push(other),
        }
        if words.len() > MOST {
            return Err(ReadError::new("curl: the command has too many words"));
        }
    }
    words.extend(word);
    Ok(words)
}

/// Text in double quotes. `None` if they are not closed.
fn double(letters: &mut Peekable<impl Iterator<Item = char>>, word: &mut String) -> Option<()> {
    loop {
        match letters.next()? {
            '"' => return Some(()),
            '\\' => match letters.next()? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => {
                    word.push('\\');
                    word.push(other);
                }
            },
            other => word.push(other),
        }
    }
}

/// Text in `$'…'`. `None` if it is not closed.
fn ansi(letters: &mut Peekable<impl Iterator<Item = char>>, word: &mut String) -> Option<()> {
    loop {
        match letters.next()? {
            '\'' => return Some(()),
            '\\' => match letters.next()? {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                'a' => word.push('\u{7}'),
                'b' => word.push('\u{8}'),
                'f' => word.push('\u{c}'),
                'v' => word.push('\u{b}'),
                'e' => word.push('\u{1b}'),
                'x' => word.extend(code(letters, 2)),
                'u' => word.extend(code(letters, 4)),
                'U' => word.extend(code(letters, 8)),
                other => word.push(other),
            },
            other => word.push(other),
        }
    }
}

/// The character of a hexadecimal number with at most so many digits.
fn code(letters: &mut Peekable<impl Iterator<Item = char>>, most: usize) -> Option<char> {
    let mut number: u32 = 0;
    for _ in 0..most {
        let Some(digit) = letters.next_if(char::is_ascii_hexdigit) else {
            break;
        };
        let digit = digit.to_digit(16).unwrap_or_default();
        number = number.saturating_mul(16).saturating_add(digit);
    }
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_a_shell_does() {
        for (command, method, target, body) in [
            ("curl http://h/x", "GET", "http://h/x", ""),
            (
                "curl -XPUT 'http://h/x' -d a -d b",
                "PUT",
                "http://h/x",
                "a&b",
            ),
            (
                "curl \\\n  --request POST \\\n --url \"http://h/x\" --data-raw '@a'",
                "POST",
                "http://h/x",
                "@a",
            ),
            (
                "curl -sSL http://h/x --json '{\"a\": 1}'",
                "POST",
                "http://h/x",
                "{\"a\": 1}",
            ),
            (
                "curl http://h/x --data \"a \\\"b\\\" \\n\"",
                "POST",
                "http://h/x",
                "a \"b\" \\n",
            ),
            (
                "curl http://h/x --data-raw $'a\\n\\u00e9\\x41\\''",
                "POST",
                "http://h/x",
                "a\n\u{e9}A'",
            ),
            ("curl -G http://h/x -d a=1", "GET", "http://h/x?a=1", ""),
            (
                "curl http://h/x -o out --data-urlencode 'a=b c' | jq .",
                "POST",
                "http://h/x",
                "a=b%20c",
            ),
        ] {
            let read = read(command.as_bytes()).unwrap();
            assert_eq!(read.method(), method, "{command}");
            assert_eq!(read.target(), target, "{command}");
            assert_eq!(read.body(), body, "{command}");
        }
        let read = read(b"curl http://h/ -H 'A: b' -H 'C;' -u user:pass").unwrap();
        let headers: Vec<_> = read.headers().collect();
        let basic = ("Authorization", &b"Basic dXNlcjpwYXNz"[..]);
        assert_eq!(headers, [("A", &b"b"[..]), ("C", b""), basic]);
    }

    /// As browsers copy it on Windows, now and formerly.
    #[test]
    fn a_command_for_cmd_exe_is_told() {
        for command in [
            "curl ^\"https://h/x^\" ^\r\n  -H ^\"a: b^\" ^\r\n  --data-raw ^\"^{^\\^\"a^\\^\":1^}^\"",
            "curl \"https://h/x\" ^\n  -H \"a: b\"",
            "curl \"https://h/x\" ^",
        ] {
            let error = read(command.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("as cURL (bash)"), "{command}: {error}");
        }
        let read = read(b"curl https://h/x^y -d 'a^'").unwrap();
        assert_eq!(
            (read.target(), &read.body()[..]),
            ("https://h/x^y", &b"a^"[..])
        );
    }

    #[test]
    fn no_file_is_read() {
        for command in [
            "curl http://h/ -d @/etc/passwd",
            "curl http://h/ --data-binary @x",
            "curl h -F a=@x",
            "curl h -T x",
        ] {
            let error = read(command.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("not read"), "{command}: {error}");
        }
        for command in ["curl http://h/ -d 'a", "curl -H", "curl -d a"] {
            assert!(read(command.as_bytes()).is_err(), "{command}");
        }
    }
}
