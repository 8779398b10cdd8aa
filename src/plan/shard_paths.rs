//! The tar files that a spec names at once: `shards/{000..099}.tar`, `shards/*.tar`.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The largest number of files that a range may name.
const MAX_FILES: usize = 1_000_000;

/// The paths that `pattern` names: every number of a range in braces, with its zeros, in order; the files that fit `*` and `?`
/// in the file's name, sorted.
///
/// # Errors
/// If a range has no end before its start, names too many files, or no file fits the `*`.
pub(super) fn shard_paths(
    pattern: &Path,
    resolve: impl Fn(&Path) -> PathBuf,
) -> Result<Vec<PathBuf>> {
    let text = pattern.to_str().ok_or_else(|| {
        let message = format!("the path {} is no text", pattern.display());
        Error::new(ErrorKind::Spec, message)
    })?;
    let mut paths = Vec::new();
    for path in expand_ranges(text)? {
        if path.contains(['*', '?']) {
            paths.extend(matching_files(Path::new(&path), &resolve)?);
        } else {
            paths.push(PathBuf::from(path));
        }
    }
    Ok(paths)
}

/// The texts that ranges in braces stand for: `{8..10}`, `{008..010}`, `{a,b}`.
fn expand_ranges(text: &str) -> Result<Vec<String>> {
    let mut texts = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').ok_or_else(|| {
            let message = format!("`{{` in `{text}` has no `}}`");
            Error::new(ErrorKind::Spec, message).help("write a range of numbers: `{000..099}`")
        })?;
        let choices = match inside.split_once("..") {
            Some((first, last)) => numbers(first, last, text)?,
            None => inside.split(',').map(str::to_owned).collect(),
        };
        if texts.len().saturating_mul(choices.len()) > MAX_FILES {
            let message = format!("`{text}` names more than {MAX_FILES} files");
            return Err(Error::new(ErrorKind::Spec, message));
        }
        let extended = texts.iter().flat_map(|text| {
            choices
                .iter()
                .map(move |choice| format!("{text}{before}{choice}"))
        });
        texts = extended.collect();
        rest = after;
    }
    texts.iter_mut().for_each(|text| text.push_str(rest));
    Ok(texts)
}

/// The numbers from `first` to `last`, written with as many digits as `first`.
fn numbers(first: &str, last: &str, text: &str) -> Result<Vec<String>> {
    let wrong = |problem: &str| {
        let message = format!("`{{{first}..{last}}}` in `{text}` {problem}");
        Error::new(ErrorKind::Spec, message).help("write a range of numbers: `{000..099}`")
    };
    let number = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<usize>().ok().filter(|_| is_number);
        number.ok_or_else(|| wrong("is no range of numbers"))
    };
    let (from, to, width) = (number(first)?, number(last)?, first.len());
    if to < from {
        return Err(wrong("ends before it starts"));
    }
    if to - from >= MAX_FILES {
        return Err(wrong("is too long"));
    }
    Ok((from..=to)
        .map(|number| format!("{number:0width$}"))
        .collect())
}

/// The files whose names fit the pattern, sorted.
fn matching_files(pattern: &Path, resolve: impl Fn(&Path) -> PathBuf) -> Result<Vec<PathBuf>> {
    let folder = pattern.parent().unwrap_or(Path::new(""));
    let wrong = |message: String| Error::new(ErrorKind::Spec, message);
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    let glob = globset::Glob::new(&name)
        .map_err(|error| wrong(format!("`{}` is no pattern", pattern.display())).caused_by(error))?
        .compile_matcher();
    let full = resolve(folder);
    let full = if full.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        full
    };
    let entries = std::fs::read_dir(&full)
        .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>())
        .map_err(|error| {
            wrong(format!("can't read the folder {}", full.display())).caused_by(error)
        })?;
    let mut names: Vec<_> = entries.iter().map(std::fs::DirEntry::file_name).collect();
    names.retain(|name| glob.is_match(name));
    names.sort();
    if names.is_empty() {
        return Err(wrong(format!(
            "there is no file {}",
            resolve(pattern).display()
        )));
    }
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::expand_ranges;

    #[test]
    fn ranges_are_expanded() {
        assert_eq!(expand_ranges("a.tar").unwrap(), ["a.tar"]);
        assert_eq!(
            expand_ranges("s-{08..10}.tar").unwrap(),
            ["s-08.tar", "s-09.tar", "s-10.tar"]
        );
        assert_eq!(
            expand_ranges("{a,b}/{1..2}.tar").unwrap(),
            ["a/1.tar", "a/2.tar", "b/1.tar", "b/2.tar"]
        );
        for wrong in [
            "{1..",
            "{2..1}",
            "{a..b}",
            "{..3}",
            "{0..99999999}",
            "{0..999}{0..9999}",
        ] {
            assert!(expand_ranges(wrong).is_err(), "{wrong}");
        }
    }
}
