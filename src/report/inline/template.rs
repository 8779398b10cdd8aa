//! The templates of the parts.

use minijinja::Value;

use crate::error::Result;
use crate::report::templates::Templates;
use crate::report::words::Words;
use crate::spec::Lang;

/// JavaScript for an image or a frame: light or dark as the text around it, which the page may choose by itself.
pub const SCHEME: &str = "const ink=getComputedStyle(this.parentNode).color.match(/[\\d.]+/g);\
this.style.colorScheme=+ink[0]+ +ink[1]+ +ink[2]>382?'dark':'light'";

/// The template `name` with the texts of `lang`.
///
/// # Errors
/// If the template is wrong.
pub fn render(name: &str, lang: Lang, context: Value) -> Result<String> {
    Templates::built_in(Words::new(lang))?.render(name, context)
}
