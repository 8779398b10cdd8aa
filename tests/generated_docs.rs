//! The generated documentation: a page for each method and check, the README's tables, and the list of methods in the
//! template of `convscope init`. `UPDATE=1 cargo test --test generated_docs` writes it.
//!
//! A page consists of the sections in the header of the entry's file, its title, summary and papers, and a table of its
//! options from their JSON schema.

use std::fs;
use std::path::{Path, PathBuf};

use convscope::checks::CheckSpec;
use convscope::methods::MethodSpec;
use convscope::network::pt2::supported;
use convscope::option_ranges::describe_range;
use regex::Regex;
use serde_json::Value;

/// The sections of a page, in its order.
const SECTIONS: [&str; 6] = [
    "What it shows",
    "How it is computed",
    "How to read it",
    "What it can't show",
    "Options",
    "Cost",
];

/// A method or a check.
struct Entry {
    /// `methods` or `checks`.
    kind: &'static str,
    key: &'static str,
    title: &'static str,
    summary: &'static str,
    papers: &'static [&'static str],
    /// What it is computed for, and the result, as a sentence.
    scope: String,
    /// The JSON schema of the options.
    schema: Value,
    /// The default options by key.
    defaults: Value,
}

fn methods() -> Vec<Entry> {
    let entries = MethodSpec::all().into_iter().map(|entry| {
        let info = entry.method().info();
        assert_eq!(info.key, entry.name());
        let method = entry.method();
        let scopes = [
            (method.for_network().is_some(), "each network"),
            (method.for_image().is_some(), "each image"),
            (method.for_class().is_some(), "each image and class"),
            (method.for_collection().is_some(), "the whole collection"),
        ];
        let scopes = scopes.into_iter().filter(|(is, _)| *is);
        let scopes: Vec<&str> = scopes.map(|(_, scope)| scope).collect();
        let scopes = scopes.join(" and ");
        Entry {
            scope: format!("For {scopes}; the result: {}.", info.result.describe()),
            kind: "methods",
            key: info.key,
            title: info.title,
            summary: info.summary,
            papers: info.papers,
            schema: entry.options_schema().to_value(),
            defaults: serde_json::to_value(&entry).unwrap()[info.key].clone(),
        }
    });
    entries.collect()
}

fn checks() -> Vec<Entry> {
    let entries = CheckSpec::all().into_iter().map(|entry| {
        let info = entry.check().info();
        assert_eq!(info.key, entry.name());
        Entry {
            scope: "For each map, image and class.".to_owned(),
            kind: "checks",
            key: info.key,
            title: info.title,
            summary: info.summary,
            papers: info.papers,
            schema: entry.options_schema().to_value(),
            defaults: serde_json::to_value(&entry).unwrap()[info.key].clone(),
        }
    });
    entries.collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares the file at `path` with `expected`, or writes it if `UPDATE` is set.
fn compare_or_write(path: &Path, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date: UPDATE=1 cargo test --test generated_docs",
        path.display()
    );
}

#[test]
fn every_method_and_check_has_its_page() {
    for entries in [methods(), checks()] {
        let folder = root().join("docs").join(entries[0].kind);
        for entry in &entries {
            compare_or_write(&folder.join(format!("{}.md", entry.key)), &entry.page());
        }
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let known = entries.iter().any(|entry| entry.key == stem);
            assert!(known, "{} is the page of nothing", path.display());
        }
    }
}

#[test]
fn the_readme_has_every_method_and_check() {
    let path = root().join("README.md");
    let mut readme = fs::read_to_string(&path).unwrap();
    for entries in [methods(), checks()] {
        let kind = entries[0].kind;
        let (begin, end) = (
            format!("<!-- {kind}: written by tests/generated_docs.rs -->\n"),
            format!("<!-- end of {kind} -->\n"),
        );
        let mut table = "| key | what it shows |\n|---|---|\n".to_owned();
        if kind == "methods" {
            table.push_str(
                "| `predictions` (always) | the five likeliest classes of every network, and the rank of the true one |\n",
            );
        }
        for entry in &entries {
            let Entry { key, summary, .. } = entry;
            table.push_str(&format!(
                "| [`{key}`](docs/{kind}/{key}.md) | {summary} |\n"
            ));
        }
        let (before, rest) = readme.split_once(&begin).expect(&begin);
        let (_, after) = rest.split_once(&end).expect(&end);
        readme = format!("{before}{begin}{table}{end}{after}");
    }
    compare_or_write(&path, &readme);
}

