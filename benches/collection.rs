//! The time of a pass over a collection, compared with the forward passes alone, and whether its memory grows.
//!
//! `PHOTOS=FOLDER cargo bench --bench collection`, with 800 photos or more in the folder; `NETWORKS` selects the
//! networks. Every measurement runs in a process of its own, because peak memory is that of a process.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use convscope::image::{DecodedImage, Preprocess, image_paths};
use convscope::network::{Network, random_weights, zoo};
use convscope::progress::Silent;
use convscope::run::{self, RunOptions};
use convscope::spec::SpecFile;
use tch::Tensor;

const BATCH: usize = 8;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["forward", arch, photos, count] => forward_passes(arch, photos, count.parse().unwrap()),
        ["collection", arch, photos, count] => {
            collection_pass(arch, photos, count.parse().unwrap())
        }
        _ => compare(),
    }
}

fn compare() {
    let Some(photos) = std::env::var_os("PHOTOS").map(PathBuf::from) else {
        println!(
            "skipped: collection, because PHOTOS is not set to a folder of 800 photos or more"
        );
        return;
    };
    let count = image_paths(&photos).unwrap().len().min(800);
    println!(
        "{:20} {:>12} {:>12} {:>7} {:>14} {:>14} {:>7}",
        "", "forward", "exemplars", "ratio", "peak at 1/4", "peak at all", "ratio"
    );
    let archs = std::env::var("NETWORKS");
    let archs = archs
        .as_deref()
        .unwrap_or("resnet50,vgg16,efficientnet_lite0");
    for arch in archs.split(',') {
        let measure = |task: &str, count: usize| -> [f64; 2] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args([task, arch, photos.to_str().unwrap(), &count.to_string()])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let mut values = text.split_whitespace().map(|value| value.parse().unwrap());
            [(); 2].map(|()| values.next().unwrap())
        };
        let [few_seconds, few] = measure("collection", count / 4);
        // Half of the forward passes before and half after: a machine's speed drifts over minutes.
        let [before, _] = measure("forward", count / 2);
        let [seconds, many] = measure("collection", count);
        let [after, _] = measure("forward", count - count / 2);
        let forward = before + after;
        assert!(few_seconds < seconds);
        println!(
            "{arch:20} {forward:10.1} s {seconds:10.1} s {:7.3} {few:10.0} MiB {many:10.0} MiB {:7.3}",
            seconds / forward,
            many / few
        );
    }
}

/// The forward passes alone, for `count` images in batches of the same size.
fn forward_passes(arch: &str, photos: &str, count: usize) {
    let graph = zoo::find(arch).unwrap().graph(zoo::ArchOptions::default());
    let weights = random_weights::weights(&graph);
    let network = Network::new(graph, weights).unwrap();
    let preprocess = Preprocess::imagenet();
    let paths = image_paths(photos.as_ref()).unwrap();
    let planes: Vec<f32> = paths[..BATCH]
        .iter()
        .flat_map(|path| {
            let view = preprocess
                .view(&DecodedImage::open(path).unwrap().pixels)
                .unwrap();
            preprocess.normalise(&view)
        })
        .collect();
    let input = Tensor::from_slice(&planes).view([BATCH as i64, 3, 224, 224]);
    let output = network.graph().output();
    let began = Instant::now();
    for _ in 0..count / BATCH {
        tch::no_grad(|| network.forward(&input, &[output]).unwrap());
    }
    println!("{} {}", began.elapsed().as_secs_f64(), peak_memory());
}

/// A run of `exemplars`: files, decoding, forward passes, the largest activations, the patches.
fn collection_pass(arch: &str, photos: &str, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let first = image_paths(photos.as_ref()).unwrap().remove(0);
    let text = format!(
        "title: T\nmodels: [{{arch: {arch}, weights: random}}]\nimages: [{}]\n\
         collection: {{dir: {photos}, limit: {count}}}\nmethods: [{{exemplars: {{maximize: 0}}}}]\n",
        first.display()
    );
    let spec = SpecFile::parse(folder.path().join("bench.yaml").to_str().unwrap(), &text).unwrap();
    let options = RunOptions {
        cache: Some(folder.path().to_owned()),
        ..RunOptions::default()
    };
    let began = Instant::now();
    run::run_spec(&spec, &options, &Silent).unwrap();
    println!("{} {}", began.elapsed().as_secs_f64(), peak_memory());
}

/// The process's peak resident memory in MiB; NaN if the system does not report it.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}
