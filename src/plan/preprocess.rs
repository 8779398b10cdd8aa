//! The preprocessing of a network: what its weights or its file say, what the experiment changes, and what is assumed where
//! neither says anything.

use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::image::Preprocess;
use crate::spec::{PathStep, PixelLength, PreprocessSpec};

/// What is assumed of a preprocessing that nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssumedPreprocess {
    /// Means and standard deviations are those of ImageNet.
    Imagenet,
    /// The input is 0 to 1: the network has other than three channels, for which there are no common means.
    Unit,
}

impl AssumedPreprocess {
    /// A sentence for users.
    pub fn sentence(self) -> &'static str {
        match self {
            AssumedPreprocess::Imagenet => {
                "preprocessing not given: ImageNet's mean and standard deviation are assumed (`preprocess` sets another)"
            }
            AssumedPreprocess::Unit => {
                "preprocessing not given: an input from 0 to 1 is assumed (`preprocess` sets another)"
            }
        }
    }
}

/// Where the preprocessing of a network comes from.
#[derive(Debug)]
pub(super) struct PreprocessSources<'a> {
    /// That of its weights or its file.
    pub(super) known: Option<&'a Preprocess>,
    /// What the experiment sets.
    pub(super) changes: Option<&'a PreprocessSpec>,
    /// Whether the weights were trained with some preprocessing.
    pub(super) is_trained: bool,
    /// The sizes and the interpolation, where nobody says them.
    pub(super) sizes: Preprocess,
    /// How many channels it takes.
    pub(super) channels: usize,
}

impl PreprocessSources<'_> {
    /// The preprocessing, and what had to be assumed of it.
    ///
    /// # Errors
    /// If means or standard deviations are not as many as the channels, with the key of `preprocess` that says so.
    pub(super) fn choose(
        &self,
    ) -> Result<(Preprocess, Option<AssumedPreprocess>), (&'static str, Error)> {
        let channels = self.channels;
        let mut preprocess = self.known.cloned().unwrap_or_else(|| self.assumed());
        let mut is_given = self.known.is_some() || !self.is_trained;
        if let Some(changes) = self.changes {
            apply(changes, &mut preprocess, channels)?;
            is_given |=
                changes.preset.is_some() || (changes.mean.is_some() && changes.std.is_some());
        }
        for (key, count) in [
            ("mean", preprocess.mean.len()),
            ("std", preprocess.std.len()),
        ] {
            if count != channels {
                let plural = |count: usize, what: &str| match count {
                    1 => format!("1 {what}"),
                    _ => format!("{count} {what}s"),
                };
                let message = format!(
                    "`{key}` has {}, and the network takes {}",
                    plural(count, "value"),
                    plural(channels, "channel")
                );
                let error = Error::new(ErrorKind::Spec, message)
                    .help(format!("give `{key}` one number for each channel"));
                return Err((key, error));
            }
        }
        let assumed = (!is_given).then_some(if channels == 3 {
            AssumedPreprocess::Imagenet
        } else {
            AssumedPreprocess::Unit
        });
        Ok((preprocess, assumed))
    }

    /// The preprocessing where nobody says one.
    fn assumed(&self) -> Preprocess {
        let mut assumed = self.sizes.clone();
        if self.channels != 3 {
            assumed.mean = vec![0.0; self.channels];
            assumed.std = vec![1.0; self.channels];
        }
        assumed
    }
}

/// Makes an error point at a key of the model's `preprocess`; at `preprocess` itself where it is a preset's name, and at the
/// model where there is none.
pub(super) fn locate(origin: &Origin, entry: usize, key: &'static str, error: Error) -> Error {
    let path = [
        PathStep::Key("models"),
        PathStep::Index(entry),
        PathStep::Key("preprocess"),
        PathStep::Key(key),
    ];
    let depth = (2..=4).rev().find(|depth| origin.has(&path[..*depth]));
    origin.locate(&path[..depth.unwrap_or(2)], error)
}

/// Replaces the parts of `preprocess` that the spec sets.
fn apply(
    changes: &PreprocessSpec,
    preprocess: &mut Preprocess,
    channels: usize,
) -> Result<(), (&'static str, Error)> {
    if let Some(resize) = changes.resize {
        preprocess.resize = PixelLength::pixels(resize);
    }
    if let Some(crop) = changes.crop {
        preprocess.crop = PixelLength::pixels(crop);
    }
    preprocess.interpolation = changes.interpolation.unwrap_or(preprocess.interpolation);
    if let Some(preset) = changes.preset {
        let Some([mean, std]) = preset.means_and_deviations(channels) else {
            let message = format!(
                "the preset `imagenet` is one of three colours, and the network takes {channels} channel{}",
                if channels == 1 { "" } else { "s" }
            );
            let error = Error::new(ErrorKind::Spec, message)
                .help("use `inception`, `unit` or `raw`, or give `mean` and `std`");
            return Err(("preset", error));
        };
        preprocess.mean = mean;
        preprocess.std = std;
    }
    if let Some(mean) = &changes.mean {
        preprocess.mean.clone_from(mean);
    }
    if let Some(std) = &changes.std {
        preprocess.std.clone_from(std);
    }
    Ok(())
}
