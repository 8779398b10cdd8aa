//! Downloads a file from a URL. An interrupted download is resumed, in this run or the next.
//!
//! Bytes go into `<file>.part`; the file gets its final name after its length and sha256 were verified.

use std::fs::{self, File};
use std::io::{ErrorKind as IoKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, StatusCode, header};

use super::cache::{Cache, CachedFile, remove_file};
use super::catalogue::RemoteFile;
use super::checksum::file_sha256;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, ProgressUnit};

const BUFFER: usize = 1 << 16;
/// The number of attempts before an interrupted download is an error.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; it grows with each one.
const PAUSE: Duration = Duration::from_millis(250);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time without a byte from the server.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Why an attempt ended without the whole file.
enum AttemptError {
    /// The connection was lost; the bytes so far are kept.
    Interrupted(Error),
    /// The `.part` file is not the start of the server's file.
    StalePart,
    /// Another attempt would fail in the same way.
    Permanent(Error),
}

impl From<Error> for AttemptError {
    fn from(error: Error) -> Self {
        AttemptError::Permanent(error)
    }
}

/// Downloads `file` from `url` into `folder` of the cache.
///
/// # Errors
/// If the server can't be reached or answers with an error; if the connection is lost in every attempt
/// (the bytes so far are kept for the next run); if the length or the sha256 is not the catalogue's (nothing is kept).
pub(super) fn download_file(
    url: &str,
    folder: &str,
    file: &RemoteFile,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<CachedFile> {
    let path = cache.path(folder, &file.path)?;
    let part = part_path(&path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)
            .map_err(|cause| Error::io("create the folder", parent, cause))?;
    }
    let mut resumed = file_length(&part) > 0;
    loop {
        download(url, &part, file.bytes, progress)?;
        let sha256 = file_sha256(&part)?;
        if file.checksum.matches(&sha256) {
            fs::rename(&part, &path).map_err(|cause| Error::io("write", &path, cause))?;
            cache.record_checksum(&path, file, &sha256)?;
            return Ok(CachedFile { path, sha256 });
        }
        remove_file(&part)?;
        // The earlier part may be from another version of the file. Then a new download can succeed.
        if !resumed {
            return Err(file.checksum.mismatch(url, &sha256));
        }
        resumed = false;
        progress.warn(&format!(
            "the earlier part of {url} doesn't match the rest; fetching it from the start"
        ));
    }
}

