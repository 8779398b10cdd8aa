//! Files from an address: what a cut connection left is kept and gone on with.
//!
//! Bytes go into `<file>.part`, in this run or the next; the file gets its name once its length and
//! sum are right.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::cache::{mismatch, remove, sha256_of};
use super::{Cache, Fetched, RemoteFile};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, Unit};

const BUFFER: usize = 1 << 16;
/// How often a connection may break before the user is told.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);
const CONNECT: Duration = Duration::from_secs(30);
/// A server that says nothing for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Why one try ended without the whole file.
enum Stop {
    /// The connection broke; what came is kept.
    Cut(Error),
    /// What is there is not the start of what the server has: begin anew.
    Stale,
    /// Another try would end the same way.
    Final(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Final(error)
    }
}

/// Fetches `file` from `url` into `folder` of the cache.
///
/// # Errors
/// If the server can't be reached or says no; if the connection breaks again and again (what came
/// is kept for the next run); if length or sum are not the catalogue's (nothing is kept then).
pub(super) fn fetch(
    url: &str,
    folder: &str,
    file: &RemoteFile,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Fetched> {
    let path = cache.path(folder, &file.path)?;
    let part = part_path(&path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|cause| Error::io("make the folder", parent, cause))?;
    }
    let mut resumed = length(&part) > 0;
    loop {
        download(url, &part, file.bytes, progress)?;
        let sha256 = sha256_of(&part)?;
        if file.checksum.fits(&sha256) {
            fs::rename(&part, &path).map_err(|cause| Error::io("write", &path, cause))?;
            cache.note(&path, file, &sha256)?;
            return Ok(Fetched { path, sha256 });
        }
        remove(&part)?;
        // Two halves of two different files? Then the whole may still be right.
        if !resumed {
            return Err(mismatch(url, &sha256, &file.checksum));
        }
        resumed = false;
        progress.warn(&format!(
            "what was kept of {url} does not fit the rest; fetching it from the start"
        ));
    }
}

/// Makes `part` hold all of `url`, from where it ends on.
fn download(url: &str, part: &Path, bytes: Option<u64>, progress: &dyn Progress) -> Result<()> {
    let agent = agent();
    let mut tries = 0;
    loop {
        match attempt(&agent, url, part, bytes, progress) {
            Ok(()) => return Ok(()),
            Err(Stop::Final(error)) => return Err(error),
            Err(Stop::Stale) => {
                tracing::debug!(url, "the kept part is of no use");
                remove(part)?;
                tries += 1;
                if tries >= TRIES {
                    let message = format!("{url} answers with other parts than it is asked for");
                    return Err(Error::new(ErrorKind::Fetch, message));
                }
            }
            Err(Stop::Cut(error)) => {
                tries += 1;
                if tries >= TRIES {
                    return Err(error);
                }
                tracing::debug!(url, error = %error.one_line(), "cut; trying again");
                std::thread::sleep(PAUSE * tries);
            }
        }
    }
}

fn attempt(
    agent: &Agent,
    url: &str,
    part: &Path,
    bytes: Option<u64>,
    progress: &dyn Progress,
) -> Result<(), Stop> {
    let have = length(part);
    match bytes {
        Some(bytes) if have == bytes && have > 0 => return Ok(()),
        Some(bytes) if have > bytes => return Err(Stop::Stale),
        _ => {}
    }
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.call().map_err(|cause| unreachable(url, cause))?;
    let (start, total) = match response.status() {
        StatusCode::PARTIAL_CONTENT => match content_range(&response) {
            Some((Some(start), total)) if start == have => (start, total),
            _ => return Err(Stop::Stale),
        },
        // All of it is there already, or it is longer than what the server has.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
            return match content_range(&response) {
                Some((None, Some(total))) if total == have => Ok(()),
                _ => Err(Stop::Stale),
            };
        }
        StatusCode::OK => (0, response.body().content_length()),
        status => return Err(Stop::Final(refused(url, status))),
    };
    if let (Some(total), Some(bytes)) = (total, bytes)
        && total != bytes
    {
        let message = format!("{url} has {total} bytes, wanted {bytes}: not fetching it");
        return Err(Stop::Final(Error::new(ErrorKind::Fetch, message).help(
            "the publisher has changed the file, or something on the way answers in its place",
        )));
    }
    let done = receive(url, response, part, start, total.or(bytes), progress)?;
    let wanted = total.or(bytes);
    match wanted {
        // Without a total from the server a short body can't be told from a cut one.
        Some(wanted) if done < wanted => Err(Stop::Cut(cut(
            url,
            done,
            Some(wanted),
            IoKind::UnexpectedEof.into(),
        ))),
        Some(wanted) if done > wanted => {
            remove(part)?;
            let message = format!("{url} has more than {wanted} bytes: not using it");
            Err(Stop::Final(Error::new(ErrorKind::Fetch, message)))
        }
        _ => Ok(()),
    }
}

