//! `convscope cache`: lists what lies in the cache folder by kind, size and age, and removes it.

mod entries;
mod words;

use std::collections::BTreeMap;

use convscope::Result;
use convscope::fetch::Cache;
use convscope::text_table::table;

use self::entries::{Entry, Kind, entries};
use self::words::{OlderThan, age, counted, size};
use super::exit_status::{Status, print, print_note};

#[derive(Debug, clap::Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    action: Option<CacheAction>,
}

#[derive(Debug, clap::Subcommand)]
enum CacheAction {
    /// List what lies in the cache, by kind and size.
    List(Choice),
    /// Remove what lies in the cache, without a question, and say what was removed. It is fetched or computed again when needed.
    Clear {
        #[command(flatten)]
        choice: Choice,
        /// Remove nothing; say what would be removed.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Default, clap::Args)]
struct Choice {
    /// Only these kinds; libtorch and the kernel's crates are removed only where they are named.
    #[arg(long, value_enum, value_delimiter = ',')]
    kind: Vec<Kind>,
    /// Only what was written longer ago than this: `30d`, `12h`, `2w`.
    #[arg(long, value_name = "AGE")]
    older_than: Option<OlderThan>,
}

impl Choice {
    /// Whether an entry is of these kinds and old enough.
    fn has(&self, entry: &Entry) -> bool {
        (self.kind.is_empty() || self.kind.contains(&entry.kind))
            && self.older_than.is_none_or(|limit| entry.age() > limit.0)
    }
}

impl CacheArgs {
    /// Lists or removes.
    pub fn run(&self) -> Result<Status> {
        let cache = Cache::from_env(true)?;
        match &self.action {
            None => list(&cache, &Choice::default()),
            Some(CacheAction::List(choice)) => list(&cache, choice),
            Some(CacheAction::Clear { choice, dry_run }) => clear(&cache, choice, *dry_run),
        }
    }
}

fn list(cache: &Cache, choice: &Choice) -> Result<Status> {
    let mut found = entries(cache)?;
    found.retain(|entry| choice.has(entry));
    let root = cache.root.display();
    if found.is_empty() {
        return print(&format!("{root}: nothing"));
    }
    let total: u64 = found.iter().map(|entry| entry.bytes).sum();
    let mut rows = Vec::new();
    let mut counts: BTreeMap<Kind, Vec<&Entry>> = BTreeMap::new();
    for entry in &found {
        if entry.kind.is_counted() {
            counts.entry(entry.kind).or_default().push(entry);
        } else {
            rows.push((entry.kind, row(entry.kind, entry.name.clone(), &[entry])));
        }
    }
    for (kind, entries) in counts {
        rows.push((kind, row(kind, entries.len().to_string(), &entries)));
    }
    rows.sort_by_key(|(kind, _)| *kind);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    let head = ["kind", "entry", "files", "size", "written"];
    print(&format!(
        "{root}: {}\n\n{}",
        size(total),
        table(&head, &rows)
    ))
}

/// A line of the table.
fn row(kind: Kind, name: String, entries: &[&Entry]) -> Vec<String> {
    let ages = entries.iter().map(|entry| entry.age());
    let youngest = age(ages.clone().min().unwrap_or_default());
    let oldest = age(ages.max().unwrap_or_default());
    let written = if youngest == oldest {
        format!("{youngest} ago")
    } else {
        format!("{youngest} to {oldest} ago")
    };
    vec![
        kind.name(),
        name,
        entries
            .iter()
            .map(|entry| entry.files)
            .sum::<usize>()
            .to_string(),
        size(entries.iter().map(|entry| entry.bytes).sum()),
        written,
    ]
}

/// Removes the chosen entries; those that a run is writing stay.
fn clear(cache: &Cache, choice: &Choice, dry_run: bool) -> Result<Status> {
    let mut removed: BTreeMap<Kind, (usize, u64)> = BTreeMap::new();
    for entry in entries(cache)? {
        let kept = entry.kind.is_kept() && !choice.kind.contains(&entry.kind);
        if kept || !choice.has(&entry) {
            continue;
        }
        if !dry_run && !entry.remove()? {
            print_note(format_args!("{}: in use, left in the cache", entry.name));
            continue;
        }
        let (count, bytes) = removed.entry(entry.kind).or_default();
        *count += 1;
        *bytes += entry.bytes;
        // The folder of an architecture without weight sets; one that is not empty stays.
        if !dry_run && let Some(parent) = entry.paths[0].parent().filter(|p| *p != cache.root) {
            let _ = std::fs::remove_dir(parent);
        }
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    if removed.is_empty() {
        return print(&format!("{verb} nothing"));
    }
    let lines = removed.iter().map(|(kind, (count, bytes))| {
        format!(
            "{verb} {}: {}, {}\n",
            kind.name(),
            counted(*count),
            size(*bytes)
        )
    });
    print(&lines.collect::<String>())
}