/// Downloads the rest of the file at `url` into `part`, in up to [`ATTEMPTS`] attempts.
fn download(url: &str, part: &Path, bytes: Option<u64>, progress: &dyn Progress) -> Result<()> {
    let agent = agent();
    let mut attempts = 0;
    loop {
        match attempt(&agent, url, part, bytes, progress) {
            Ok(()) => return Ok(()),
            Err(AttemptError::Permanent(error)) => return Err(error),
            Err(AttemptError::StalePart) => {
                tracing::debug!(url, "the earlier part doesn't match the server's file");
                remove_file(part)?;
                attempts += 1;
                if attempts >= ATTEMPTS {
                    let message =
                        format!("the server of {url} returns other ranges than requested");
                    return Err(Error::new(ErrorKind::Fetch, message));
                }
            }
            Err(AttemptError::Interrupted(error)) => {
                attempts += 1;
                if attempts >= ATTEMPTS {
                    return Err(error);
                }
                tracing::debug!(url, error = %error.full_message(), "interrupted; trying again");
                std::thread::sleep(PAUSE * attempts);
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
) -> Result<(), AttemptError> {
    let have = file_length(part);
    match bytes {
        Some(bytes) if have == bytes && have > 0 => return Ok(()),
        Some(bytes) if have > bytes => return Err(AttemptError::StalePart),
        _ => {}
    }
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request
        .call()
        .map_err(|cause| connection_error(url, cause))?;
    let (start, total) = match response.status() {
        StatusCode::PARTIAL_CONTENT => match content_range(&response) {
            Some((Some(start), total)) if start == have => (start, total),
            _ => return Err(AttemptError::StalePart),
        },
        // The part is complete, or longer than the server's file.
        StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
            return match content_range(&response) {
                Some((None, Some(total))) if total == have => Ok(()),
                _ => Err(AttemptError::StalePart),
            };
        }
        StatusCode::OK => (0, response.body().content_length()),
        status => return Err(AttemptError::Permanent(status_error(url, status))),
    };
    if let (Some(total), Some(bytes)) = (total, bytes)
        && total != bytes
    {
        let message = format!("{url} must have {bytes} bytes, got {total}; it was not fetched");
        return Err(AttemptError::Permanent(
            Error::new(ErrorKind::Fetch, message)
                .help("the publisher has changed the file, or a proxy replaces it"),
        ));
    }
    let done = receive(url, response, part, start, total.or(bytes), progress)?;
    let wanted = total.or(bytes);
    match wanted {
        // Without a length from the server a complete body can't be distinguished from an interrupted one.
        Some(wanted) if done < wanted => Err(AttemptError::Interrupted(interrupted(
            url,
            done,
            Some(wanted),
            IoKind::UnexpectedEof.into(),
        ))),
        Some(wanted) if done > wanted => {
            remove_file(part)?;
            let message = format!("{url} must have {wanted} bytes, got more; the file was removed");
            Err(AttemptError::Permanent(Error::new(
                ErrorKind::Fetch,
                message,
            )))
        }
        _ => Ok(()),
    }
}

/// Writes the response's body after the first `start` bytes of `part`. Returns the length of `part`.
fn receive(
    url: &str,
    response: Response<ureq::Body>,
    part: &Path,
    start: u64,
    total: Option<u64>,
    progress: &dyn Progress,
) -> Result<u64, AttemptError> {
    let write_error = |cause| AttemptError::Permanent(Error::io("write", part, cause));
    let mut options = File::options();
    let options = options.create(true).write(true);
    let mut file = match start {
        0 => options.truncate(true).open(part),
        _ => File::options().append(true).open(part),
    }
    .map_err(write_error)?;
    let mut body = response.into_body().into_reader();
    let (mut done, mut buffer) = (start, vec![0; BUFFER]);
    progress.advance(done, total, ProgressUnit::Bytes);
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(cause) if cause.kind() == IoKind::Interrupted => continue,
            Err(cause) => {
                file.flush().map_err(write_error)?;
                return Err(AttemptError::Interrupted(interrupted(
                    url, done, total, cause,
                )));
            }
        };
        file.write_all(&buffer[..count]).map_err(write_error)?;
        done += count as u64;
        progress.advance(done, total, ProgressUnit::Bytes);
        // An endless body must not fill the disk.
        if total.is_some_and(|total| done > total) {
            break;
        }
    }
    file.flush().map_err(write_error)?;
    Ok(done)
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        // Lengths, ranges and checksums are those of the uncompressed file.
        .accept_encoding("identity")
        .user_agent(concat!("convscope/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .build()
        .into()
}

/// The first byte and the total length from `Content-Range: bytes 5-9/10` or `bytes */10`.
fn content_range(response: &Response<ureq::Body>) -> Option<(Option<u64>, Option<u64>)> {
    let text = response.headers().get(header::CONTENT_RANGE)?;
    let text = text.to_str().ok()?.trim().strip_prefix("bytes")?;
    let (range, total) = text.trim().split_once('/')?;
    let start = range
        .split_once('-')
        .and_then(|(start, _)| start.trim().parse().ok());
    Some((start, total.trim().parse().ok()))
}

fn connection_error(url: &str, cause: ureq::Error) -> AttemptError {
    let (what, help) = match &cause {
        ureq::Error::HostNotFound => (
            "can't find the host of",
            "check the network; with `--offline` only the cache is used",
        ),
        ureq::Error::Io(error) if error.kind() == IoKind::ConnectionRefused => (
            "connection refused by",
            "a proxy is read from HTTPS_PROXY or HTTP_PROXY",
        ),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
            ("invalid URL:", "a URL begins with https://")
        }
        ureq::Error::Io(_) | ureq::Error::Protocol(_) => {
            let message = format!("no answer from {url}");
            let error = Error::new(ErrorKind::Fetch, message).caused_by(cause);
            return AttemptError::Interrupted(
                error.help("check the network; with `--offline` only the cache is used"),
            );
        }
        _ => (
            "can't reach",
            "check the network; a proxy is read from HTTPS_PROXY or HTTP_PROXY",
        ),
    };
    let error = Error::new(ErrorKind::Fetch, format!("{what} {url}")).caused_by(cause);
    AttemptError::Permanent(error.help(help))
}

fn status_error(url: &str, status: StatusCode) -> Error {
    let (what, help) = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => (
            "not found:",
            "the publisher has moved or removed the file; name another weight set (`convscope models` lists them) or a file of your own",
        ),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ("access denied to", "a firewall or proxy may block it")
        }
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => (
            "the proxy requires authentication to fetch",
            "write user and password into HTTPS_PROXY",
        ),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            ("server error for", "try again later")
        }
        _ => ("can't fetch", "the URL may be out of date"),
    };
    let message = format!("{what} {url} (HTTP {})", status.as_u16());
    Error::new(ErrorKind::Fetch, message).help(help)
}

fn interrupted(url: &str, done: u64, total: Option<u64>, cause: std::io::Error) -> Error {
    let of_total = total.map_or(String::new(), |total| format!(" of {total}"));
    let message = format!("the connection was lost after {done}{of_total} bytes of {url}");
    Error::new(ErrorKind::Fetch, message)
        .caused_by(cause)
        .help("run it again: the download is resumed")
}

fn file_length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn part_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}
