//! The layers of the crate: every file imports from lower layers only, no two files import each other, in however
//! many steps, and no section of the report knows another one.
//!
//! Reads every `crate::…`, `super::…` and child-module path of `src` and resolves it to the file that defines the
//! name, through `pub use`. So a `mod.rs` that only lists and re-exports its files is no part of a cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::Path;

use regex::Regex;

/// The layers, lowest first. Modules on one line may not import each other.
const LAYERS: &[&str] = &[
    "error progress rng text_table",
    "option_ranges",
    "registry",
    "image",
    "figures",
    "network",
    "compare",
    "embedding",
    "methods",
    "checks",
    "spec",
    "fetch",
    "results",
    "plan",
    "run",
    "report",
    "output_folder",
    "session",
    "notebook",
    "prelude",
    "cli",
];

/// A module's path: `["report", "sections", "photos"]`.
type Module = Vec<String>;

/// A module's file: its text without comments and tests, and where the names that it re-exports come from.
struct File {
    name: String,
    text: String,
    exports: BTreeMap<String, Module>,
}

fn files() -> BTreeMap<Module, File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Comments, tests, raw strings, the character `"`, strings.
    let aside = concat!(
        r"(?s)//[^\n]*|#\[cfg\(test\)\]\s*mod .*",
        r##"|r#".*?"#|'"'|"(\\.|[^"\\])*""##
    );
    let aside = Regex::new(aside).unwrap();
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root) {
        let path = entry.unwrap().into_path();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        let Some(module) = name.strip_suffix(".rs") else {
            continue;
        };
        let module = module.trim_end_matches("/mod").split('/');
        let module = module.map(str::to_owned).filter(|part| part != "lib");
        let text = aside
            .replace_all(&read_to_string(&path).unwrap(), "")
            .into_owned();
        let exports = BTreeMap::new();
        files.insert(
            module.collect(),
            File {
                name,
                text,
                exports,
            },
        );
    }
    files.retain(|_, file| !["main.rs", "allocator.rs"].contains(&file.name.as_str()));
    files
}

/// Every path in `text`, written in the module `from`, from the crate's root on: the names in braces one by one.
fn paths(files: &BTreeMap<Module, File>, from: &Module, text: &str) -> Vec<Module> {
    let start = Regex::new(r"(?:^|[^\w:$])(\w+)::").unwrap();
    let mut all = Vec::new();
    for found in start.captures_iter(text).map(|c| c.get(1).unwrap()) {
        let (mut base, mut rest) = (from.clone(), &text[found.start()..]);
        match found.as_str() {
            "crate" | "convscope" => base.clear(),
            "super" => drop(base.pop()),
            "self" => {}
            name if files.contains_key(&[&base[..], &[name.to_owned()]].concat()) => {
                base.push(name.to_owned());
            }
            _ => continue,
        }
        rest = &rest[found.len() + 2..];
        while let Some(further) = rest.strip_prefix("super::") {
            base.pop();
            rest = further;
        }
        tree(&base, rest, &mut all);
    }
    all
}

/// Reads `a::{b, c::{d as e}}` below `base`; gives what follows it.
fn tree<'a>(base: &Module, text: &'a str, all: &mut Vec<Module>) -> &'a str {
    let Some(mut rest) = text.trim_start().strip_prefix('{') else {
        let end = text
            .trim_start()
            .find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = text
            .trim_start()
            .split_at(end.unwrap_or(text.trim_start().len()));
        let below = match name {
            "self" | "" => base.clone(),
            name => [&base[..], &[name.to_owned()]].concat(),
        };
        return match rest.strip_prefix("::") {
            Some(further) if !further.starts_with('<') => tree(&below, further, all),
            _ => {
                all.push(below);
                rest
            }
        };
    };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return after;
        }
        rest = tree(base, rest, all);
        let end = rest.find([',', '}']).unwrap_or(rest.len());
        rest = rest[end..].trim_start_matches(',');
        if rest.is_empty() {
            return rest;
        }
    }
}

/// The module that defines what `path` names.
fn definition(files: &BTreeMap<Module, File>, path: &Module) -> Module {
    let mut module = Module::new();
    for (at, part) in path.iter().enumerate() {
        let below = [&module[..], std::slice::from_ref(part)].concat();
        if files.contains_key(&below) {
            module = below;
        } else if let Some(source) = files[&module].exports.get(part) {
            return definition(files, &[&source[..], &path[at + 1..]].concat());
        } else {
            break;
        }
    }
    module
}

/// Which file imports which.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = files();
    let reexport = Regex::new(r"(?s)\bpub(?:\([^)]*\))? use ([^;]*);").unwrap();
    let mut exports = Vec::new();
    for (module, file) in &files {
        let sources = reexport.captures_iter(&file.text);
        for source in sources.flat_map(|found| paths(&files, module, &found[1])) {
            exports.push((module.clone(), source));
        }
    }
    for (module, source) in exports {
        // A re-export in a macro has no path yet.
        let Some(name) = source.last().cloned() else {
            continue;
        };
        files.get_mut(&module).unwrap().exports.insert(name, source);
    }
    let mut all = BTreeMap::new();
    for (module, file) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let text = reexport.replace_all(&file.text, "");
        let used = paths(&files, module, &text).into_iter();
        let used = used.map(|path| definition(&files, &path));
        let used: BTreeSet<String> = used
            .filter(|used| used != module && !used.is_empty())
            .map(|used| files[&used].name.clone())
            .collect();
        all.insert(file.name.clone(), used);
    }
    all
}

fn layer(file: &str) -> usize {
    let module = file.split(['/', '.']).next().unwrap();
    let found = LAYERS
        .iter()
        .position(|line| line.split(' ').any(|name| name == module));
    found.unwrap_or_else(|| {
        panic!("{module} is in no layer: add it to LAYERS in tests/import_order.rs")
    })
}

fn folder(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The files that `from` imports, in however many steps.
fn reachable<'a>(
    imports: &'a BTreeMap<String, BTreeSet<String>>,
    from: &'a str,
) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        let used = imports[file].iter().map(String::as_str);
        next.extend(used.filter(|used| reached.insert(*used)));
    }
    reached
}

fn assert_none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for (from, used) in imports() {
        for to in used {
            let beside = layer(&from) == layer(&to) && folder(&from) != folder(&to);
            if layer(&from) < layer(&to) || beside {
                wrong.push(format!("{from} imports {to}"));
            }
        }
    }
    assert_none(&wrong, "imports that go up");
}

#[test]
fn no_file_imports_its_importer() {
    let imports = imports();
    let reached: BTreeMap<&str, _> = imports
        .keys()
        .map(|f| (f.as_str(), reachable(&imports, f)))
        .collect();
    let mut wrong = Vec::new();
    for (from, used) in &imports {
        for to in used
            .iter()
            .filter(|to| reached[to.as_str()].contains(from.as_str()))
        {
            wrong.push(format!("{from} imports {to}"));
        }
    }
    assert_none(&wrong, "imports that are part of a cycle");
}

#[test]
fn sections_do_not_know_each_other() {
    let section = |file: &str| {
        let name = file
            .strip_prefix("report/sections/")?
            .split(['/', '.'])
            .next()?;
        (name != "mod").then(|| name.to_owned())
    };
    let mut wrong = Vec::new();
    for (from, used) in imports() {
        for to in used {
            if let (Some(a), Some(b)) = (section(&from), section(&to))
                && a != b
            {
                wrong.push(format!("{from} imports {to}"));
            }
        }
    }
    assert_none(&wrong, "sections of the report that import each other");
}
