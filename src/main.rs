//! The command line: parse arguments, call, turn an error into a message and an exit code.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
