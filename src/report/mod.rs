//! The report: results in, one self-contained HTML page out.
#[derive(Debug, Default)]
pub struct Options {
    pub templates: Option<std::path::PathBuf>,
}
pub fn render(
    _: &crate::results::Results,
    _: &crate::results::Tensors,
    _: &Options,
) -> crate::error::Result<String> {
    Ok(String::new())
}
