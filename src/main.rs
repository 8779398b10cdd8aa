//! The program `convscope`: the command line and its memory allocator.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator;
mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
