//! Passes of many copies of an image that differ from it in a rectangle each, such as those of an occlusion: in every layer
//! only the region is computed that the rectangle can change. Values around it are those of the unchanged image.
//!
//! This is the exact incremental inference of Nakandala et al. (Krypton, SIGMOD 2019, <https://doi.org/10.1145/3299869.3319874>).
//! A region grows from layer to layer by the reach of the windows. Where it has become most of the map, or an operator needs all
//! positions, the rest of the network runs on whole maps.

use std::collections::BTreeMap;

use tch::Tensor;

use super::forward::Network;
use super::graph::{Node, NodeId};
use super::node_info::NodeInfo;
use super::node_values::NodeValues;
use super::op::shape::Shape;
use super::op::{Locality, Op, Reach, SlidingWindow};
use super::prepared::Prepared;
use crate::error::{Error, ErrorKind, Result};

/// The share of a map beyond which a region is no longer worth cutting out.
const LARGEST_SHARE: f64 = 0.7;

/// The rectangles of a value that may differ from that of the unchanged image: one for each copy, all of one size.
#[derive(Debug, Clone, PartialEq)]
struct Region {
    /// Height and width.
    size: [i64; 2],
    /// The first row and column of each.
    starts: Vec<[i64; 2]>,
}

/// The passes of copies of one image.
#[derive(Debug)]
pub struct RegionPasses<'a> {
    network: &'a Network,
    /// Height and width of each node's map; `None` if it has none.
    sides: Vec<Option<[i64; 2]>>,
    /// The values of the unchanged image that regions are cut from.
    unchanged: NodeValues,
    node: NodeId,
}

impl Network {
    /// Passes of changed copies of `input`, `[1, C, H, W]`, to `node`; `info` are the graph's at this size.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn region_passes(
        &self,
        input: &Tensor,
        info: &[NodeInfo],
        node: NodeId,
    ) -> Result<RegionPasses<'_>> {
        let graph = self.graph();
        let sides = info.iter().map(|own| match own.shape[..] {
            [_, height, width] => Some([height, width]),
            _ => None,
        });
        let sides: Vec<Option<[i64; 2]>> = sides.collect();
        // The inputs of all nodes but of those that are always computed in the region of their input.
        let mut kept = vec![graph.input(), node];
        for own in graph.nodes() {
            let simple = own.inputs.len() == 1 && parameters_are_uniform(self, own);
            if !(simple && is_by_position(own)) {
                kept.extend(&own.inputs);
            }
        }
        let before = graph.upstream(node);
        kept.retain(|&id| before[id]);
        kept.sort_unstable();
        kept.dedup();
        let unchanged = tch::no_grad(|| self.forward(input, &kept))?;
        Ok(RegionPasses {
            network: self,
            sides,
            unchanged,
            node,
        })
    }
}

/// Whether a part of the node's value can be computed from parts of its inputs' values.
fn is_local(node: &Node) -> bool {
    node.batch == (0, 1) && !matches!(node.op.operator().locality(), Locality::Whole)
}

/// Whether each position of the node's value is computed from the same position of its inputs' values.
fn is_by_position(node: &Node) -> bool {
    is_local(node) && matches!(node.op.operator().locality(), Locality::Positions)
}

/// Whether the parameters of a node are the same at all positions.
fn parameters_are_uniform(network: &Network, node: &Node) -> bool {
    if matches!(node.op, Op::BatchNorm(_)) {
        return true;
    }
    let all = network.graph().parameters();
    let mut shapes = node.parameters.iter().map(|&id| &all[id].shape);
    shapes.all(|shape| shape.iter().rev().take(2).all(|side| *side == 1))
}

/// A pass of some copies: the regions, and the values in them.
#[derive(Default)]
struct Pass {
    regions: BTreeMap<NodeId, Region>,
    values: BTreeMap<NodeId, Tensor>,
    /// The nodes whose whole values are needed, with them.
    whole: NodeValues,
}

