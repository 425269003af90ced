//! A proxy in front of a server, which delays, cuts, halves and refuses connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub struct Proxy {
    port: u16,
    connections: Arc<AtomicUsize>,
}

/// What becomes of a connection. They take turns.
#[derive(Clone, Copy)]
enum Fate {
    /// It works for a while.
    Passed,
    /// It is closed at once.
    Refused,
    /// Nothing is passed on for longer than a step may take.
    Delayed,
    /// It ends after some bytes of the answers.
    Cut,
    /// Of one answer half is passed on, and then nothing.
    Halved,
}

const FATES: [Fate; 6] = [
    Fate::Passed,
    Fate::Refused,
    Fate::Delayed,
    Fate::Cut,
    Fate::Halved,
    Fate::Passed,
];

impl Proxy {
    /// It serves until the process ends.
    pub fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let fate = FATES[number % FATES.len()];
                // A connection that its other side has closed is no fault of the test.
                thread::spawn(move || client.and_then(|client| serve(&client, port, fate, number)));
            }
        });
        Self {
            port: own_port,
            connections,
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(client: &TcpStream, port: u16, fate: Fate, number: usize) -> std::io::Result<()> {
    match fate {
        Fate::Refused => return client.shutdown(Shutdown::Both),
        Fate::Delayed => thread::sleep(Duration::from_millis(1500)),
        Fate::Passed | Fate::Cut | Fate::Halved => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.set_read_timeout(Some(Duration::from_millis(50)))?;
    let (mut questions, mut asked) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || std::io::copy(&mut questions, &mut asked));
    let end = Instant::now() + Duration::from_millis(400);
    let mut left = match fate {
        Fate::Cut => 300 + number * 37 % 1500,
        _ => usize::MAX,
    };
    let mut answers: usize = 0;
    let mut buffer = [0; 4096];
    while Instant::now() < end && left > 0 {
        let read = match server.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(_) => continue,
        };
        answers += 1;
        if matches!(fate, Fate::Halved) && answers > 20 {
            (&mut &*client).write_all(&buffer[..read / 2])?;
            thread::sleep(Duration::from_millis(900));
            break;
        }
        let passed = read.min(left);
        (&mut &*client).write_all(&buffer[..passed])?;
        left -= passed;
    }
    server.shutdown(Shutdown::Both)?;
    client.shutdown(Shutdown::Both)
}
