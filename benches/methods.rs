//! What a method costs for one picture and one class, beside the bare passes through the network that it needs.
//!
//! ```text
//! cargo bench --bench methods
//! METHODS=saliency,grad_cam NETWORKS=resnet50 cargo bench --bench methods
//! ```
//!
//! A method's time is that of all it needs when it runs alone: the forward pass, the backward pass if it asks
//! about classes, and what it does itself, from the preprocessed picture to the map in the results. The bare
//! time is that of as many passes in batches as large. The two take turns, so that a drift of the machine
//! hits both; each time is a median, and the ratio is the median of the turns' ratios. Methods that take hundreds
//! of passes run with the options in `options.json`: the ratio is the same, the wait is not.
//!
//! `THREADS` sets libtorch's threads. `PEERS=1` is for `peers.py`: networks that torchvision has, one line of
//! tab-separated values for each measurement, and no bare times.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::error::Error;
use std::time::Instant;

use convscope::figures::Content;
use convscope::image::Preprocess;
use convscope::methods::{
    BackwardPass, ForwardPass, LoadedModel, Method, MethodOutput, MethodSpec, PassCount, batched,
};
use convscope::network::graph::NodeId;
use convscope::network::labels::Labels;
use convscope::network::{Network, NodeValues, gradients, node_info, random_weights, zoo};
use tch::{Device, Kind, Tensor};

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/input_224.png");
const OPTIONS: &str = include_str!("options.json");

/// Those that draw no map of a picture: all others are measured.
const OTHERS: [&str; 8] = [
    "activations",
    "filters",
    "deconvnet",
    "tsne",
    "cka",
    "exemplars",
    "maximize",
    "skip_connections",
];

/// Turns, fewer where they would take longer than so many seconds, but 3 at least.
const TURNS: usize = 9;
const SECONDS: f64 = 8.0;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let peers = std::env::var_os("PEERS").is_some();
    if let Some(threads) = chosen("THREADS") {
        tch::set_num_threads(threads.first().ok_or("THREADS is empty")?.parse()?);
    }
    let networks = match peers {
        true => ["resnet50", "vgg16", "efficientnet_b0"],
        false => ["resnet50", "vgg16", "efficientnet_lite0"],
    };
    let networks = chosen("NETWORKS").unwrap_or(networks.map(str::to_owned).to_vec());
    let options: serde_json::Value = serde_json::from_str(OPTIONS)?;
    let mut methods = Vec::new();
    for name in chosen("METHODS").unwrap_or(maps()) {
        let options = options.get(&name).unwrap_or(&serde_json::Value::Null);
        let entry: MethodSpec = serde_json::from_value(serde_json::json!({name: options}))?;
        methods.push(entry);
    }
    match peers {
        true => println!("method\tnetwork\tseconds\tthreads\tclass\tlogit"),
        false => println!(
            "{} threads\n{:22} {:20} {:>10} {:>10} {:>7}",
            tch::get_num_threads(),
            "method",
            "network",
            "method s",
            "bare s",
            "ratio"
        ),
    }
    for network in &networks {
        let look = Look::new(network)?;
        for entry in &methods {
            look.measure(entry, peers)?;
        }
    }
    Ok(())
}

fn maps() -> Vec<String> {
    let names = MethodSpec::NAMES.iter();
    let maps = names.filter(|name| !OTHERS.contains(name));
    maps.map(|name| (*name).to_owned()).collect()
}

/// What a variable lists, by commas.
fn chosen(variable: &str) -> Option<Vec<String>> {
    let text = std::env::var(variable).ok()?;
    Some(text.split(',').map(|word| word.trim().to_owned()).collect())
}

/// A network, a picture and the class it takes it for.
struct Look {
    name: String,
    subject: LoadedModel,
    /// `[1, 3, 224, 224]`, wants a gradient.
    input: Tensor,
    class: usize,
    logit: f64,
}

impl Look {
    fn new(name: &str) -> Outcome<Self> {
        let arch = zoo::find(name)?;
        let graph = arch.graph(zoo::Options::default());
        let weights = random_weights::weights(&graph);
        let preprocess = Preprocess::imagenet();
        let planes = preprocess.normalise(&image::open(PICTURE)?.to_rgb8());
        let input = Tensor::from_slice(&planes)
            .view([1, 3, 224, 224])
            .set_requires_grad(true);
        let subject = LoadedModel {
            id: name.to_owned(),
            info: node_info::from_graph(&graph, 224, 224)?,
            network: Network::new(graph, weights)?,
            labels: Labels::imagenet(),
            preprocess,
            device: Device::Cpu,
            seed: 0,
        };
        let output = subject.network.graph().output();
        let values = tch::no_grad(|| subject.network.forward(&input, &[output]))?;
        let logits = &values[&output];
        let class = logits.argmax(1, false).int64_value(&[0]);
        let logit = logits.double_value(&[0, class]);
        Ok(Look {
            name: name.to_owned(),
            subject,
            input,
            class: class as usize,
            logit,
        })
    }