/// Writes the answer's body behind the first `start` bytes of `part`; the length reached.
fn receive(
    url: &str,
    response: Response<ureq::Body>,
    part: &Path,
    start: u64,
    total: Option<u64>,
    progress: &dyn Progress,
) -> Result<u64, Stop> {
    let write = |cause| Stop::Final(Error::io("write", part, cause));
    let mut options = File::options();
    let options = options.create(true).write(true);
    let mut file = match start {
        0 => options.truncate(true).open(part),
        _ => File::options().append(true).open(part),
    }
    .map_err(write)?;
    let mut body = response.into_body().into_reader();
    let (mut done, mut buffer) = (start, vec![0; BUFFER]);
    progress.advance(done, total, Unit::Bytes);
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(cause) if cause.kind() == IoKind::Interrupted => continue,
            Err(cause) => {
                file.flush().map_err(write)?;
                return Err(Stop::Cut(cut(url, done, total, cause)));
            }
        };
        file.write_all(&buffer[..count]).map_err(write)?;
        done += count as u64;
        progress.advance(done, total, Unit::Bytes);
        // A body without end must not fill the disk.
        if total.is_some_and(|total| done > total) {
            break;
        }
    }
    file.flush().map_err(write)?;
    Ok(done)
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // Lengths, ranges and sums are of the file as it is.
        .accept_encoding("identity")
        .user_agent(concat!("convscope/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into()
}

/// The first byte and the whole length out of `Content-Range: bytes 5-9/10` or `bytes */10`.
fn content_range(response: &Response<ureq::Body>) -> Option<(Option<u64>, Option<u64>)> {
    let text = response.headers().get(header::CONTENT_RANGE)?;
    let text = text.to_str().ok()?.trim().strip_prefix("bytes")?;
    let (range, total) = text.trim().split_once('/')?;
    let start = range
        .split_once('-')
        .and_then(|(start, _)| start.trim().parse().ok());
    Some((start, total.trim().parse().ok()))
}

fn unreachable(url: &str, cause: ureq::Error) -> Stop {
    let (what, help) =
        match &cause {
            ureq::Error::HostNotFound => (
                "can't find the host of",
                "is there a network? What is already in the cache works with `--offline`",
            ),
            ureq::Error::Io(error) if error.kind() == IoKind::ConnectionRefused => (
                "the connection was refused:",
                "a proxy is taken from HTTPS_PROXY or HTTP_PROXY",
            ),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                ("this is no address:", "it should begin with https://")
            }
            ureq::Error::Io(_) | ureq::Error::Protocol(_) => {
                let message = format!("no answer from {url}");
                let error = Error::new(ErrorKind::Fetch, message).because(cause);
                return Stop::Cut(error.help(
                    "is there a network? What is already in the cache works with `--offline`",
                ));
            }
            _ => (
                "can't reach",
                "is there a network? A proxy is taken from HTTPS_PROXY or HTTP_PROXY",
            ),
        };
    let error = Error::new(ErrorKind::Fetch, format!("{what} {url}")).because(cause);
    Stop::Final(error.help(help))
}

fn refused(url: &str, status: StatusCode) -> Error {
    let (what, help) = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => (
            "there is no",
            "the publisher has moved or removed the file; name another weight set (`convscope models` lists them) or a file of your own",
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
            "the server won't give",
            "a firewall or proxy may stand in between",
        ),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => (
            "the proxy won't fetch",
            "put user and password into HTTPS_PROXY",
        ),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            ("the server can't give", "try again later")
        }
        _ => ("can't fetch", "the address may be out of date"),
    };
    let message = format!("{what} {url} (HTTP {})", status.as_u16());
    Error::new(ErrorKind::Fetch, message).help(help)
}

fn cut(url: &str, done: u64, total: Option<u64>, cause: std::io::Error) -> Error {
    let of = total.map_or(String::new(), |total| format!(" of {total}"));
    let message = format!("the connection broke after {done}{of} bytes of {url}");
    Error::new(ErrorKind::Fetch, message)
        .because(cause)
        .help("run it again: it goes on where it stopped")
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn part_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}
