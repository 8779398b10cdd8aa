//! ARCHITECTURE.md, CONTRIBUTING.md, CHANGELOG.md, README.md and docs/: every file and link that they name exists.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each page with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let names = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "README.md",
    ];
    let mut paths: Vec<PathBuf> = names.iter().map(|name| root().join(name)).collect();
    let docs = walkdir::WalkDir::new(root().join("docs")).sort_by_file_name();
    paths.extend(docs.into_iter().map(|entry| entry.unwrap().into_path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn files_in_backticks_exist() {
    let folders = "src|templates|schema|experiments|tests|benches|examples|docs|scripts|\\.ci";
    let path = Regex::new(&format!("`((?:{folders})(?:/[^`<>* ]*)?|[A-Z]+\\.md)`")).unwrap();
    // A name in capitals is a placeholder for the name of what is added: `src/checks/KEY.rs`.
    let placeholder = Regex::new(r"/[A-Z]+(\.|$)").unwrap();
    let mut count = 0;
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        for found in path.captures_iter(&text) {
            count += 1;
            let file = &found[1];
            let target = match placeholder.find(file) {
                Some(name) => &file[..name.start()],
                None => file,
            };
            assert!(root().join(target).exists(), "{name} names `{file}`");
        }
    }
    assert!(count > 50, "only {count} paths were found");
}

#[test]
fn relative_links_lead_to_files() {
    let link = Regex::new(r"\]\(([^)#]+)(#[^)]*)?\)").unwrap();
    for (page, text) in pages() {
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            let exists = page.parent().unwrap().join(target).exists();
            assert!(exists, "{} links to {target}", page.display());
        }
    }
}

#[test]
fn the_glossary_is_sorted_and_names_each_term_once() {
    let text = fs::read_to_string(root().join("docs/glossary.md")).unwrap();
    let term = Regex::new(r"(?m)^\| \*\*([^*]+)\*\* \|").unwrap();
    let terms: Vec<String> = term
        .captures_iter(&text)
        .map(|found| found[1].to_lowercase())
        .collect();
    assert!(terms.len() >= 40, "{} terms", terms.len());
    for pair in terms.windows(2) {
        assert!(pair[0] < pair[1], "{} is before {}", pair[0], pair[1]);
    }
}
