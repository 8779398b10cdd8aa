//! A run as a notebook: the experiment and the calls in cells, the figures as their outputs, so that one
//! goes on from there. The outputs are what the cells would show.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::report::inline;
use crate::results::lock;
use crate::session::Report;

/// The text of an `.ipynb` file that is to lie in `folder`; its first cell says `dependency`.
///
/// The same report gives the same bytes.
///
/// # Errors
/// If a figure can't be drawn.
pub fn text(report: &Report, folder: &Path, dependency: &str) -> Result<String> {
    let mut cells = Cells(Vec::new());
    let experiment = &report.results().experiment;
    let question = experiment.question.as_deref().unwrap_or_default();
    cells.words(format!("# {}\n\n{question}", experiment.title).trim());
    cells.code(
        &format!("{dependency}\nuse convscope::prelude::*;\nlet session = Session::new();"),
        None,
    );
    let yaml = &report.spec().text;
    let beside = beside(report, folder);
    cells.code(
        &format!(
            "let experiment = Experiment::from_yaml({})?{beside};\nexperiment",
            raw(yaml)
        ),
        Some((inline::text(yaml)?, yaml.clone())),
    );
    let said = report.predictions();
    cells.code(
        "let report = session.run(&experiment)?;\nreport.predictions()",
        Some((said.html()?, said.to_string())),
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
    cells.file()
}

/// The call that makes the experiment's relative paths start at its own file, where that lies elsewhere.
fn beside(report: &Report, folder: &Path) -> String {
    let Some(path) = report.spec().path() else {
        return String::new();
    };
    match lock::relative(path, folder) {
        same if same.components().count() == 1 => String::new(),
        other => format!(".beside({:?})", other.display().to_string()),
    }
}

/// `text` as a raw string of Rust.
fn raw(text: &str) -> String {
    let mut fence = "#".to_owned();
    while text.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("r{fence}\"\n{}\n\"{fence}", text.trim_end())
}

struct Cells(Vec<Value>);

impl Cells {
    fn words(&mut self, text: &str) {
        let id = format!("cell-{}", self.0.len());
        self.0.push(json!({
            "cell_type": "markdown", "id": id, "metadata": {}, "source": lines(text),
        }));
    }

    /// A cell and, where it ends on a value, that value's HTML and text.
    fn code(&mut self, text: &str, shown: Option<(String, String)>) {
        let count = 1 + self.0.iter().filter(|c| c["cell_type"] == "code").count();
        let outputs: Vec<Value> = shown
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

    /// The whole file, indented as Jupyter does it.
    fn file(self) -> Result<String> {
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
            Error::new(ErrorKind::Io, "can't write the notebook").because(error)
        };
        written.map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        String::from_utf8(bytes).map_err(|error| failed(error.into()))
    }
}

/// As notebooks keep text: line by line, each with its end.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}
