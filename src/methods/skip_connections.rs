//! `skip_connections`: what the shortcuts of a residual network do (He et al. 2015,
//! <https://arxiv.org/abs/1512.03385>), block by block; the cuts are those of Veit et al. 2016,
//! <https://arxiv.org/abs/1605.06431>.
//!
//! **What it shows.** A residual block hands on x + F(x): its shortcut x and what its branch F adds. How large
//! is the correction, where in the picture is it made, what does the decision lose without either, and
//! which of the two does the gradient take?
//! **How it is computed.** For every `Add` node, x and F(x) as they come into it (x behind the 1×1 projection
//! where the block changes the shape). The ratio |F(x)| / |x| and the cosine of the two are over all values.
//! The energy maps, `[h, w]`, are the Euclidean norms over the channels at each place. A cut lets x alone, or
//! F(x) alone, go on from the sum, and runs the rest of the network again. The gradient g of the logit at the
//! node where the block's two ways part is exactly g_shortcut + g_branch; a side's share is its projection
//! ⟨g_side, g⟩ / |g|², so that both make 1. Taken on to the pixels each side gives a picture of its own,
//! and those two sum to the whole picture's gradient; their shares, by the same formula, are what
//! "of the gradient at the picture" means. It is what is lost when the branch is detached: the values
//! stay, but no gradient flows through it. Both shares are kept: the first shows the block alone, the
//! second what becomes of it in the layers before.
//! **How to read it.** A small ratio: the block corrects a little what passes by. A cosine below 0: it takes
//! away. Where a cut branch costs little and a cut shortcut nearly everything, the network is many short
//! ways side by side, rather than one long one. A share above 1: the branch pulls the gradient the other way.
//! **What it can't show.** What a network trained without the block would do; and two cuts together cost other
//! than the sum of both. A shortcut carries everything before it, so cutting it is no fair match for a branch.
//! **Options.** `maps`. **Cost.** For B blocks about B forward passes (two cuts each, and on average half of
//! the network lies behind) and B/2 backward passes a class: some 8 times the one forward and backward
//! pass in ResNet-50, 4 times in EfficientNet-Lite0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{BackwardPass, Method, MethodOutput, batched, to_array, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, Cut, Note, ResidualBlock, Shares, SideMaps};
use crate::network::graph::{Graph, NodeId};
use crate::network::{NodeValues, gradients};

/// What is kept besides the numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SkipConnections {
    /// Whether the two energy maps of every block are kept and shown.
    pub maps: bool,
}

impl Default for SkipConnections {
    fn default() -> Self {
        SkipConnections { maps: true }
    }
}

/// The nodes of a residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// Where the two ways part: the last node that both come from.
    start: NodeId,
    shortcut: NodeId,
    branch: NodeId,
    add: NodeId,
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "skip_connections",
    title: "Skip connections",
    summary: "what the shortcuts of ResNet and EfficientNet do: the norm of each branch beside its shortcut, where it is strong, what removing either costs, and how the gradient is shared (He et al. 2015; Veit et al. 2016)",
    read: "A residual block outputs x + F(x): the shortcut carries x past the layers unchanged, and the branch adds F(x). Where removing a branch costs little and removing a shortcut costs nearly everything, the network does not depend on any single block, but on the path of shortcuts past them all.",
    limit: "A shortcut carries the work of all blocks before it, so removing it is not comparable with removing one branch; and a network trained without the block would have learned to do without it.",
    papers: &[
        "He, K., Zhang, X., Ren, S., and Sun, J. (2015). Deep residual learning for image recognition. arXiv:1512.03385",
        "Veit, A., Wilber, M., and Belongie, S. (2016). Residual networks behave like ensembles of relatively shallow networks. NeurIPS. arXiv:1605.06431",
    ],
};

