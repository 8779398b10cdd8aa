//! Shared by the test binaries: how a test is skipped.

use std::io::Write;

/// Prints that a test is skipped and why: `skipped: the browser tests, because Chromium is missing`. The line goes
/// to stderr itself, which the test harness doesn't capture.
///
/// # Panics
/// If `CI` is set and CI must have what the test needs.
pub fn skip(subject: &str, reason: &str, required_in_ci: bool) {
    let line = format!("skipped: {subject}, because {reason}");
    assert!(
        !required_in_ci || std::env::var_os("CI").is_none(),
        "{line}; CI must not skip it"
    );
    let _ = writeln!(std::io::stderr(), "{line}");
}
