//! The prefix of a network's names within a file: `module.` of data parallelism, `encoder.`, `module.encoder_q.`, whatever the
//! training program called it. The prefix is the one under which the architecture matches best.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::format::StateDict;
use super::naming_schemes::{EfficientNetBlocks, NamingScheme};

/// The most modules around a network; those of real checkpoints have up to four.
const MAX_DEPTH: usize = 8;

/// The longest name that is looked into; those of real checkpoints have up to a hundred bytes.
const MAX_LENGTH: usize = 512;

/// Names of modules and of entries of a checkpoint that hold a second copy of a network: one that follows the other slowly, as
/// in self-supervised learning, or an average of its weights. DINO evaluates the teacher, so that its student is the second.
const COPIES: [&str; 13] = [
    "student",
    "encoder_k",
    "key_encoder",
    "momentum_encoder",
    "momentum_backbone",
    "backbone_momentum",
    "backbone_k",
    "target_encoder",
    "target_network",
    "target",
    "ema",
    "model_ema",
    "state_dict_ema",
];

/// The prefix of a network in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    /// The prefix, with its last dot; `""` for none.
    pub(super) text: String,
    /// Other prefixes under which the architecture matches as well.
    pub(super) others: Vec<String>,
}

/// How well an architecture matches the names that begin with a prefix; the larger the better.
type Score = (usize, usize, Reverse<usize>);

impl Prefix {
    /// The prefix under which most parameters of the architecture's `body`, its shapes by name, are found: first those of the
    /// right shape counted, then those of the right name, then the fewest names that are no part of it. Of several that
    /// match as well, one that is no copy (`encoder_k`, `ema`, a `student` beside its teacher), then the shorter, then the
    /// first in the alphabet.
    pub(super) fn of_best_match(
        file: &StateDict,
        body: &BTreeMap<String, Vec<i64>>,
        blocks: &EfficientNetBlocks,
    ) -> Prefix {
        let candidates: BTreeSet<&str> = file.keys().flat_map(|name| prefixes(name)).collect();
        let mut best: Vec<(Score, &str)> = Vec::new();
        for prefix in candidates {
            let score = score(file, prefix, body, blocks);
            let matched = |score: &Score| (score.0, score.1);
            match best.first() {
                _ if score.1 == 0 => {}
                Some((top, _)) if matched(&score) < matched(top) => {}
                Some((top, _)) if matched(&score) == matched(top) => best.push((score, prefix)),
                _ => best = vec![(score, prefix)],
            }
        }
        // A few names in common are no network.
        if best
            .first()
            .is_none_or(|(score, _)| 2 * score.1 < body.len())
        {
            return Prefix::default();
        }
        best.sort_by_key(|&(score, prefix)| {
            (Reverse(score), is_copy(prefix), prefix.len(), prefix)
        });
        let mut prefixes = best.into_iter().map(|(_, prefix)| prefix.to_owned());
        Prefix {
            text: prefixes.next().unwrap_or_default(),
            others: prefixes.collect(),
        }
    }

    /// The prefix of the module around the network, and the network's own name there: `module.` and `backbone`. `None` if
    /// nothing is around it.
    pub(super) fn around(&self) -> Option<(&str, &str)> {
        let path = self.text.strip_suffix('.')?;
        let name = path.rsplit('.').next()?;
        Some((&path[..path.len() - name.len()], name))
    }
}

/// The prefixes of a name, `""` first.
fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    let head = if name.len() > MAX_LENGTH { "" } else { name };
    let dots = head.match_indices('.').take(MAX_DEPTH);
    std::iter::once("").chain(dots.map(|(at, _)| &head[..=at]))
}

/// The names of `file` that begin with `prefix`, and their tensors.
pub(super) fn under<'a>(
    file: &'a StateDict,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a tch::Tensor)> + Clone {
    let from = file.range::<str, _>((
        std::ops::Bound::Included(prefix),
        std::ops::Bound::Unbounded,
    ));
    from.map_while(move |(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)))
}

fn score(
    file: &StateDict,
    prefix: &str,
    body: &BTreeMap<String, Vec<i64>>,
    blocks: &EfficientNetBlocks,
) -> Score {
    let names = under(file, prefix);
    let naming = NamingScheme::detect(names.clone().map(|(name, _)| name));
    let (mut shapes, mut known, mut strangers) = (0, 0, 0);
    for (name, tensor) in names {
        match body.get(&naming.translate(name, blocks)) {
            Some(shape) if *shape == tensor.size() => (shapes, known) = (shapes + 1, known + 1),
            Some(_) => known += 1,
            None => strangers += 1,
        }
    }
    (shapes, known, Reverse(strangers))
}

/// Whether a prefix is that of a second copy of a network.
fn is_copy(prefix: &str) -> bool {
    prefix.split('.').any(|part| COPIES.contains(&part))
}
