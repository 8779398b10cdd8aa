//! convscope shows what convolutional networks see, and compares networks side by side.
//!
//! A YAML experiment names networks, pictures, classes, layers and methods; libtorch runs them; one
//! self-contained HTML report comes out. The command line does that with `convscope run FILE`; this is
//! the same from Rust:
//!
//! ```no_run
//! use convscope::progress::Silent;
//! use convscope::{report, run, spec};
//! use std::path::Path;
//!
//! let spec = spec::SpecFile::read(Path::new("experiments/quickstart.yaml"))?;
//! let outcome = run::run(&spec, &run::Options::default(), &Silent)?;
//! for prediction in &outcome.results.predictions {
//!     let first = &prediction.top[0];
//!     println!("{} on {}: {}", prediction.model, prediction.image, first.class.name);
//! }
//! let folder = Path::new("output/quickstart");
//! std::fs::create_dir_all(folder).expect("a folder for the report");
//! let page = run::save(&outcome, &spec, folder, &report::Options::default())?;
//! println!("{}", page.display());
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! # Looking into a network
//!
//! A network is a graph of named nodes ([`network::graph`]). [`network::zoo`] builds the known
//! architectures, [`network::info`] derives shapes, costs and receptive fields from the graph alone, and
//! [`network::Network`] runs it with any nodes kept, on from any node with a changed value, and back to
//! any node.
//!
//! ```
//! use convscope::network::{Network, gradients, info, random, zoo};
//! use tch::{Device, Kind, Tensor};
//!
//! let graph = zoo::find("resnet18")?.graph(zoo::Options::default());
//! let layer = graph.require("layer3.1.add")?;
//! let all = info::of_graph(&graph, 64, 64)?;
//! assert_eq!(all[layer].shape, [256, 4, 4]);
//!
//! let weights = random::weights(&graph);
//! let network = Network::new(graph, weights)?;
//! let picture = Tensor::zeros([1, 3, 64, 64], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let output = network.graph().output();
//! let values = network.forward(&picture, &[layer, output])?;
//! assert_eq!(values[&layer].size(), [1, 256, 4, 4]);
//!
//! // How the logit of class 3 hangs on that layer.
//! let logit = values[&output].select(1, 3).sum(Kind::Float);
//! let slopes = gradients(&logit, &values, &[layer])?;
//! assert_eq!(slopes[&layer].size(), [1, 256, 4, 4]);
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! # Where things are
//!
//! Data runs one way, and no lower room knows a higher one:
//!
//! ```text
//! spec ──► run ──► methods ──► network ──► libtorch
//!           │         └──────► picture
//!           └──► results ──► report
//! ```
//!
//! A way of looking is one file in [`methods`] and one line in its list.

pub mod checks;
pub mod compare;
pub mod error;
pub mod fetch;
pub mod methods;
mod named;
pub mod network;
pub mod picture;
pub mod progress;
pub mod report;
pub mod results;
pub mod run;
pub mod spec;

pub use error::{Error, ErrorKind, Result};
