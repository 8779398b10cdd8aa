//! t-SNE of many points: the time and the Kullback–Leibler divergence of convscope and of openTSNE.
//!
//! ```text
//! PYTHON=path/to/python COUNTS=10000,50000 THREADS=2 cargo bench --bench large_tsne
//! ```
//!
//! The points are 50 coordinates in 200 clusters, with variances as those of principal components. Both get perplexity 30, two
//! coordinates as the initial layout, and 750 steps, 250 of them with early exaggeration; the exact divergence of both maps is computed by the
//! same code, with the same P. `PYTHON` (default `python3`) must have openTSNE; without it only convscope is measured.
//! `BOTH` limits the counts for which openTSNE is run (default: all).

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use convscope::compare::PointSet;
use convscope::embedding::{
    Affinities, NeighbourGraph, PrincipalComponents, gradient_descent, initial_layout,
    kl_divergence,
};
use convscope::progress::Silent;
use convscope::rng::Rng;

const DIMS: usize = 50;
const CLUSTERS: usize = 200;
const PERPLEXITY: f64 = 30.0;
const STEPS: usize = 750;

/// Prints openTSNE's version and seconds; reads the points from one file and writes its map into another.
const OPENTSNE_SCRIPT: &str = r#"
import sys, time
import numpy, openTSNE
codes = numpy.fromfile(sys.argv[1], "<f4").reshape(-1, 50)
start = time.perf_counter()
fitted = openTSNE.TSNE(
    perplexity=30, initialization="pca", n_jobs=int(sys.argv[3]), random_state=0,
    early_exaggeration_iter=250, n_iter=500,
).fit(codes)
spent = time.perf_counter() - start
numpy.asarray(fitted).astype("<f4").tofile(sys.argv[2])
print(openTSNE.__version__, spent)
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let threads: usize = set("THREADS", "2").parse()?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()?;
    println!("{STEPS} steps, {threads} threads");
    let both = set("BOTH", &set("COUNTS", "10000,50000"));
    for count in set("COUNTS", "10000,50000").split(',') {
        let peer = both.split(',').any(|own| own == count);
        measure(count.parse()?, threads, peer)?;
    }
    Ok(())
}

fn measure(count: usize, threads: usize, peer: bool) -> Result<(), Box<dyn std::error::Error>> {
    let values = points(count);
    let codes = PointSet::new(&values, DIMS)?;
    let start = Instant::now();
    let p = Affinities::new(&codes, PERPLEXITY)?;
    let affinities = start.elapsed().as_secs_f64();
    let components = PrincipalComponents {
        values: values.clone(),
        dims: DIMS,
        explained_variance: 1.0,
    };
    let map = gradient_descent(&p, &initial_layout(&components, 0)?, STEPS, &Silent)?;
    let seconds = start.elapsed().as_secs_f64();
    let kl = kl_divergence(&p, &PointSet::new(&map, 2)?)?;
    println!(
        "{count} × {DIMS}: convscope {seconds:.1} s (affinities {affinities:.1} s), KL {kl:.4}, recall of 90 neighbours {:.4}",
        recall(&codes)
    );
    if !peer {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("codes"), folder.path().join("map"));
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&input, bytes)?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let run = Command::new(&python)
        .args(["-c", OPENTSNE_SCRIPT])
        .args([&input, &output])
        .arg(threads.to_string())
        .output();
    let Some(run) = run.ok().filter(|run| run.status.success()) else {
        println!("skipped: openTSNE, which {python} does not have (PYTHON names another)");
        return Ok(());
    };
    let printed = String::from_utf8(run.stdout)?;
    let [version, theirs] = printed.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("unexpected output: {printed}").into());
    };
    let theirs: f64 = theirs.parse()?;
    let their_map = read_f32(&output)?;
    let their_kl = kl_divergence(&p, &PointSet::new(&their_map, 2)?)?;
    println!(
        "{count} × {DIMS}: openTSNE {version} {theirs:.1} s, KL {their_kl:.4}; ours: time {:.2} of it, KL {:+.2} %",
        seconds / theirs,
        100.0 * (kl / their_kl - 1.0)
    );
    Ok(())
}

/// Points in clusters of ten groups, with zero mean and falling variances.
fn points(count: usize) -> Vec<f32> {
    let scale = |at: usize| 1.0 / ((1 + at % DIMS) as f32).sqrt();
    let normal = |purpose: &str, rows: usize| Rng::new(0, purpose).normal(rows * DIMS, 1.0);
    let (groups, clusters) = (normal("groups", 10), normal("clusters", CLUSTERS));
    let mut values = normal("points", count);
    let directions = normal("directions", CLUSTERS);
    let along = Rng::new(0, "along").normal(count, 1.0);
    for (at, value) in values.iter_mut().enumerate() {
        let (row, column) = (at / DIMS, at % DIMS);
        let cluster = row * 7919 % CLUSTERS;
        let centre = 6.0 * groups[cluster % 10 * DIMS + column]
            + 3.5 * clusters[cluster * DIMS + column]
            + 2.0 * along[row] * directions[cluster * DIMS + column];
        *value = (centre + *value) * scale(at);
    }
    for column in 0..DIMS {
        let sum: f64 = values
            .iter()
            .skip(column)
            .step_by(DIMS)
            .map(|v| f64::from(*v))
            .sum();
        let mean = (sum / count as f64) as f32;
        values
            .iter_mut()
            .skip(column)
            .step_by(DIMS)
            .for_each(|v| *v -= mean);
    }
    values
}

/// The part of the 90 nearest neighbours that the search finds, of 200 points.
fn recall(codes: &PointSet) -> f64 {
    let graph = NeighbourGraph::new(codes, 90);
    let step = (codes.len() / 200).max(1);
    let (mut found, mut all) = (0, 0);
    for point in (0..codes.len()).step_by(step) {
        let mut others: Vec<(f64, usize)> = (0..codes.len())
            .filter(|other| *other != point)
            .map(|other| (codes.squared_distance(point, other), other))
            .collect();
        others.select_nth_unstable_by(89, |a, b| a.0.total_cmp(&b.0));
        let own = graph.neighbours(point);
        found += others[..90]
            .iter()
            .filter(|(_, other)| own.contains(&(*other as u32)))
            .count();
        all += 90;
    }
    found as f64 / all as f64
}

fn read_f32(path: &Path) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    let (values, _) = bytes.as_chunks::<4>();
    Ok(values.iter().map(|v| f32::from_le_bytes(*v)).collect())
}
