//! Progress on stderr: a bar and the current step on a terminal, nothing elsewhere but warnings
//! (and, with `-v`, a line a step).

use std::io::IsTerminal;
use std::time::Duration;

use convscope::progress::{Progress, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells a person at a terminal.
pub struct Terminal {
    bar: ProgressBar,
    quiet: bool,
    verbose: bool,
}

impl Terminal {
    /// Draws only where stderr is a terminal, and never if `quiet`.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        let drawn = std::io::stderr().is_terminal() && !quiet;
        let target = match drawn {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if drawn {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Terminal {
            bar,
            quiet,
            verbose,
        }
    }

    /// Takes the bar off the screen, before something is printed.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Terminal {
    fn step(&self, message: &str) {
        self.bar.set_message(message.to_owned());
        if self.verbose && !self.quiet {
            self.bar.suspend(|| tracing::info!("{message}"));
        }
    }

    fn advance(&self, done: u64, total: Option<u64>, unit: Unit) {
        let template = match (total, unit) {
            (Some(_), Unit::Bytes) => "{spinner} [{bar:24}] {bytes}/{total_bytes} {eta} {wide_msg}",
            (Some(_), Unit::Items) => "{spinner} [{bar:24}] {pos}/{len} {eta} {wide_msg}",
            (None, Unit::Bytes) => "{spinner} {bytes} {wide_msg}",
            (None, Unit::Items) => "{spinner} {pos} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸ "));
        }
        if let Some(total) = total {
            self.bar.set_length(total);
        }
        self.bar.set_position(done);
    }

    fn warn(&self, message: &str) {
        if !self.quiet {
            self.bar.suspend(|| eprintln!("convscope: {message}"));
        }
    }
}
