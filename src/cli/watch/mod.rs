//! `convscope watch`: runs an experiment whenever its file, or a file that it names, is saved, and shows the report in the browser.
//!
//! What has not changed comes from the cache of results, and networks stay loaded.

mod server;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use convscope::plan::Plan;
use convscope::results::store;
use convscope::run::{self, NetworkCache};
use convscope::{Error, ErrorKind, Report, Result};
use notify::{EventKind, RecursiveMode, Watcher};

use self::server::Server;
use self::sources::Sources;
use super::exit_status::{Status, print, print_error};
use super::interrupt;
use super::report_files::{open_in_browser, print_failures, print_unreadable};
use super::run_settings::RunSettings;
use super::terminal::TerminalProgress;

/// How often a signal is looked for.
const TICK: Duration = Duration::from_millis(200);

/// How long nothing must change before a run: an editor writes a file in several steps.
const SETTLED: Duration = Duration::from_millis(150);

#[derive(Debug, clap::Args)]
pub struct WatchArgs {
    /// The experiment file.
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    #[command(flatten)]
    settings: RunSettings,
    /// The port of 127.0.0.1 at which the report is shown; 0 is a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Open the page in the browser.
    #[arg(long)]
    open: bool,
}

/// The watcher of the system, and what it watches.
struct Watched {
    watcher: notify::RecommendedWatcher,
    folders: BTreeSet<(PathBuf, bool)>,
}

impl WatchArgs {
    /// Prints the page's address, and runs the experiment now and after each change until a signal comes.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        if !self.spec.is_file() {
            let message = format!("there is no experiment file {}", self.spec.display());
            return Err(Error::new(ErrorKind::Usage, message)
                .help("`convscope init` writes one to start from"));
        }
        let name = self.spec.file_stem().unwrap_or_default();
        let folder = self.settings.out.join(name);
        let server = Server::start(folder.join(store::REPORT), self.port)?;
        let page = format!("http://{}/", server.address);
        print(&page)?;
        if self.open {
            open_in_browser(&page)?;
        }
        let (sender, changes) = channel();
        let watcher = notify::recommended_watcher(move |event| {
            // The receiver is gone when the program ends.
            let _ = sender.send(event);
        });
        let mut watched = Watched {
            watcher: watcher.map_err(watch_error)?,
            folders: BTreeSet::new(),
        };
        let networks = NetworkCache::default();
        let mut sources = Sources::new(&self.spec, &self.settings.out);
        watched.follow(&sources)?;
        while !interrupt::has_come() {
            server.update(|state| state.running = true);
            let mut found = Sources::new(&self.spec, &self.settings.out);
            let result = self.run_once(&folder, &networks, &mut found, progress);
            progress.finish();
            match result {
                Ok(()) => {
                    sources = found;
                    server.update(|state| {
                        state.report += 1;
                        state.error = None;
                        state.running = false;
                    });
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => break,
                Err(error) => {
                    // Of a spec that can't be read it is not known what it names: what it named before counts, too.
                    sources.add(found);
                    server.update(|state| {
                        state.error = Some(format!("{error:?}"));
                        state.running = false;
                    });
                    print_error(error);
                }
            }
            watched.follow(&sources)?;
            if !wait_for_change(&changes, &sources)? {
                break;
            }
        }
        Ok(Status::Success)
    }

    /// Runs the experiment and writes its report; `found` gets the files that it is made from.
    fn run_once(
        &self,
        folder: &Path,
        networks: &NetworkCache,
        found: &mut Sources,
        progress: &TerminalProgress,
    ) -> Result<()> {
        let spec = self.settings.read_spec(&self.spec)?;
        found.add_spec(&spec);
        let options = self.settings.options();
        let plan = Plan::new(&spec, &options.cache()?, progress)?;
        found.add_plan(&plan);
        let output = store::prepare_folder(folder)?;
        interrupt::remove_if_empty(&output);
        let results = run::run(&plan, &options, networks, progress)?;
        let report = Report::new(results, spec);
        let page = report.save_with(folder, &convscope::report::RenderOptions::default())?;
        progress.finish();
        print(&page.display().to_string())?;
        print_unreadable(report.unreadable());
        print_failures(report.failures());
        Ok(())
    }
}

impl Watched {
    /// Watches the folders of these files as well.
    fn follow(&mut self, sources: &Sources) -> Result<()> {
        let (parents, folders) = sources.watched();
        let parents = parents.into_iter().map(|folder| (folder, false));
        for (folder, with_folders) in
            parents.chain(folders.into_iter().map(|folder| (folder, true)))
        {
            if self.folders.insert((folder.clone(), with_folders)) {
                let mode = if with_folders {
                    RecursiveMode::Recursive
                } else {
                    RecursiveMode::NonRecursive
                };
                // The system has one watch for a folder: the wider one counts.
                if with_folders || !self.folders.contains(&(folder.clone(), true)) {
                    self.watcher.watch(&folder, mode).map_err(watch_error)?;
                }
            }
        }
        Ok(())
    }
}

/// Waits until a file of the experiment has changed and nothing changes any more; `false` once a signal has come.
fn wait_for_change(
    changes: &Receiver<notify::Result<notify::Event>>,
    sources: &Sources,
) -> Result<bool> {
    let mut has_changed = false;
    loop {
        match changes.recv_timeout(if has_changed { SETTLED } else { TICK }) {
            Ok(event) => has_changed |= concerns(&event.map_err(watch_error)?, sources),
            Err(RecvTimeoutError::Timeout) if has_changed => return Ok(true),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        }
        if interrupt::has_come() {
            return Ok(false);
        }
    }
}

fn concerns(event: &notify::Event, sources: &Sources) -> bool {
    let is_read = matches!(event.kind, EventKind::Access(_));
    let mut paths = event.paths.iter();
    !is_read && (event.need_rescan() || paths.any(|path| sources.concern(path)))
}

fn watch_error(error: notify::Error) -> Error {
    Error::new(ErrorKind::Io, "can't watch the experiment's files").caused_by(error)
}
