//! The architectures that a spec can name: one file per family.

mod architecture;
mod efficientnet;
mod head;
mod layers;
mod resnet;
mod vgg;

use crate::error::{Error, ErrorKind, Result, nearest};

pub use architecture::{Arch, ArchOptions, Stem};
pub use head::{Head, HeadLayer, HeadOp};

/// The families, in the order in which their architectures are listed.
const FAMILIES: &[&[Arch]] = &[
    &resnet::ARCHITECTURES,
    &vgg::ARCHITECTURES,
    &efficientnet::ARCHITECTURES,
];

/// All architectures.
pub fn architectures() -> impl Iterator<Item = &'static Arch> + Clone {
    FAMILIES.iter().copied().flatten()
}

/// The architecture called `name`.
///
/// # Errors
/// If there is none, with the nearest name.
pub fn find(name: &str) -> Result<&'static Arch> {
    architectures()
        .find(|arch| arch.name == name)
        .ok_or_else(|| {
            let message = format!("there is no architecture `{name}`");
            let error = Error::new(ErrorKind::Usage, message);
            match nearest(name, architectures().map(|arch| arch.name)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("`convscope models` lists them"),
            }
        })
}
