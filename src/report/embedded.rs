//! The files of the folder `templates/`, built into the library: the code has no list of them.

use include_dir::{Dir, include_dir};

static FOLDER: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Every built-in template: its name, which a file of `--templates` replaces, and its text.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    let script = FOLDER.get_dir("script");
    let files = FOLDER
        .files()
        .chain(script.into_iter().flat_map(Dir::files));
    files.filter_map(|file| {
        let template = matches!(file.path().extension()?.to_str()?, "html" | "css" | "js");
        template.then_some(())?;
        Some((file.path().to_str()?, file.contents_utf8()?))
    })
}

/// Every language's tag and word file.
pub fn language_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = FOLDER.get_dir("words").into_iter().flat_map(Dir::files);
    files.filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
}