impl RegionPasses<'_> {
    /// The value of the node for copies of the image with `changed`, `[N, C, h, w]`, in place of the rectangles that begin at
    /// `starts` (row and column) inside the image.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn values(&self, starts: &[[i64; 2]], changed: &Tensor) -> Result<Tensor> {
        tch::no_grad(|| self.run(starts, changed))
    }

    fn run(&self, starts: &[[i64; 2]], changed: &Tensor) -> Result<Tensor> {
        let graph = self.network.graph();
        let size = changed.size();
        let region = Region {
            size: [size[2], size[3]],
            starts: starts.to_vec(),
        };
        let mut pass = Pass::default();
        pass.regions.insert(graph.input(), region);
        let input = changed.shallow_clone();
        pass.values.insert(graph.input(), input);
        let changes = graph.downstream(graph.input());
        let needed = graph.upstream(self.node);
        let mut uses = vec![0usize; needed.len()];
        for (id, node) in graph.nodes().iter().enumerate() {
            if needed[id] {
                node.inputs.iter().for_each(|&input| uses[input] += 1);
            }
        }
        let mut is_held = vec![false; needed.len()];
        is_held[self.node] = true;
        let prepared = self.network.prepared()?;
        for id in (1..=self.node).filter(|&id| needed[id] && changes[id]) {
            let node = graph.node(id);
            let computed = match prepared {
                Some(prepared) => self.compute(&mut pass, id, prepared, &is_held)?,
                None => false,
            };
            if !computed {
                for &input in &node.inputs {
                    self.make_whole(&mut pass, input)?;
                }
            }
            for &input in &node.inputs {
                uses[input] -= 1;
                if uses[input] == 0 {
                    pass.values.remove(&input);
                }
            }
        }
        self.make_whole(&mut pass, self.node)?;
        if let Some(value) = pass.whole.get(&self.node) {
            return Ok(value.shallow_clone());
        }
        let found = self.network.forward_from(&pass.whole, &[self.node])?;
        Ok(found.value(self.node)?.shallow_clone())
    }

    /// Computes the region of a node, if its inputs have one, and if it is not most of the map. Whether it did.
    fn compute(
        &self,
        pass: &mut Pass,
        id: NodeId,
        prepared: &Prepared,
        is_held: &[bool],
    ) -> Result<bool> {
        let node = self.network.graph().node(id);
        let regions: Option<Vec<&Region>> =
            node.inputs.iter().map(|id| pass.regions.get(id)).collect();
        let (Some(regions), Some(sides)) = (regions.filter(|_| is_local(node)), self.sides[id])
        else {
            return Ok(false);
        };
        let (region, value) = match node.op.operator().locality() {
            Locality::Whole => return Ok(false),
            Locality::Windows { padded, fill } => {
                let Some(window) = self.window(node) else {
                    return Ok(false);
                };
                let region = regions[0].grown(&window, sides);
                if region.is_most_of(sides) {
                    return Ok(false);
                }
                let input = node.inputs[0];
                let size = [0, 1]
                    .map(|axis| (region.size[axis] - 1) * window.stride[axis] + window.size[axis]);
                let starts = region.starts.iter().map(|start| {
                    [0, 1].map(|axis| start[axis] * window.stride[axis] - window.padding[axis])
                });
                let around = Region {
                    size,
                    starts: starts.collect(),
                };
                let x = self.cut(pass, input, &around, fill)?;
                let count = x.size()[0];
                let value = prepared.evaluate(
                    self.network.bound(),
                    (id, &padded),
                    &[&x],
                    count,
                    is_held,
                )?;
                (region, value)
            }
            Locality::Positions => {
                let same_sides = node
                    .inputs
                    .iter()
                    .all(|&input| self.sides[input] == Some(sides));
                if !same_sides || !parameters_are_uniform(self.network, node) {
                    return Ok(false);
                }
                let region = Region::union(&regions);
                if region.is_most_of(sides) {
                    return Ok(false);
                }
                let mut x = Vec::with_capacity(node.inputs.len());
                for &input in &node.inputs {
                    x.push(self.cut(pass, input, &region, 0.0)?);
                }
                let x: Vec<&Tensor> = x.iter().collect();
                let count = region.starts.len() as i64;
                let value =
                    prepared.evaluate(self.network.bound(), (id, &node.op), &x, count, is_held)?;
                (region, value)
            }
        };
        pass.regions.insert(id, region);
        pass.values.insert(id, value);
        Ok(true)
    }

    /// The window that slides over a node's input.
    fn window(&self, node: &Node) -> Option<SlidingWindow> {
        let graph = self.network.graph();
        let [height, width] = self.sides[*node.inputs.first()?]?;
        let mut shapes = vec![Shape::batch_of(&[1, height, width])];
        for &id in &node.parameters {
            shapes.push(Shape::fixed(&graph.parameters()[id].shape));
        }
        let shapes: Vec<&Shape> = shapes.iter().collect();
        match node.op.operator().reach(&shapes) {
            Reach::Window(window) => Some(window),
            _ => None,
        }
    }

    /// The values of a node in `around`, `[N, C, h, w]`, which may reach beyond the map: there they are `fill`.
    fn cut(&self, pass: &Pass, id: NodeId, around: &Region, fill: f64) -> Result<Tensor> {
        let missing = || Error::new(ErrorKind::Network, "a value of a region is missing");
        let own = pass.regions.get(&id).ok_or_else(missing)?;
        let changed = pass.values.get(&id).ok_or_else(missing)?;
        if own == around {
            return Ok(changed.shallow_clone());
        }
        let unchanged = self.unchanged.value(id)?;
        let [_, channels, height, width] = unchanged.size()[..] else {
            return Err(missing());
        };
        let [h, w] = around.size;
        let count = around.starts.len() as i64;
        let mut result = empty_channels_last([count, channels, h, w], changed)?;
        let map = Region {
            size: [height, width],
            starts: vec![[0, 0]],
        };
        let inside = around.starts.iter().all(|start| {
            start[0] >= 0 && start[1] >= 0 && start[0] + h <= height && start[1] + w <= width
        });
        if !inside {
            let _ = result.f_fill_(fill)?;
        }
        let source = unchanged.f_select(0, 0)?;
        for (copy, start) in around.starts.iter().enumerate() {
            let target = result.f_select(0, copy as i64)?;
            let of_map = (*start, map.starts[0], map.size);
            copy_common(&target, around.size, &source, of_map)?;
            let of_change = (*start, own.starts[copy], own.size);
            copy_common(
                &target,
                around.size,
                &changed.f_select(0, copy as i64)?,
                of_change,
            )?;
        }
        Ok(result)
    }

    /// Makes the whole value of a node, if it has a region.
    fn make_whole(&self, pass: &mut Pass, id: NodeId) -> Result<()> {
        let (Some(region), None) = (pass.regions.get(&id), pass.whole.get(&id)) else {
            return Ok(());
        };
        let Some([height, width]) = self.sides[id] else {
            return Ok(());
        };
        let whole = Region {
            size: [height, width],
            starts: vec![[0, 0]; region.starts.len()],
        };
        let value = self.cut(pass, id, &whole, 0.0)?;
        pass.whole.insert(id, value);
        Ok(())
    }
}

