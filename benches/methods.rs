//! The time of a method for one image and one class, compared with the forward and backward passes that it needs.
//!
//! ```text
//! cargo bench --bench methods
//! METHODS=saliency,grad_cam NETWORKS=resnet50 cargo bench --bench methods
//! ```
//!
//! A method's time covers everything from the preprocessed image to the map in the results: the forward pass, the
//! backward pass if the method needs one, and the method's own work. The time of the passes alone is that of as
//! many passes in batches of the same size. The two are measured alternately, so that both are affected by a drift
//! of the machine; each time is a median, and the ratio is the median of the rounds' ratios. Methods with hundreds
//! of passes run with the options in `options.json`, which make them faster without changing the ratio.
//!
//! `THREADS` sets libtorch's threads. `PEERS=1` is for `peers.py`: networks that torchvision has, one line of
//! tab-separated values for each measurement, and no passes alone.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::error::Error;
use std::time::Instant;

use convscope::figures::Content;
use convscope::image::Preprocess;
use convscope::methods::{
    LoadedModel, Method, MethodOutput, MethodSpec, PassCount, ResultKind, batched,
};
use convscope::network::graph::NodeId;
use convscope::network::labels::Labels;
use convscope::network::{Network, NodeValues, node_info, random_weights, zoo};
use tch::{Device, Kind, Tensor};

const IMAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_224.png");
const OPTIONS: &str = include_str!("options.json");

/// The number of rounds; fewer, but at least 3, if they take longer than `MAX_SECONDS`.
const ROUNDS: usize = 9;
const MAX_SECONDS: f64 = 8.0;

type BenchResult<T> = Result<T, Box<dyn Error>>;

fn main() -> BenchResult<()> {
    let peers = std::env::var_os("PEERS").is_some();
    if let Some(threads) = list_variable("THREADS") {
        tch::set_num_threads(threads.first().ok_or("THREADS is empty")?.parse()?);
    }
    let networks = if peers {
        ["resnet50", "vgg16", "efficientnet_b0"]
    } else {
        ["resnet50", "vgg16", "efficientnet_lite0"]
    };
    let networks = list_variable("NETWORKS").unwrap_or(networks.map(str::to_owned).to_vec());
    let options: serde_json::Value = serde_json::from_str(OPTIONS)?;
    let mut methods = Vec::new();
    for name in list_variable("METHODS").unwrap_or(maps()) {
        let options = options.get(&name).unwrap_or(&serde_json::Value::Null);
        let entry: MethodSpec = serde_json::from_value(serde_json::json!({name: options}))?;
        methods.push(entry);
    }
    if peers {
        println!("method\tnetwork\tseconds\tthreads\tclass\tlogit");
    } else {
        println!(
            "{} threads\n{:22} {:20} {:>10} {:>10} {:>7}",
            tch::get_num_threads(),
            "method",
            "network",
            "method s",
            "passes s",
            "ratio"
        );
    }
    for network in &networks {
        let bench = MethodBench::new(network)?;
        for entry in &methods {
            bench.measure(entry, peers)?;
        }
    }
    Ok(())
}

/// The methods whose figures are maps of an image.
fn maps() -> Vec<String> {
    let methods = MethodSpec::all();
    let maps = methods
        .iter()
        .filter(|entry| entry.method().info().result == ResultKind::Map);
    maps.map(|entry| entry.name().to_owned()).collect()
}

/// The items of an environment variable, separated by commas.
fn list_variable(variable: &str) -> Option<Vec<String>> {
    let text = std::env::var(variable).ok()?;
    Some(text.split(',').map(|item| item.trim().to_owned()).collect())
}

/// A network, an image and its predicted class.
struct MethodBench {
    name: String,
    model: LoadedModel,
    /// `[1, 3, 224, 224]`, requires a gradient.
    input: Tensor,
    class: usize,
    logit: f64,
}

