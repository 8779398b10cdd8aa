//! The templates: the folder `templates/`, built in, any file of which `--templates DIR` replaces.

use std::path::PathBuf;

use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::embedded::templates;
use super::words::Words;
use crate::error::{Error, ErrorKind, Result};

/// How the report is rendered, as opposed to what it shows.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// A folder whose files replace the built-in templates of the same name.
    pub templates: Option<PathBuf>,
}

/// The templates of one language, ready to be rendered.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// The folder of the user's own templates.
    folder: Option<PathBuf>,
}

impl Templates {
    /// The built-in templates, or those of `options` in their place, with `t(key, gap=value)` for the texts.
    ///
    /// # Errors
    /// If a template can't be read or has a syntax error.
    pub fn new(words: Words, options: &RenderOptions) -> Result<Templates> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(".html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        environment.add_function("t", move |key: &str, gaps: Kwargs| text(&words, key, &gaps));
        let mut all = Templates {
            environment,
            folder: options.templates.clone(),
        };
        for (name, text) in templates() {
            let text = match all.folder.as_deref().map(|folder| folder.join(name)) {
                Some(path) if path.is_file() => std::fs::read_to_string(&path)
                    .map_err(|error| Error::io("read", &path, error))?,
                _ => text.to_owned(),
            };
            let added = all.environment.add_template_owned(name, text);
            added.map_err(|error| all.error(error))?;
        }
        Ok(all)
    }

    /// The built-in templates.
    ///
    /// # Errors
    /// If one has a syntax error.
    pub fn built_in(words: Words) -> Result<Templates> {
        Templates::new(words, &RenderOptions::default())
    }

    /// The template `name` with the values of `context`.
    ///
    /// # Errors
    /// If the template is wrong.
    pub fn render(&self, name: &str, context: Value) -> Result<String> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|error| self.error(error))
    }

    /// A template's error, with the file and the line where it began: an include reports its own position last.
    fn error(&self, error: minijinja::Error) -> Error {
        let mut root = &error;
        while let Some(source) = std::error::Error::source(root).and_then(|e| e.downcast_ref()) {
            root = source;
        }
        let position = match (root.name(), root.line()) {
            (Some(name), Some(line)) => format!("{name}, line {line}"),
            (Some(name), None) => name.to_owned(),
            _ => "of the report".to_owned(),
        };
        let detail = root
            .detail()
            .map_or_else(|| root.kind().to_string(), str::to_owned);
        let message = format!("the template {position} can't be rendered: {detail}");
        let error = Error::new(ErrorKind::Report, message);
        match &self.folder {
            Some(folder) => error.help(format!(
                "correct it in {}, or delete the file there to use the built-in one",
                folder.display()
            )),
            None => error,
        }
    }
}

/// The function `t` of the templates: the text at `key` with its gaps filled.
fn text(words: &Words, key: &str, gaps: &Kwargs) -> Result<String, minijinja::Error> {
    let names: Vec<String> = gaps.args().map(str::to_owned).collect();
    let mut values = Vec::with_capacity(names.len());
    for name in &names {
        values.push((name.as_str(), gaps.get::<Value>(name)?.to_string()));
    }
    let gaps: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, v.as_str())).collect();
    words.find(key, &gaps).ok_or_else(|| {
        minijinja::Error::new(
            minijinja::ErrorKind::InvalidOperation,
            format!("no language has the text `{key}`, or a gap of it has no value"),
        )
    })
}
