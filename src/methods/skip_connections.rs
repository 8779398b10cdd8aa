//! `skip_connections`: what the shortcuts of a residual network contribute (He et al. 2015,
//! <https://arxiv.org/abs/1512.03385>), block by block; the ablations are those of Veit et al. 2016,
//! <https://arxiv.org/abs/1605.06431>.
//!
//! **What it shows.** The output of a residual block is x + F(x): its shortcut x and its branch F(x). How large F(x) is, where
//! in the image it is large, how the prediction changes without either, and how the gradient splits between the two.
//! **How it is computed.** For every `add` node, x and F(x) are its two inputs (x after the 1×1 projection where the block
//! changes the shape). The ratio ‖F(x)‖ / ‖x‖ and the cosine of the two are over all values. The energy maps, `[h, w]`, are
//! the Euclidean norms over the channels at each spatial position. An ablation replaces the sum by x, or by F(x), and runs
//! the rest of the network again. The gradient g of the logit at the block's input is exactly g_shortcut + g_branch; the
//! share of a path is its projection ⟨g_path, g⟩ / ‖g‖², so that both sum to 1. The same shares are computed at the network's
//! input: propagated back to the pixels, the two gradients again sum to the whole, and the branch's share is the part of the
//! gradient that is lost if the branch is detached (its values stay, but no gradient flows through it). The first shares
//! describe the block alone, the second also include the effect of the layers before it.
//! **How to read it.** A small ratio: the block changes its input little. A cosine below 0: it reduces it. If removing a
//! branch changes the logit little and removing a shortcut changes nearly everything, the network behaves like an ensemble
//! of short paths rather than one deep one. A share above 1: the other path's gradient points against the sum.
//! **What it can't show.** What a network trained without the block would do; and two ablations together change the logit by
//! another amount than the sum of both. A shortcut carries the output of all layers before it, so its ablation can't be
//! compared with that of a branch.
//! **Options.** `maps`.
//! **Cost.** For B blocks about B forward passes (two ablations each, through half of the network on average) and B/2
//! backward passes for each class: about 8 times one forward and backward pass in ResNet-50, 4 times in
//! EfficientNet-Lite0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    BackwardPass, ClassMethod, Method, MethodInfo, MethodOutput, ResultKind, batched, to_floats,
};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{AblatedPrediction, Content, EnergyMaps, GradientShares, Note, ResidualBlock};
use crate::network::graph::{Graph, NodeId};
use crate::network::{NodeValues, ResidualSum, gradients};

/// Whether maps are stored besides the scalars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SkipConnections {
    /// Whether the two energy maps of every block are stored and shown.
    pub maps: bool,
}

impl Default for SkipConnections {
    fn default() -> Self {
        SkipConnections { maps: true }
    }
}

/// The nodes of a residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct BlockNodes {
    /// The block's input: the last node on which both paths depend.
    input: NodeId,
    /// The end of the shortcut.
    shortcut: NodeId,
    /// The end of the branch.
    branch: NodeId,
    /// The sum of both.
    add: NodeId,
}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "skip_connections",
    title: "Skip connections",
    summary: "what the shortcuts of ResNet and EfficientNet do: the norms of each branch and its shortcut, where they are large, what removing either costs, and how the gradient splits between them (He et al. 2015; Veit et al. 2016)",
    read: "A residual block outputs x + F(x): the shortcut carries x past the layers unchanged, and the branch adds F(x). Where removing a branch costs little and removing a shortcut costs nearly everything, the network does not depend on any single block, but on the path of shortcuts past them all.",
    limit: "A shortcut carries the work of all blocks before it, so removing it is not comparable with removing one branch; and a network trained without the block would have learned to do without it.",
    result: ResultKind::ResidualBlocks,
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
        let blocks = residual_blocks(graph).into_iter();
        blocks
            .flat_map(|block| [block.input, block.shortcut, block.branch, block.add])
            .collect()
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
        let graph = pass.model().network.graph();
        let mut blocks = residual_blocks(graph);
        let info = &pass.model().info;
        blocks.retain(|block| info[block.shortcut].is_spatial() && info[block.branch].is_spatial());
        let all = blocks.len();
        let target = pass.target.node;
        blocks.retain(|block| graph.downstream(block.add)[target]);
        let content = if blocks.is_empty() {
            let reason = if all == 0 {
                "note.no_residual_blocks"
            } else {
                "note.after_target"
            };
            Content::Absent {
                reason: Note::new(reason),
            }
        } else {
            let mut whole = predictions(pass, &pass.forward.values)?.into_iter();
            let no_value = || Error::new(ErrorKind::Network, "the batch of values is empty");
            let whole = whole.next().ok_or_else(no_value)?;
            let ablations = ablations(pass, &blocks)?;
            let figures = blocks.iter().zip(ablations);
            let figures =
                figures.map(|(block, ablations)| self.residual_block(pass, block, ablations, out));
            Content::Shortcuts {
                value: whole.value,
                quantity: pass.target.quantity(pass.model()),
                probability: whole.probability,
                blocks: figures.collect::<Result<_>>()?,
            }
        };
        let figure = pass.figure(INFO.key, None, content);
        out.figures.push(figure);
        Ok(())
    }
}