impl MethodBench {
    fn new(name: &str) -> BenchResult<Self> {
        let arch = zoo::find(name)?;
        let graph = arch.graph(zoo::ArchOptions::default());
        let weights = random_weights::weights(&graph);
        let preprocess = Preprocess::imagenet();
        let model = LoadedModel {
            id: name.to_owned(),
            info: node_info::from_graph(&graph, 224, 224)?,
            network: Network::new(graph, weights)?,
            task: convscope::network::Task::Classes,
            labels: Labels::imagenet(),
            preprocess,
            device: Device::Cpu,
            seed: 0,
        };
        let input = model.input(&[&image::open(IMAGE)?.to_rgb8()])?;
        let forward = model.forward("image", &input, &[])?;
        let logits = forward.logits()?;
        let class = logits.argmax(1, false).int64_value(&[0]);
        let logit = logits.double_value(&[0, class]);
        let input = input.set_requires_grad(true);
        Ok(MethodBench {
            name: name.to_owned(),
            model,
            input,
            class: class as usize,
            logit,
        })
    }

    fn measure(&self, entry: &MethodSpec, peers: bool) -> BenchResult<()> {
        let method = entry.method();
        let (graph, info) = (self.model.network.graph(), &self.model.info);
        let mut layers = Vec::new();
        for selector in method.selectors() {
            layers.extend(method.resolve(selector, graph, info)?);
        }
        method.check(graph, info, &layers)?;
        // A first, unmeasured round: libtorch initialises some things once.
        let out = self.run_method(method, &layers)?;
        if let Some(Content::Absent { .. }) = out.figures.first().map(|figure| &figure.content) {
            if !peers {
                println!("{:22} {:20} {:>10}", entry.name(), self.name, "none");
            }
            return Ok(());
        }
        let passes = match entry {
            // They compute one backward pass of their own, in segments between ReLUs, which `passes` does not count.
            MethodSpec::GuidedBackprop(_) | MethodSpec::GuidedGradCam(_) => PassCount {
                forward: 1,
                backward: 1,
            },
            _ => method
                .for_class()
                .map(|method| method.passes(info, &layers))
                .unwrap_or_default(),
        };
        let batches = self.batches(passes);
        let mut times: Vec<[f64; 2]> = Vec::new();
        if !peers {
            self.run_passes(entry, &layers, &batches)?;
        }
        let start = Instant::now();
        while times.len() < ROUNDS
            && (times.len() < 3 || start.elapsed().as_secs_f64() < MAX_SECONDS)
        {
            let began = Instant::now();
            self.run_method(method, &layers)?;
            let method_time = began.elapsed().as_secs_f64();
            let began = Instant::now();
            if !peers {
                self.run_passes(entry, &layers, &batches)?;
            }
            times.push([method_time, began.elapsed().as_secs_f64()]);
        }
        let median_of = |value: fn(&[f64; 2]) -> f64| median(times.iter().map(value).collect());
        let seconds = median_of(|round| round[0]);
        if peers {
            println!(
                "{}\t{}\t{seconds}\t{}\t{}\t{}",
                entry.name(),
                self.name,
                tch::get_num_threads(),
                self.class,
                self.logit
            );
        } else {
            println!(
                "{:22} {:20} {seconds:10.3} {:10.3} {:7.3}",
                entry.name(),
                self.name,
                median_of(|round| round[1]),
                median_of(|round| round[0] / round[1])
            );
        }
        Ok(())
    }

