//! SIGINT and SIGTERM: the first one lets a run store where it is, a second one ends the program at once.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use convscope::results::store::OutputFolder;
use convscope::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::exit_status::print_note;

/// How long a run may take to stop: a scheduler kills what has not ended half a minute after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// The signal that came first; 0 if none has come.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Folders that the program has created, the outermost first.
static CREATED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Listens to SIGINT and SIGTERM from now on.
///
/// # Errors
/// If the system refuses it.
pub fn listen() -> Result<()> {
    let failed = |error| Error::io("listen to", std::path::Path::new("signals"), error);
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let first = SIGNAL.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            if first.is_err() {
                end();
            }
            print_note("convscope: stopping after the current step; a second signal stops at once");
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                end();
            });
        }
    });
    Ok(())
}

/// Whether a signal has come.
pub fn has_come() -> bool {
    SIGNAL.load(Ordering::SeqCst) != 0
}

/// The exit code of a program that a signal has stopped: 130 for SIGINT, 143 for SIGTERM.
pub fn exit_code() -> u8 {
    match SIGNAL.load(Ordering::SeqCst) {
        SIGTERM => 143,
        _ => 130,
    }
}

/// Removes the folders that `output` has created if they are empty when a signal ends the program.
pub fn remove_if_empty(output: &OutputFolder) {
    if let Ok(mut created) = CREATED.lock() {
        created.extend(output.created().iter().cloned());
    }
}

/// Ends the program. Files are written aside and moved, so that none is half written.
fn end() -> ! {
    if let Ok(created) = CREATED.lock() {
        for folder in created.iter().rev() {
            // A folder that is not empty stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
    low_level::exit(exit_code().into())
}
