//! A redis-server of a test's own: on a free port, without files, and gone with this value.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub struct Redis {
    port: u16,
    password: Option<&'static str>,
    server: Option<Child>,
    paused: bool,
}

impl Redis {
    /// Starts one. `None` where redis-server is missing; then the test is skipped, except in CI.
    pub fn start() -> Option<Self> {
        Self::start_with(None)
    }

    /// Starts one that asks for a password.
    pub fn start_with(password: impl Into<Option<&'static str>>) -> Option<Self> {
        let mut redis = Self {
            port: 0,
            password: password.into(),
            server: None,
            paused: false,
        };
        if !is_installed("redis-server") {
            return None;
        }
        // Somebody else may take a port that was free a moment ago.
        for _ in 0..10 {
            redis.port = free_port();
            if redis.try_start() {
                return Some(redis);
            }
        }
        panic!("redis-server does not start on any port");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        let password = self.password.map(|password| format!(":{password}@"));
        format!(
            "redis://{}127.0.0.1:{}/",
            password.unwrap_or_default(),
            self.port
        )
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
        self.paused = false;
    }

    /// Starts it again after [`kill`](Self::kill), on the same port, empty.
    pub fn restart(&mut self) {
        assert!(self.server.is_none(), "it still runs");
        // The port is nobody's for a moment only.
        for _ in 0..50 {
            if self.try_start() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("redis-server does not start again on port {}", self.port);
    }

    /// Stops it where it is, as `kill -STOP` does: it accepts connections and answers nothing.
    pub fn pause(&mut self) {
        self.signal("-STOP");
        self.paused = true;
    }

    pub fn resume(&mut self) {
        self.signal("-CONT");
        self.paused = false;
    }

    /// Sends one command over a connection of its own, and gives what Redis answers: the value, or
    /// the error's text with its leading `-`. Arrays are not read.
    pub fn ask(&self, words: &[&str]) -> String {
        let mut asked = self.send(words);
        reply(&mut asked)
    }

    /// The same about a key that may be no text, which comes last. So may the answer.
    pub fn ask_about(&self, words: &[&str], key: &[u8]) -> Vec<u8> {
        let words: Vec<_> = words
            .iter()
            .map(|word| word.as_bytes())
            .chain([key])
            .collect();
        reply_bytes(&mut self.send(&words))
    }

    /// Sends one command, and does not wait for the answer.
    pub fn send<W: AsRef<[u8]>>(&self, words: &[W]) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let mut reader = BufReader::new(stream);
        if let Some(password) = self.password {
            write_command(reader.get_mut(), &["AUTH", password]).unwrap();
            assert_eq!(reply(&mut reader), "OK");
        }
        write_command(reader.get_mut(), words).unwrap();
        reader
    }

    /// How many commands of this name it has run.
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.ask(&["INFO", "commandstats"]);
        let prefix = format!("cmdstat_{command}:calls=");
        let mut lines = stats.lines();
        let count = lines.find_map(|line| line.strip_prefix(prefix.as_str()));
        let count = count.and_then(|rest| rest.split(',').next());
        count.map_or(0, |count| count.parse().unwrap())
    }

    fn try_start(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            // DEBUG SLEEP is how a test makes it slow.
            .args(["--enable-debug-command", "yes"])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        let mut server = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            // It ends by itself where the port is taken, so an answer alone would not be proof.
            if server.try_wait().unwrap().is_some() {
                return false;
            }
            if is_answering(self.port, server.id()) {
                self.server = Some(server);
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        server.kill().unwrap();
        server.wait().unwrap();
        false
    }

    fn signal(&self, signal: &str) {
        let server = self.server.as_ref().expect("it does not run");
        let id = server.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Whether a program is there, which is also the name of its Debian package. Without it a test is
/// skipped, except in CI.
pub fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    if version.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let needs = format!("needs {program}; install the Debian package {program}");
    assert!(std::env::var_os("CI").is_none(), "{needs}");
    // Not `eprintln`: the test harness would keep it to itself.
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let line = format!("SKIPPED {name}: {needs}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
    false
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether a Redis answers there. One that wants a password says so, and no more.
fn is_answering(port: u16, process: u32) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut reader = BufReader::new(stream);
    if write_command(reader.get_mut(), &["INFO", "server"]).is_err() {
        return false;
    }
    let answer = reply(&mut reader);
    answer.starts_with("-NOAUTH") || answer.contains(&format!("process_id:{process}\r\n"))
}

fn write_command<W: AsRef<[u8]>>(stream: &mut TcpStream, words: &[W]) -> io::Result<()> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    stream.write_all(&bytes)
}

fn reply(reader: &mut BufReader<TcpStream>) -> String {
    String::from_utf8(reply_bytes(reader)).unwrap()
}

fn reply_bytes(reader: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() {
        return Vec::new();
    }
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("$", "-1")) => b"(nil)".to_vec(),
        Some(("$", length)) => {
            let mut value = vec![0; length.parse::<usize>().unwrap() + 2];
            io::Read::read_exact(reader, &mut value).unwrap();
            value.truncate(value.len() - 2);
            value
        }
        Some(("+" | ":", value)) => value.into(),
        _ => line.into(),
    }
}
