//! How far maps move in bfloat16, and how much time it saves: for each method and network, Spearman's rank correlation of the maps with
//! those in float32, the largest deviation as a share of the largest value, and the ratio of the times. Prints the table in
//! docs/precision.md.
//!
//! ```text
//! cargo bench --bench precision
//! NETWORKS=resnet50 METHODS=rise cargo bench --bench precision
//! ```
//!
//! The networks are those of the quickstart with their real weights, the photos two of its photos. Both precisions run in turn.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::time::Instant;

use convscope::compare::spearman;
use convscope::progress::Silent;
use convscope::run::{self, RunOptions, RunOutput};
use convscope::spec::SpecFile;

const METHODS: [&str; 6] = [
    "occlusion",
    "rise",
    "score_cam",
    "ablation_cam",
    "smoothgrad",
    "integrated_gradients",
];

fn main() {
    let list = |variable: &str, all: &[&str]| -> Vec<String> {
        match std::env::var(variable) {
            Ok(text) => text.split(',').map(str::to_owned).collect(),
            Err(_) => all.iter().map(|&name| name.to_owned()).collect(),
        }
    };
    let networks = list("NETWORKS", &["resnet50", "vgg16", "efficientnet_lite0"]);
    println!("| method | network | Spearman | largest deviation | time |");
    println!("|---|---|---|---|---|");
    for method in list("METHODS", &METHODS) {
        for network in &networks {
            let (exact, seconds) = run(network, &method, "float32");
            let (rounded, rounded_seconds) = run(network, &method, "bf16");
            let mut similarity = f64::INFINITY;
            let mut deviation = 0.0f64;
            for (key, array) in &exact.tensors {
                let (Some(a), Some(b)) = (array.floats(), rounded.tensors[key].floats()) else {
                    continue;
                };
                if key.ends_with("/raw") || array.shape.len() != 2 {
                    continue;
                }
                similarity = similarity.min(spearman(a, b).unwrap_or(f64::NAN));
                let largest = a.iter().fold(0f32, |most, value| most.max(value.abs()));
                let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
                let apart = apart.fold(0f32, f32::max);
                deviation = deviation.max(f64::from(apart / largest));
            }
            println!(
                "| `{method}` | {network} | {similarity:.4} | {:.1} % | {:.2} |",
                100.0 * deviation,
                rounded_seconds / seconds
            );
        }
    }
}

/// The results of a method, computed anew, and the seconds that they took.
fn run(network: &str, method: &str, precision: &str) -> (RunOutput, f64) {
    let model = match network {
        "vgg16" => "{arch: vgg16, weights: imagenet-gap}".to_owned(),
        other => other.to_owned(),
    };
    let text = format!(
        "title: T\nmodels: [{model}]\nimages: [{{pack: imagenet-20, pick: [jeep, strawberry]}}]\n\
         precision: {{passes: {precision}, gradients: {precision}}}\nmethods: [{method}]\n"
    );
    let spec = SpecFile::parse("bench.yaml", &text).unwrap();
    let options = RunOptions {
        cached: false,
        ..RunOptions::default()
    };
    let began = Instant::now();
    let output = run::run_spec(&spec, &options, &Silent).unwrap();
    (output, began.elapsed().as_secs_f64())
}
