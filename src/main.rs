//! The command line: parse arguments, call, turn an error into a message and an exit code.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
