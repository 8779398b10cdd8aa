//! The pages `docs/checks/KEY.md` and the README's list of checks, written from the checks' files: their headers, texts,
//! scores and options. `UPDATE=1 cargo test --test check_docs` writes them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use convscope::checks::{CheckInfo, CheckSpec};
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The sections of the header of `src/checks/KEY.rs`, as Markdown.
fn header(key: &str) -> (String, String) {
    let source = fs::read_to_string(path(&format!("src/checks/{key}.rs"))).unwrap();
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let text = text.join("\n");
    let (first, sections) = text.split_once("\n\n").expect("a header with sections");
    (
        first.to_owned(),
        sections.replace("\n# ", "\n## ").replacen("# ", "## ", 1),
    )
}

/// The schema of the options of a check, with references resolved.
fn options(key: &str) -> Value {
    let schema = serde_json::to_value(convscope::spec::schema()).unwrap();
    let checks = schema["$defs"]["Check"]["anyOf"][1]["oneOf"]
        .as_array()
        .unwrap();
    let entry = checks
        .iter()
        .find_map(|entry| entry["properties"].get(key))
        .unwrap();
    let reference = entry["anyOf"][0]["$ref"].as_str().unwrap();
    schema
        .pointer(reference.trim_start_matches('#'))
        .unwrap()
        .clone()
}

fn option_table(key: &str) -> String {
    let schema = options(key);
    let Some(properties) = schema["properties"]
        .as_object()
        .filter(|all| !all.is_empty())
    else {
        return String::new();
    };
    let mut table = String::from("\n| option | default | meaning |\n|---|---|---|\n");
    for (name, property) in properties {
        let meaning = property["description"].as_str().unwrap().replace('\n', " ");
        writeln!(table, "| `{name}` | {} | {meaning} |", property["default"]).unwrap();
    }
    table
}

fn page(info: &CheckInfo) -> String {
    let (first, sections) = header(info.key);
    let mut page = format!("# {}\n\n{first}\n\n{}\n", info.title, sections.trim_end());
    let table = option_table(info.key);
    if !table.is_empty() {
        page = page.replacen("\n## Cost", &format!("{table}\n## Cost"), 1);
    }
    page.push_str("\n## Scores\n\n| score | meaning |\n|---|---|\n");
    for score in info.scores {
        writeln!(page, "| {} | {} |", score.title, score.note).unwrap();
    }
    page.push_str("\n## Papers\n\n");
    for paper in info.papers {
        writeln!(page, "- {paper}").unwrap();
    }
    let key = info.key;
    write!(
        page,
        "\n---\n\nWritten from [src/checks/{key}.rs](../../src/checks/{key}.rs) by `UPDATE=1 cargo test --test check_docs`.\n"
    )
    .unwrap();
    page
}

/// The list of the checks, which is also that of their pages.
fn index() -> String {
    let mut page = String::from(
        "# Checks\n\nHow far a map can be trusted.\n\n| key | what it measures |\n|---|---|\n",
    );
    for spec in CheckSpec::all() {
        let info = spec.check().info();
        writeln!(page, "| [`{0}`]({0}.md) | {1} |", info.key, info.summary).unwrap();
    }
    page
}

#[test]
fn the_pages_of_the_checks_are_fresh() {
    let mut pages = vec![("README".to_owned(), index())];
    for spec in CheckSpec::all() {
        let info = spec.check().info();
        pages.push((info.key.to_owned(), page(info)));
    }
    let folder = path("docs/checks");
    for (name, text) in &pages {
        let file = folder.join(format!("{name}.md"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, text).unwrap();
        }
        let stored = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            &stored == text,
            "docs/checks/{name}.md differs from the check's file: UPDATE=1 cargo test --test check_docs"
        );
    }
    let stored = fs::read_dir(&folder).unwrap().count();
    assert_eq!(stored, pages.len(), "docs/checks has pages of no check");
}

#[test]
fn every_header_has_the_sections() {
    for spec in CheckSpec::all() {
        let (_, text) = header(spec.name());
        let sections: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        let expected = [
            "What it shows",
            "How it is computed",
            "How to read it",
            "What it can't show",
            "Options",
            "Cost",
        ];
        assert_eq!(sections, expected, "{}", spec.name());
    }
}
