//! Serves the report to the browser: a page around it, the report itself as it is on the disk, and a stream of events that say when
//! it is a new one.
//!
//! It answers this machine alone, reads nothing of a request but its address, and serves no other file.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use convscope::{Error, ErrorKind, Result};
use serde::Serialize;

const PAGE: &str = include_str!("page.html");

/// In place of a report that is not written yet.
const NO_REPORT: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>convscope watch</title>\
    <p>There is no report yet.</p></html>";

/// The longest request that is read.
const MAX_REQUEST: u64 = 16 * 1024;

/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a stream of events shows that it is alive; only then a client that has left is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What the page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// How many reports there have been.
    pub report: u64,
    /// What is wrong, if the last run failed.
    pub error: Option<String>,
    /// Whether a run is going on.
    pub running: bool,
}

/// The server, and what its page shows.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    report: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

impl Server {
    /// Serves the file `report` at this port of 127.0.0.1, at a free one for 0.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn start(report: PathBuf, port: u16) -> Result<Server> {
        let failed = |error| {
            let message = format!("can't serve the report at 127.0.0.1:{port}");
            let help = "give another `--port`, or none for a free one";
            Error::new(ErrorKind::Usage, message)
                .caused_by(error)
                .help(help)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            report,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(std::result::Result::ok) {
                let shared = own.clone();
                std::thread::spawn(move || {
                    if let Err(error) = shared.answer(stream, address) {
                        tracing::debug!(%error, "a client has left");
                    }
                });
            }
        });
        Ok(Server { address, shared })
    }

    /// Changes what the page shows.
    pub fn update(&self, change: impl FnOnce(&mut State)) {
        change(
            &mut self
                .shared
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream, address: SocketAddr) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let Some(target) = read_request(&stream, address)? else {
            return respond(&mut stream, "400 Bad Request", "text/plain", b"");
        };
        let path = target.split(['?', '#']).next().unwrap_or_default();
        match path {
            "/" => respond(&mut stream, "200 OK", "text/html", PAGE.as_bytes()),
            "/report.html" => {
                let report = std::fs::read(&self.report);
                let report = report.unwrap_or_else(|_| NO_REPORT.as_bytes().to_vec());
                respond(&mut stream, "200 OK", "text/html", &report)
            }
            "/events" => self.send_events(&mut stream),
            _ => respond(&mut stream, "404 Not Found", "text/plain", b"not here"),
        }
    }

    /// Sends the state now and whenever it changes, until the client has left.
    fn send_events(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        )?;
        let mut sent: Option<State> = None;
        loop {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_known = |state: &mut State| sent.as_ref() == Some(state);
            let waited = self.changed.wait_timeout_while(state, HEARTBEAT, is_known);
            let state = waited.unwrap_or_else(PoisonError::into_inner).0.clone();
            if sent.as_ref() == Some(&state) {
                stream.write_all(b": still here\n\n")?;
                continue;
            }
            let json = serde_json::to_string(&state)?;
            stream.write_all(format!("data: {json}\n\n").as_bytes())?;
            sent = Some(state);
        }
    }
}

/// The address that a GET request asks for; `None` for other requests, and for those of a page of another site, which names
/// this machine by a name of its own.
fn read_request(stream: &TcpStream, address: SocketAddr) -> std::io::Result<Option<String>> {
    let mut lines = BufReader::new(stream.take(MAX_REQUEST)).lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let mut is_local = false;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            let port = address.port();
            let own = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
            is_local = own.iter().any(|own| own == value.trim());
        }
    }
    let target = first
        .strip_prefix("GET ")
        .and_then(|rest| rest.split(' ').next());
    Ok(target.filter(|_| is_local).map(str::to_owned))
}

fn respond(stream: &mut TcpStream, status: &str, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}
