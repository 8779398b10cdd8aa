//! The command line: parse arguments, call, turn an error into a message and an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use convscope::network::{info, zoo};

/// What convolutional networks see, side by side.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the architectures.
    Models,
    /// Print a network's layers: shape, parameters, multiply-adds, output stride, receptive field.
    Layers {
        /// An architecture: `resnet50`.
        model: String,
    },
}

fn main() -> ExitCode {
    match text(&Arguments::parse().command) {
        // A reader that stops early (`| head`) is no fault.
        Ok(text) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            let code = error.exit_code();
            eprintln!("{:?}", miette::Report::new(error));
            ExitCode::from(code)
        }
    }
}

fn text(command: &Command) -> convscope::Result<String> {
    match command {
        Command::Models => Ok(zoo::ARCHITECTURES
            .iter()
            .map(|arch| format!("{:<20} {:<14} {}\n", arch.name, arch.family, arch.input))
            .collect()),
        Command::Layers { model } => layers(model),
    }
}

fn layers(model: &str) -> convscope::Result<String> {
    let arch = zoo::find(model)?;
    let graph = arch.graph(zoo::Options::default());
    let all = info::of_graph(&graph, arch.input, arch.input)?;
    let mut text = format!(
        "{:<36} {:<16} {:>14} {:>12} {:>14} {:>7} {:>6}\n",
        "layer", "operation", "shape", "parameters", "multiply-adds", "stride", "field"
    );
    for (node, info) in graph.nodes().iter().zip(&all) {
        let shape: Vec<String> = info.shape.iter().map(i64::to_string).collect();
        text.push_str(&format!(
            "{:<36} {:<16} {:>14} {:>12} {:>14} {:>7} {:>6}\n",
            node.name,
            node.op.label(),
            shape.join("×"),
            info.parameters,
            info.multiply_adds,
            info.stride,
            info.receptive_field
        ));
    }
    Ok(text)
}
