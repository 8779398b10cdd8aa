//! Progress on stderr: a bar and the current step on a terminal; elsewhere only warnings (and, with
//! `-v`, one line a step).

use std::io::IsTerminal;
use std::time::Duration;

use convscope::progress::{Progress, ProgressUnit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::exit_status::print_note;
use super::interrupt;

/// Shows progress on stderr.
pub struct TerminalProgress {
    bar: ProgressBar,
    quiet: bool,
    verbose: bool,
}

impl TerminalProgress {
    /// Draws a bar if stderr is a terminal and `quiet` is off; logs each step if `verbose`.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        let draws = std::io::stderr().is_terminal() && !quiet;
        let target = if draws {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if draws {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        TerminalProgress {
            bar,
            quiet,
            verbose,
        }
    }

    /// Prints a text to stderr, unless only errors are printed there.
    pub fn print(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| print_note(text.trim_end()));
        }
    }

    /// Removes the bar, before something is printed.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for TerminalProgress {
    fn step(&self, message: &str) {
        self.bar.set_message(message.to_owned());
        if self.verbose && !self.quiet {
            self.bar.suspend(|| tracing::info!("{message}"));
        }
    }

    fn advance(&self, done: u64, total: Option<u64>, unit: ProgressUnit) {
        let template = match (total, unit) {
            (Some(_), ProgressUnit::Bytes) => {
                "{spinner} [{bar:24}] {bytes}/{total_bytes} {eta} {wide_msg}"
            }
            (Some(_), ProgressUnit::Items) => "{spinner} [{bar:24}] {pos}/{len} {eta} {wide_msg}",
            (None, ProgressUnit::Bytes) => "{spinner} {bytes} {wide_msg}",
            (None, ProgressUnit::Items) => "{spinner} {pos} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    fn note(&self, message: &str) {
        self.warn(message);
    }

    fn interrupted(&self) -> bool {
        interrupt::has_come()
    }

    fn warn(&self, message: &str) {
        if !self.quiet {
            self.bar
                .suspend(|| print_note(format_args!("convscope: {message}")));
        }
    }
}