impl SkipConnections {
    /// The figure of one block, given its ablations.
    fn residual_block(
        &self,
        pass: &BackwardPass,
        block: &BlockNodes,
        ablations: BlockAblations,
        out: &mut MethodOutput,
    ) -> Result<ResidualBlock> {
        let model = pass.model();
        let x = pass.value(block.shortcut)?;
        let f = pass.value(block.branch)?;
        let (x_map, f_map) = (model.map(block.shortcut, &x)?, model.map(block.branch, &f)?);
        let (_, channels, height, width) = x_map.size4()?;
        let (x_x, f_f, x_f) = (dot(&x, &x)?, dot(&f, &f)?, dot(&x, &f)?);
        let (gradient, input_gradient) = gradient_shares(pass, block)?;
        let maps = if self.maps {
            let key = pass.key(INFO.key, Some(block.add));
            let (shortcut, branch) = (format!("{key}/shortcut"), format!("{key}/branch"));
            out.tensor(&shortcut, &energy(&x_map)?)?;
            out.tensor(&branch, &energy(&f_map)?)?;
            Some(EnergyMaps { shortcut, branch })
        } else {
            None
        };
        Ok(ResidualBlock {
            add: model.layer(block.add).to_owned(),
            depth: block.add as f64 / model.network.graph().output().max(1) as f64,
            shape: [channels, height, width],
            projection: block.shortcut != block.input,
            norm_ratio: ratio(f_f.sqrt(), x_x.sqrt()),
            cosine: ratio(x_f, x_x.sqrt() * f_f.sqrt()),
            without_branch: ablations.without_branch,
            without_shortcut: ablations.without_shortcut,
            gradient,
            input_gradient,
            maps,
        })
    }
}

/// The residual blocks in the network's order.
fn residual_blocks(graph: &Graph) -> Vec<BlockNodes> {
    let block = |(add, ResidualSum { shortcut, branch }): (NodeId, ResidualSum)| {
        let mut branch_depends_on = vec![false; add];
        branch_depends_on[branch] = true;
        for id in (0..=branch).rev() {
            if branch_depends_on[id] {
                let inputs = graph.node(id).inputs.iter();
                inputs.for_each(|&input| branch_depends_on[input] = true);
            }
        }
        let mut input = shortcut;
        while !branch_depends_on[input] {
            input = *graph.node(input).inputs.first()?;
        }
        Some(BlockNodes {
            input,
            shortcut,
            branch,
            add,
        })
    };
    graph.residual_sums().filter_map(block).collect()
}

/// The predictions of the network with one path of a block removed.
struct BlockAblations {
    without_branch: AblatedPrediction,
    without_shortcut: AblatedPrediction,
}