impl Region {
    /// The region of a window operator's value that depends on this one, for a value of height and width `sides`.
    fn grown(&self, window: &SlidingWindow, sides: [i64; 2]) -> Region {
        let mut size = [0; 2];
        let mut starts = vec![[0; 2]; self.starts.len()];
        for axis in [0, 1] {
            let (stride, padding) = (window.stride[axis], window.padding[axis]);
            let last = sides[axis] - 1;
            let spans: Vec<(i64, i64)> = (self.starts.iter())
                .map(|start| {
                    let first = start[axis] + padding;
                    let low = (first - window.size[axis] + stride).div_euclid(stride);
                    let high = (first + self.size[axis] - 1).div_euclid(stride);
                    let low = low.clamp(0, last);
                    (low, high.clamp(low, last))
                })
                .collect();
            size[axis] = spans
                .iter()
                .map(|(low, high)| high - low + 1)
                .max()
                .unwrap_or(0);
            for (start, (low, _)) in starts.iter_mut().zip(spans) {
                start[axis] = low.min(sides[axis] - size[axis]);
            }
        }
        Region { size, starts }
    }

    /// The smallest rectangles around those of all regions, made equally large. Each stays inside the map, as the regions do.
    fn union(regions: &[&Region]) -> Region {
        let first = regions[0];
        let mut size = [0; 2];
        let mut starts = first.starts.clone();
        let mut ends = vec![[0; 2]; starts.len()];
        for region in regions {
            for (copy, start) in region.starts.iter().enumerate() {
                for axis in [0, 1] {
                    starts[copy][axis] = starts[copy][axis].min(start[axis]);
                    ends[copy][axis] = ends[copy][axis].max(start[axis] + region.size[axis]);
                }
            }
        }
        for (start, end) in starts.iter().zip(&ends) {
            for axis in [0, 1] {
                size[axis] = size[axis].max(end[axis] - start[axis]);
            }
        }
        for (start, end) in starts.iter_mut().zip(&ends) {
            for axis in [0, 1] {
                // Its end is inside; a larger size must not reach beyond.
                start[axis] = start[axis].min((end[axis] - size[axis]).max(0));
            }
        }
        Region { size, starts }
    }

    fn is_most_of(&self, sides: [i64; 2]) -> bool {
        let share = (self.size[0] * self.size[1]) as f64 / (sides[0] * sides[1]).max(1) as f64;
        share > LARGEST_SHARE
    }
}

/// Copies what two rectangles have in common from `source` to `target`, both `[C, h, w]`. `target` begins at `start` and has
/// `size`; `source` begins at `own` and has `own_size`.
fn copy_common(
    target: &Tensor,
    size: [i64; 2],
    source: &Tensor,
    (start, own, own_size): ([i64; 2], [i64; 2], [i64; 2]),
) -> Result<()> {
    let low = [0, 1].map(|axis| start[axis].max(own[axis]));
    let high = [0, 1].map(|axis| (start[axis] + size[axis]).min(own[axis] + own_size[axis]));
    let length = [0, 1].map(|axis| high[axis] - low[axis]);
    if length[0] <= 0 || length[1] <= 0 {
        return Ok(());
    }
    let part = |tensor: &Tensor, begin: [i64; 2]| -> Result<Tensor> {
        Ok(tensor.f_narrow(1, low[0] - begin[0], length[0])?.f_narrow(
            2,
            low[1] - begin[1],
            length[1],
        )?)
    };
    part(target, start)?.f_copy_(&part(source, own)?)?;
    Ok(())
}

/// A tensor of this size in channels-last order and of the kind and on the device of `like`, with any values.
fn empty_channels_last([n, c, h, w]: [i64; 4], like: &Tensor) -> Result<Tensor> {
    let strides = [h * w * c, 1, w * c, c];
    let options = (like.kind(), like.device());
    Ok(Tensor::f_empty_strided([n, c, h, w], strides, options)?)
}