    /// Runs the method with its passes, as `convscope run` does.
    fn run_method(&self, method: &dyn Method, layers: &[NodeId]) -> BenchResult<MethodOutput> {
        let nodes = [layers.to_vec(), method.nodes(self.model.network.graph())].concat();
        let mut out = MethodOutput::default();
        let forward = if method.for_class().is_some() {
            self.model
                .forward_with_gradients("image", &self.input, &nodes)?
        } else {
            self.model.forward("image", &self.input, &nodes)?
        };
        if let Some(method) = method.for_image() {
            tch::no_grad(|| method.image_figures(&forward, layers, &mut out))?;
        }
        if let Some(method) = method.for_class() {
            let backward = forward.backward(self.model.class_target(self.class), &nodes)?;
            tch::no_grad(|| method.class_figures(&backward, layers, &mut out))?;
        }
        Ok(out)
    }

    fn forward(&self, method: &dyn Method, nodes: &[NodeId]) -> BenchResult<NodeValues> {
        let network = &self.model.network;
        let nodes = [nodes, &[network.graph().output()]].concat();
        Ok(if method.for_class().is_some() {
            network.forward(&self.input, &nodes)?
        } else {
            tch::no_grad(|| network.forward(&self.input, &nodes))?
        })
    }

    fn objective(&self, values: &NodeValues) -> Tensor {
        let logits = &values[&self.model.network.graph().output()];
        logits.select(1, self.class as i64).sum(Kind::Float)
    }

    /// Runs the passes alone: those shared by all methods, and the method's own.
    fn run_passes(
        &self,
        entry: &MethodSpec,
        layers: &[NodeId],
        batches: &Batches,
    ) -> BenchResult<()> {
        let (method, network) = (entry.method(), &self.model.network);
        let (input, output) = (network.graph().input(), network.graph().output());
        let nodes = [&[input], layers].concat();
        let values = self.forward(method, &nodes)?;
        if method.for_class().is_some() {
            self.backward(&values, &nodes)?;
        }
        for inputs in &batches.both {
            let inputs = inputs.detach().set_requires_grad(true);
            let values = network.forward(&inputs, &[input, output])?;
            self.backward(&values, &[input])?;
        }
        for inputs in &batches.forward {
            tch::no_grad(|| match entry {
                // The passes of Ablation-CAM start at the layer.
                MethodSpec::AblationCam(_) => {
                    let mut given = NodeValues::new();
                    for &layer in layers {
                        for id in [
                            vec![layer],
                            batched::bypassing_nodes(network.graph(), layer),
                        ]
                        .concat()
                        {
                            let value = values.get(&id).map(Tensor::detach);
                            let value = value.unwrap_or_else(|| self.zeros(id));
                            let copies = inputs.size()[0];
                            given.insert(id, value.repeat([copies, 1, 1, 1]));
                        }
                    }
                    network.forward_from(&given, &[output])
                }
                _ => network.forward(inputs, &[output]),
            })?;
        }
        Ok(())
    }

    /// A backward pass that does not retain the autograd graph, which saves time.
    fn backward(&self, values: &NodeValues, nodes: &[NodeId]) -> BenchResult<()> {
        let targets: Vec<&Tensor> = nodes.iter().map(|id| &values[id]).collect();
        Tensor::f_run_backward(&[&self.objective(values)], &targets, false, false)?;
        Ok(())
    }

    /// Zeros of the shape of a node's value.
    fn zeros(&self, id: NodeId) -> Tensor {
        let shape = [&[1], &self.model.info[id].shape[..]].concat();
        Tensor::zeros(shape, (Kind::Float, Device::Cpu))
    }

    fn batches(&self, passes: PassCount) -> Batches {
        let size = batched::batch_size(&self.input);
        let batches = |count: usize| {
            let input = self.input.detach();
            let starts = (0..count).step_by(size);
            let batch = |start| input.repeat([size.min(count - start) as i64, 1, 1, 1]);
            starts.map(batch).collect()
        };
        Batches {
            both: batches(passes.backward),
            forward: batches(passes.forward - passes.backward),
        }
    }
}

/// Copies of the image, in batches of the methods' size.
struct Batches {
    /// For forward and backward passes.
    both: Vec<Tensor>,
    /// For forward passes alone.
    forward: Vec<Tensor>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}
