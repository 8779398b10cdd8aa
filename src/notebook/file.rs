//! A run as a notebook file: the experiment and the calls in cells, with the outputs that running them would give.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::report::inline;
use crate::results::lock;
use crate::session::Report;

/// The text of an `.ipynb` file in `folder`; its first cell begins with the line `dependency` (`:dep convscope = …`).
/// Equal reports result in equal bytes.
///
/// # Errors
/// If a figure can't be encoded.
pub fn text(report: &Report, folder: &Path, dependency: &str) -> Result<String> {
    let mut cells = Cells(Vec::new());
    let experiment = &report.results().experiment;
    let question = experiment.question.as_deref().unwrap_or_default();
    cells.markdown(format!("# {}\n\n{question}", experiment.title).trim());
    cells.code(
        &format!("{dependency}\nuse convscope::prelude::*;\nlet session = Session::new();"),
        None,
    );
    let yaml = report.spec().text();
    let path_call = path_call(report, folder);
    cells.code(
        &format!(
            "let experiment = Experiment::from_yaml({})?{path_call};\nexperiment",
            raw_string(yaml)
        ),
        Some((inline::text(yaml)?, yaml.to_owned())),
    );
    let predictions = report.predictions();
    cells.code(
        "let report = session.run(&experiment)?;\nreport.predictions()",
        Some((predictions.html()?, predictions.to_string())),
    );
    let mut methods: Vec<&str> = Vec::new();
    for figure in &report.results().figures {
        if !methods.contains(&&*figure.method) {
            methods.push(&figure.method);
        }
    }
    for method in methods {
        let figures = report.figures(method)?;
        cells.code(
            &format!("report.figures({method:?})?"),
            Some((figures.html()?, figures.to_string())),
        );
    }
    cells.code("report", Some((report.framed()?, report.to_string())));
    cells.into_json()
}

/// The call that makes relative paths start at the experiment's folder; empty if the notebook is in the same folder.
fn path_call(report: &Report, folder: &Path) -> String {
    let Some(path) = report.spec().path() else {
        return String::new();
    };
    let path = lock::relative_to(path, folder);
    if path.components().count() == 1 {
        String::new()
    } else {
        format!(".with_path({:?})", path.display().to_string())
    }
}

/// A raw string literal of Rust.
fn raw_string(text: &str) -> String {
    let mut fence = "#".to_owned();
    while text.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("r{fence}\"\n{}\n\"{fence}", text.trim_end())
}

/// The cells of a notebook, as JSON.
struct Cells(Vec<Value>);

impl Cells {
    fn markdown(&mut self, text: &str) {
        let id = format!("cell-{}", self.0.len());
        self.0.push(json!({
            "cell_type": "markdown", "id": id, "metadata": {}, "source": lines(text),
        }));
    }

    /// Adds a code cell and, if it ends with a value, the value's HTML and text as its output.
    fn code(&mut self, text: &str, output: Option<(String, String)>) {
        let count = 1 + self.0.iter().filter(|c| c["cell_type"] == "code").count();
        let outputs: Vec<Value> = output
            .into_iter()
            .map(|(html, plain)| {
                json!({
                    "data": { "text/html": lines(html.trim()), "text/plain": lines(&plain) },
                    "execution_count": count,
                    "metadata": {},
                    "output_type": "execute_result",
                })
            })
            .collect();
        let id = format!("cell-{}", self.0.len());
        self.0.push(json!({
            "cell_type": "code", "execution_count": count, "id": id, "metadata": {},
            "outputs": outputs, "source": lines(text),
        }));
    }

    /// The notebook file, indented as Jupyter writes it.
    fn into_json(self) -> Result<String> {
        let notebook = json!({
            "cells": self.0,
            "metadata": {
                "kernelspec": {
                    "display_name": "Rust (convscope)", "language": "rust", "name": "convscope",
                },
                "language_info": {
                    "codemirror_mode": "rust", "file_extension": ".rs", "mimetype": "text/rust",
                    "name": "Rust", "pygment_lexer": "rust", "version": "",
                },
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        });
        let mut bytes = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, format);
        let written = notebook.serialize(&mut serializer);
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Io, "can't write the notebook").caused_by(error)
        };
        written.map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        String::from_utf8(bytes).map_err(|error| failed(error.into()))
    }
}

/// The lines of a text, each with its line break: the form of text in notebook files.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}