#[test]
fn the_page_about_networks_lists_every_operator() {
    const BEGIN: &str = "<!-- operators: written by tests/generated_docs.rs -->\n";
    const END: &str = "<!-- end of operators -->\n";
    let path = root().join("docs/networks.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect(BEGIN);
    let (_, after) = rest.split_once(END).expect(END);
    let names: Vec<String> = supported().iter().map(|name| format!("`{name}`")).collect();
    let list = names.join(", ");
    compare_or_write(&path, &format!("{before}{BEGIN}{list}\n{END}{after}"));
}

#[test]
fn the_template_lists_every_method() {
    const BEGIN: &str = "# All methods, each with a page in docs/methods:\n";
    let path = root().join("src/spec/template.yaml");
    let template = fs::read_to_string(&path).unwrap();
    let (before, rest) = template.split_once(BEGIN).expect(BEGIN);
    let is_listed = |line: &&str| line.starts_with("#   ");
    let after: Vec<&str> = rest.split_inclusive('\n').skip_while(is_listed).collect();
    let mut lines = vec![String::new()];
    for key in MethodSpec::NAMES {
        let mut line = lines.pop().unwrap_or_default();
        if line.len() + key.len() > 110 {
            lines.push(line);
            line = String::new();
        }
        let separator = if line.is_empty() { "#   " } else { " " };
        lines.push(format!("{line}{separator}{key},"));
    }
    let list = lines.join("\n");
    let list = list.trim_end_matches(',');
    let after = after.concat();
    compare_or_write(&path, &format!("{before}{BEGIN}{list}\n{after}"));
}

impl Entry {
    fn page(&self) -> String {
        let Entry {
            kind,
            key,
            title,
            summary,
            scope,
            ..
        } = self;
        let (source, header) = self.header();
        let mut page = format!(
            "<!-- From {source}: UPDATE=1 cargo test --test generated_docs -->\n# {title}\n\n`{key}`: {summary}. {scope}\n"
        );
        let sections = sections(&header);
        for (name, text) in SECTIONS.iter().zip(sections) {
            let text = text.unwrap_or_else(|| panic!("{source} has no section “{name}”"));
            page.push_str(&format!("\n## {name}\n\n"));
            match *name {
                "Options" => page.push_str(&self.options_table()),
                _ => page.push_str(&format!("{}\n", links(&text, kind))),
            }
        }
        page.push_str("\n## Papers\n\n");
        for paper in self.papers {
            page.push_str(&format!("- {paper}\n"));
        }
        page
    }

    /// The path of the entry's file from the repository's root, and the text of its header.
    fn header(&self) -> (String, String) {
        let file = format!("src/{}/{}.rs", self.kind, self.key);
        let folder = format!("src/{}/{}/mod.rs", self.kind, self.key);
        let exists = |path: &String| root().join(path).exists();
        let source = [file, folder].into_iter().find(exists).expect(self.key);
        let path: PathBuf = root().join(&source);
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        (source, lines.join("\n"))
    }

    fn options_table(&self) -> String {
        let schema = resolve(&self.schema, &self.schema);
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            return "None.\n".to_owned();
        };
        let mut table =
            "| option | type | default | allowed | meaning |\n|---|---|---|---|---|\n".to_owned();
        for (option, schema) in properties {
            let types = types(&self.schema, schema).join(" or ");
            let default = match self.defaults.get(option) {
                Some(default) => format!(
                    "`{}`",
                    default.to_string().replace('"', "").replace(',', ", ")
                ),
                None => "absent".to_owned(),
            };
            let allowed = describe_range(&self.schema, schema).unwrap_or_default();
            let meaning = schema.get("description").and_then(Value::as_str);
            let meaning = meaning.unwrap_or_default().replace('\n', " ");
            table.push_str(&format!(
                "| `{option}` | {types} | {default} | {allowed} | {meaning} |\n"
            ));
        }
        table
    }
}

/// The text of each of [`SECTIONS`] in a header, where a section begins with `**NAME.**` or with a heading.
fn sections(header: &str) -> [Option<String>; 6] {
    let names = SECTIONS.join("|");
    let pattern = format!(r"(?m)^(?:\*\*({names})\.\*\*|# ({names})$)");
    let starts = Regex::new(&pattern).unwrap();
    let found: Vec<(usize, usize, &str)> = starts
        .captures_iter(header)
        .map(|found| {
            let whole = found.get(0).unwrap();
            let name = found.get(1).or(found.get(2)).unwrap().as_str();
            (whole.start(), whole.end(), name)
        })
        .collect();
    SECTIONS.map(|name| {
        let index = found.iter().position(|(_, _, section)| *section == name)?;
        let end = found
            .get(index + 1)
            .map_or(header.len(), |(start, _, _)| *start);
        Some(header[found[index].1..end].trim().to_owned())
    })
}

/// `text` with links to other entries of `kind` as links between their pages.
fn links(text: &str, kind: &str) -> String {
    let link =
        Regex::new(r"\[`?(?:super::|crate::\w+::)?(\w+)`?\](?:\((?:super|crate::\w+)::(\w+)\))?")
            .unwrap();
    let known = |key: &str| match kind {
        "methods" => MethodSpec::NAMES.contains(&key),
        _ => CheckSpec::NAMES.contains(&key),
    };
    let replaced = link.replace_all(text, |found: &regex::Captures| {
        let key = found.get(2).or(found.get(1)).unwrap().as_str();
        if known(key) {
            format!("[`{key}`]({key}.md)")
        } else {
            found[0].to_owned()
        }
    });
    replaced.into_owned()
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    match reference.and_then(|reference| root.pointer(reference.trim_start_matches('#'))) {
        Some(definition) => resolve(root, definition),
        None => schema,
    }
}

/// The types that a value may have: `integer`, `list`, or the words that it may be.
fn types(root: &Value, schema: &Value) -> Vec<String> {
    let schema = resolve(root, schema);
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return vec![format!("`{word}`")];
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words = words.iter().filter_map(Value::as_str);
        return words.map(|word| format!("`{word}`")).collect();
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(alternatives) = schema.get(key).and_then(Value::as_array) {
            let types = alternatives.iter().flat_map(|schema| types(root, schema));
            return types.collect();
        }
    }
    let names = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name.as_str()],
        _ => Vec::new(),
    };
    let names = names.into_iter().filter(|name| *name != "null");
    names
        .map(|name| match name {
            "array" => "list".to_owned(),
            "object" => "mapping".to_owned(),
            name => name.to_owned(),
        })
        .collect()
}