/// The predictions without each block's branch, and without its shortcut.
///
/// The two ablations of a block are two entries of a batch that starts at its sum. The batch grows by two at every block,
/// so that one pass through the network serves several blocks.
fn ablations(pass: &BackwardPass, blocks: &[BlockNodes]) -> Result<Vec<BlockAblations>> {
    let network = &pass.model().network;
    let kept = [pass.target.node, network.graph().output()];
    let both_paths = |block: &BlockNodes| -> Result<Tensor> {
        let x = pass.value(block.shortcut)?;
        let f = pass.value(block.branch)?;
        Ok(Tensor::f_cat(&[&x, &f], 0)?)
    };
    let mut all = Vec::with_capacity(blocks.len());
    let blocks_at_once = (batched::batch_size(&pass.forward.input) / 2).max(1);
    for blocks in blocks.chunks(blocks_at_once) {
        let Some(first) = blocks.first() else {
            continue;
        };
        let given = NodeValues::from([(first.add, both_paths(first)?)]);
        let sums = blocks.iter().map(|block| block.add).collect();
        let values = network.forward_with(&given, &kept, &sums, &mut |id, value| match blocks
            .iter()
            .find(|block| block.add == id)
        {
            Some(block) => Ok(Tensor::f_cat(&[&value, &both_paths(block)?], 0)?),
            None => Ok(value),
        })?;
        let predictions = predictions(pass, &values)?;
        if predictions.len() != 2 * blocks.len() {
            let message = format!(
                "{} blocks have {} ablations, expected two each",
                blocks.len(),
                predictions.len()
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        let mut predictions = predictions.into_iter();
        while let (Some(without_branch), Some(without_shortcut)) =
            (predictions.next(), predictions.next())
        {
            all.push(BlockAblations {
                without_branch,
                without_shortcut,
            });
        }
    }
    Ok(all)
}

/// The prediction for each image of a pass: the target's value, and where there are classes the target's probability and the
/// class with the largest logit.
fn predictions(pass: &BackwardPass, values: &NodeValues) -> Result<Vec<AblatedPrediction>> {
    let (model, target) = (pass.model(), &pass.target);
    let value = values.value(target.node)?;
    let targets = to_floats(&target.values(model, value)?)?;
    if targets.iter().any(|value| !value.is_finite()) {
        let message = "the values without one path of a block are not finite";
        return Err(Error::new(ErrorKind::Network, message));
    }
    let images = targets.len();
    let class = target
        .info
        .class()
        .filter(|_| model.task.has_probabilities());
    let probabilities = match class {
        Some(class) => {
            let all = model.class_probabilities(value, Kind::Double)?;
            let own = to_floats(&all.f_select(1, class.index as i64)?)?;
            own.into_iter().map(Some).collect()
        }
        None => vec![None; images],
    };
    let top_classes = if model.task.has_probabilities() {
        let logits = model.class_logits(values.value(model.network.graph().output())?)?;
        let classes = logits.size().last().map_or(1, |&classes| classes.max(1)) as usize;
        let logits = to_floats(&logits)?;
        let largest = |row: &[f32]| {
            let all = 0..row.len();
            all.reduce(|a, b| if row[b] > row[a] { b } else { a })
        };
        let rows = logits.chunks(classes);
        rows.map(|row| Some(model.class(largest(row)?))).collect()
    } else {
        vec![None; images]
    };
    let all = targets.into_iter().zip(probabilities).zip(top_classes);
    let predictions = all.map(|((value, probability), top_class)| AblatedPrediction {
        value,
        probability,
        top_class,
    });
    Ok(predictions.collect())
}

/// The shares of both paths of the gradient at the block's input, and at the network's input.
fn gradient_shares(
    pass: &BackwardPass,
    block: &BlockNodes,
) -> Result<(Option<GradientShares>, Option<GradientShares>)> {
    let whole = pass.gradient(block.input)?;
    let at_sum = pass.gradient(block.add)?;
    // The gradient of a sum is that of both its inputs; a projection propagates it to the block's input.
    let over_shortcut = if block.shortcut == block.input {
        at_sum.shallow_clone()
    } else {
        propagate_back(pass, block.shortcut, at_sum, block.input)?
    };
    let input = pass.model().network.graph().input();
    let at_pixels = propagate_back(pass, block.input, &over_shortcut, input)?;
    Ok((
        shares(&over_shortcut, whole)?,
        shares(&at_pixels, pass.gradient(input)?)?,
    ))
}

/// `gradient` at the node `from`, propagated back to the node `to` through the graph of the forward pass.
fn propagate_back(
    pass: &BackwardPass,
    from: NodeId,
    gradient: &Tensor,
    to: NodeId,
) -> Result<Tensor> {
    let value = pass.forward.value(from)?;
    let objective = tch::with_grad(|| value.f_mul(gradient)?.f_sum(Kind::Float))?;
    let found = gradients(&objective, &pass.forward.values, &[to])?;
    Ok(found.value(to)?.shallow_clone())
}

/// The shares of `over_shortcut` and of the rest of the gradient `whole`.
fn shares(over_shortcut: &Tensor, whole: &Tensor) -> Result<Option<GradientShares>> {
    let over_branch = whole.f_sub(over_shortcut)?;
    let squared_norm = dot(whole, whole)?;
    let shortcut = ratio(dot(over_shortcut, whole)?, squared_norm);
    let branch = ratio(dot(&over_branch, whole)?, squared_norm);
    Ok(shortcut
        .zip(branch)
        .map(|(shortcut, branch)| GradientShares { shortcut, branch }))
}

/// ⟨a, b⟩ over all values, in float64.
fn dot(a: &Tensor, b: &Tensor) -> Result<f64> {
    let (a, b) = (a.f_to_kind(Kind::Double)?, b.f_to_kind(Kind::Double)?);
    Ok(a.f_mul(&b)?.f_sum(Kind::Double)?.f_double_value(&[])?)
}

/// `numerator / denominator`, if it is finite.
fn ratio(numerator: f64, denominator: f64) -> Option<f32> {
    let ratio = (numerator / denominator) as f32;
    ratio.is_finite().then_some(ratio)
}

/// The Euclidean norm over the channels at each spatial position: `[1, C, h, w]` to `[h, w]`.
fn energy(value: &Tensor) -> Result<Tensor> {
    let squares = value.f_square()?;
    let sum = squares.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?;
    Ok(sum.f_sqrt()?.f_squeeze_dim(0)?)
}