    fn measure(&self, entry: &MethodSpec, peers: bool) -> Outcome<()> {
        let method = entry.method();
        let (graph, info) = (self.subject.network.graph(), &self.subject.info);
        let mut layers = Vec::new();
        for word in method.selectors() {
            layers.extend(method.resolve(word, graph, info)?);
        }
        method.check(graph, info, &layers)?;
        // The first round of each warms up what libtorch sets up once.
        let out = self.look(method, &layers)?;
        if let Some(Content::Absent { .. }) = out.figures.first().map(|figure| &figure.content) {
            if !peers {
                println!("{:22} {:20} {:>10}", entry.name(), self.name, "none");
            }
            return Ok(());
        }
        let passes = match entry {
            // One way back of their own, cut at the ReLUs, that the checks count as shared.
            MethodSpec::GuidedBackprop(_) | MethodSpec::GuidedGradCam(_) => PassCount {
                forward: 1,
                backward: 1,
            },
            _ => method.passes(info, &layers),
        };
        let batches = self.batches(passes);
        let mut times: Vec<[f64; 2]> = Vec::new();
        if !peers {
            self.bare(entry, &layers, &batches)?;
        }
        let start = Instant::now();
        while times.len() < TURNS && (times.len() < 3 || start.elapsed().as_secs_f64() < SECONDS) {
            let began = Instant::now();
            self.look(method, &layers)?;
            let with = began.elapsed().as_secs_f64();
            let began = Instant::now();
            if !peers {
                self.bare(entry, &layers, &batches)?;
            }
            times.push([with, began.elapsed().as_secs_f64()]);
        }
        let median_of = |of: fn(&[f64; 2]) -> f64| median(times.iter().map(of).collect());
        let with = median_of(|turn| turn[0]);
        match peers {
            true => println!(
                "{}\t{}\t{with}\t{}\t{}\t{}",
                entry.name(),
                self.name,
                tch::get_num_threads(),
                self.class,
                self.logit
            ),
            false => println!(
                "{:22} {:20} {with:10.3} {:10.3} {:7.3}",
                entry.name(),
                self.name,
                median_of(|turn| turn[1]),
                median_of(|turn| turn[0] / turn[1])
            ),
        }
        Ok(())
    }

    /// The method alone, as a run does it.
    fn look(&self, method: &dyn Method, layers: &[NodeId]) -> Outcome<MethodOutput> {
        let graph = self.subject.network.graph();
        let asked = [vec![graph.input()], layers.to_vec(), method.nodes(graph)].concat();
        let mut out = MethodOutput::default();
        let values = self.forward(method, &asked)?;
        let pass = ForwardPass {
            subject: &self.subject,
            image: "picture",
            input: &self.input,
            values: &values,
        };
        tch::no_grad(|| method.of_picture(&pass, layers, &mut out))?;
        if method.asks_about_classes() {
            let of_class = BackwardPass {
                pass: &pass,
                class: self.subject.class(self.class),
                gradients: &self.slopes(&values, &asked)?,
            };
            tch::no_grad(|| method.of_class(&of_class, layers, &mut out))?;
        }
        Ok(out)
    }

    fn forward(&self, method: &dyn Method, asked: &[NodeId]) -> Outcome<NodeValues> {
        let network = &self.subject.network;
        let nodes = [asked, &[network.graph().output()]].concat();
        Ok(match method.asks_about_classes() {
            true => network.forward(&self.input, &nodes)?,
            false => tch::no_grad(|| network.forward(&self.input, &nodes))?,
        })
    }

    fn slopes(&self, values: &NodeValues, asked: &[NodeId]) -> Outcome<NodeValues> {
        Ok(gradients(&self.objective(values), values, asked)?)
    }

    fn objective(&self, values: &NodeValues) -> Tensor {
        let logits = &values[&self.subject.network.graph().output()];
        logits.select(1, self.class as i64).sum(Kind::Float)
    }

    /// The passes and nothing else: the shared ones, and the method's own.
    fn bare(&self, entry: &MethodSpec, layers: &[NodeId], batches: &Batches) -> Outcome<()> {
        let (method, network) = (entry.method(), &self.subject.network);
        let (input, output) = (network.graph().input(), network.graph().output());
        let asked = [&[input], layers].concat();
        let values = self.forward(method, &asked)?;
        if method.asks_about_classes() {
            self.backward(&values, &asked)?;
        }
        for inputs in &batches.both {
            let inputs = inputs.detach().set_requires_grad(true);
            let values = network.forward(&inputs, &[input, output])?;
            self.backward(&values, &[input])?;
        }
        for inputs in &batches.forward {
            tch::no_grad(|| match entry {
                // Its passes begin at the layer.
                MethodSpec::AblationCam(_) => {
                    let mut given = NodeValues::new();
                    for &layer in layers {
                        for id in [vec![layer], batched::around(network.graph(), layer)].concat() {
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

    /// One way back, after which no other can follow: that frees memory on the way, which saves time.
    fn backward(&self, values: &NodeValues, asked: &[NodeId]) -> Outcome<()> {
        let asked: Vec<&Tensor> = asked.iter().map(|id| &values[id]).collect();
        Tensor::f_run_backward(&[&self.objective(values)], &asked, false, false)?;
        Ok(())
    }

    /// Something in the shape of a node's value.
    fn zeros(&self, id: NodeId) -> Tensor {
        let shape = [&[1], &self.subject.info[id].shape[..]].concat();
        Tensor::zeros(shape, (Kind::Float, Device::Cpu))
    }

    fn batches(&self, passes: PassCount) -> Batches {
        let size = batched::batch(&self.input);
        let of = |count: usize| {
            let input = self.input.detach();
            let starts = (0..count).step_by(size);
            let batch = |start| input.repeat([size.min(count - start) as i64, 1, 1, 1]);
            starts.map(batch).collect()
        };
        Batches {
            both: of(passes.backward),
            forward: of(passes.forward - passes.backward),
        }
    }
}

/// Copies of the picture, as many at once as the methods take.
struct Batches {
    both: Vec<Tensor>,
    forward: Vec<Tensor>,
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.len() % 2 {
        0 => (numbers[middle - 1] + numbers[middle]) / 2.0,
        _ => numbers[middle],
    }
}