impl Method for SkipConnections {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn nodes(&self, graph: &Graph) -> Vec<NodeId> {
        let of = |block: Block| [block.start, block.shortcut, block.branch, block.add];
        blocks(graph).into_iter().flat_map(of).collect()
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for SkipConnections {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let subject = pass.pass.subject;
        let graph = subject.network.graph();
        let all = blocks(graph);
        if all.is_empty() {
            let reason = Note::new("note.no_residual_blocks");
            let content = Content::Absent { reason };
            out.figures
                .push(pass.figure("skip_connections", None, content));
            return Ok(());
        }
        let whole = pass.pass.value(graph.output())?.f_detach()?;
        let whole = said(pass, &whole)?;
        let cuts = cuts(pass, &all)?;
        let last = graph.output().max(1) as f64;
        let mut found = Vec::with_capacity(all.len());
        for (block, (branch_cut, shortcut_cut)) in all.iter().zip(cuts) {
            let x = pass.pass.value(block.shortcut)?.f_detach()?;
            let f = pass.pass.value(block.branch)?.f_detach()?;
            let (_, channels, height, width) = x.size4()?;
            let (xx, ff, xf) = (dot(&x, &x)?, dot(&f, &f)?, dot(&x, &f)?);
            let (gradient, picture_gradient) = shares(pass, block)?;
            let maps = match self.maps {
                true => {
                    let key = pass.key("skip_connections", Some(block.add));
                    let (shortcut, branch) = (format!("{key}/shortcut"), format!("{key}/branch"));
                    out.tensor(&shortcut, &energy(&x)?)?;
                    out.tensor(&branch, &energy(&f)?)?;
                    Some(SideMaps { shortcut, branch })
                }
                false => None,
            };
            found.push(ResidualBlock {
                add: subject.layer(block.add).to_owned(),
                depth: block.add as f64 / last,
                shape: [channels, height, width],
                projection: block.shortcut != block.start,
                norm_ratio: part(ff.sqrt(), xx.sqrt()),
                cosine: part(xf, xx.sqrt() * ff.sqrt()),
                branch_cut,
                shortcut_cut,
                gradient,
                picture_gradient,
                maps,
            });
        }
        let Some(Cut {
            logit, probability, ..
        }) = whole.into_iter().next()
        else {
            return Err(Error::new(ErrorKind::Network, "there are no logits"));
        };
        let content = Content::Shortcuts {
            logit,
            probability,
            blocks: found,
        };
        out.figures
            .push(pass.figure("skip_connections", None, content));
        Ok(())
    }
}

/// The residual blocks, in the network's order.
fn blocks(graph: &Graph) -> Vec<Block> {
    let block = |add: NodeId| {
        let [shortcut, branch] = graph.node(add).inputs[..] else {
            return None;
        };
        let mut behind = vec![false; add];
        behind[branch] = true;
        for id in (0..=branch).rev() {
            if behind[id] {
                graph.node(id).inputs.iter().for_each(|&i| behind[i] = true);
            }
        }
        let mut start = shortcut;
        while !behind[start] {
            start = *graph.node(start).inputs.first()?;
        }
        Some(Block {
            start,
            shortcut,
            branch,
            add,
        })
    };
    graph.residual_adds().filter_map(block).collect()
}

/// What the network says without each block's branch, and without its shortcut.
///
/// A block's two cuts are two pictures of a batch that starts at its sum; the batch grows by two at every
/// block it comes to, so that one walk through the network serves several.
fn cuts(pass: &BackwardPass, all: &[Block]) -> Result<Vec<(Cut, Cut)>> {
    let network = &pass.pass.subject.network;
    let output = network.graph().output();
    let sides = |block: &Block| -> Result<Tensor> {
        let x = pass.pass.value(block.shortcut)?.f_detach()?;
        let f = pass.pass.value(block.branch)?.f_detach()?;
        Ok(Tensor::f_cat(&[&x, &f], 0)?)
    };
    let mut found = Vec::with_capacity(all.len());
    let together = (batched::batch(pass.pass.input) / 2).max(1);
    for some in all.chunks(together) {
        let Some(first) = some.first() else { continue };
        let given = NodeValues::from([(first.add, sides(first)?)]);
        let kept = network.forward_with(&given, &[output], &mut |id, value| match some
            .iter()
            .find(|block| block.add == id)
        {
            Some(block) => Ok(Tensor::f_cat(&[&value, &sides(block)?], 0)?),
            None => Ok(value),
        })?;
        let said = said(pass, kept.value(output)?)?;
        if said.len() != 2 * some.len() {
            return Err(Error::new(
                ErrorKind::Network,
                "the cuts did not come through",
            ));
        }
        let mut said = said.into_iter();
        while let (Some(branch), Some(shortcut)) = (said.next(), said.next()) {
            found.push((branch, shortcut));
        }
    }
    Ok(found)
}

/// What each row of `logits`, `[N, classes]`, says of the class, and its first choice.
fn said(pass: &BackwardPass, logits: &Tensor) -> Result<Vec<Cut>> {
    let classes = *logits.size().last().unwrap_or(&0) as usize;
    let array = to_array(logits)?;
    let shares = to_array(&logits.f_softmax(1, Kind::Double)?)?;
    let rows = array.floats().unwrap_or_default().chunks(classes.max(1));
    let shares = shares.floats().unwrap_or_default().chunks(classes.max(1));
    let one = |(row, shares): (&[f32], &[f32])| {
        if row.iter().any(|logit| !logit.is_finite()) {
            let message = "without one side of a block the logits are not finite";
            return Err(Error::new(ErrorKind::Network, message));
        }
        let first = (0..row.len()).reduce(|a, b| if row[b] > row[a] { b } else { a });
        let class = pass.class.index;
        match (row.get(class), shares.get(class), first) {
            (Some(&logit), Some(&probability), Some(first)) => Ok(Cut {
                logit,
                probability,
                first: pass.pass.subject.class(first),
            }),
            _ => Err(Error::new(ErrorKind::Network, "there is no such logit")),
        }
    };
    rows.zip(shares).map(one).collect()
}

/// The two sides' shares of the gradient where the block begins, and at the picture.
fn shares(pass: &BackwardPass, block: &Block) -> Result<(Option<Shares>, Option<Shares>)> {
    let whole = pass.gradient(block.start)?;
    let at_sum = pass.gradient(block.add)?;
    // A sum hands its gradient to both sides as it is; a projection takes it on to where the block begins.
    let over = match block.shortcut == block.start {
        true => at_sum.shallow_clone(),
        false => back(pass, block.shortcut, at_sum, block.start)?,
    };
    let input = pass.pass.subject.network.graph().input();
    let on_pixels = back(pass, block.start, &over, input)?;
    let at_picture = pass.gradient(input)?;
    Ok((split(&over, whole)?, split(&on_pixels, at_picture)?))
}

/// `gradient` at node `from`, taken back to node `to` over the pass that was made.
fn back(pass: &BackwardPass, from: NodeId, gradient: &Tensor, to: NodeId) -> Result<Tensor> {
    let value = pass.pass.value(from)?;
    let objective = tch::with_grad(|| value.f_mul(gradient)?.f_sum(Kind::Float))?;
    let mut found = gradients(&objective, pass.pass.values, &[to])?;
    let missing = || Error::new(ErrorKind::Network, "no gradient came back");
    found.remove(&to).ok_or_else(missing)
}

/// How `whole` splits into `shortcut` and the rest.
fn split(shortcut: &Tensor, whole: &Tensor) -> Result<Option<Shares>> {
    let (along, all) = (dot(shortcut, whole)?, dot(whole, whole)?);
    let rest = dot(&whole.f_sub(shortcut)?, whole)?;
    Ok(part(along, all)
        .zip(part(rest, all))
        .map(|(shortcut, branch)| Shares { shortcut, branch }))
}

/// ⟨a, b⟩ over all values, in float64.
fn dot(a: &Tensor, b: &Tensor) -> Result<f64> {
    let (a, b) = (a.f_to_kind(Kind::Double)?, b.f_to_kind(Kind::Double)?);
    Ok(a.f_mul(&b)?.f_sum(Kind::Double)?.f_double_value(&[])?)
}

/// `of / whole`, where that is a number.
fn part(of: f64, whole: f64) -> Option<f32> {
    let part = (of / whole) as f32;
    part.is_finite().then_some(part)
}

/// At each place the Euclidean norm over the channels: `[1, C, h, w]` to `[h, w]`.
fn energy(value: &Tensor) -> Result<Tensor> {
    let squares = value.f_square()?;
    let sum = squares.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
    Ok(sum.f_sqrt()?.f_squeeze_dim(0)?)
}
