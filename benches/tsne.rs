//! t-SNE of scikit-learn's 1797 digits of 8 × 8 grey levels: the time and the Kullback–Leibler divergence of
//! convscope and of scikit-learn.
//!
//! ```text
//! PYTHON=path/to/python cargo bench --bench tsne
//! ```
//!
//! The digits come from scikit-learn, so `PYTHON` (default `python3`) must have it. Both get perplexity 30, the
//! principal components as the initial layout, and 1000 steps; the exact divergence of both maps is computed by
//! the same code.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "../src/allocator.rs"]
mod allocator;

use std::process::Command;
use std::time::Instant;

use convscope::compare::{PointSet, trustworthiness};
use convscope::embedding::{
    Affinities, gradient_descent, initial_layout, kl_divergence, principal_components,
};
use convscope::progress::Silent;

const SHAPE: (usize, usize) = (1797, 64);
const PERPLEXITY: f64 = 30.0;
const REPETITIONS: usize = 3;

/// Prints scikit-learn's version, seconds and its own divergence; writes the digits and its map into two files.
const SKLEARN_SCRIPT: &str = r#"
import sys, time
import numpy, sklearn
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
codes = load_digits().data.astype("<f4")
codes.tofile(sys.argv[1])
best = None
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    fitted = TSNE(perplexity=30, init="pca", max_iter=1000, random_state=0).fit(codes)
    spent = time.perf_counter() - start
    best = spent if best is None else min(best, spent)
fitted.embedding_.astype("<f4").tofile(sys.argv[2])
print(sklearn.__version__, best, fitted.kl_divergence_)
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (digits, map) = (folder.path().join("digits"), folder.path().join("map"));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python)
        .args(["-c", SKLEARN_SCRIPT])
        .args([&digits, &map])
        .arg(REPETITIONS.to_string())
        .output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        _ => {
            println!("skipped: tsne, because {python} has no scikit-learn (PYTHON names another)");
            return Ok(());
        }
    };
    let printed = String::from_utf8(output.stdout)?;
    let [version, seconds, own] = printed.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("unexpected output: {printed}").into());
    };
    let (codes, theirs) = (read_f32(&digits)?, read_f32(&map)?);
    let codes = PointSet::new(&codes, SHAPE.1)?;
    let theirs = PointSet::new(&theirs, 2)?;
    let mut best = f64::INFINITY;
    let mut ours = Vec::new();
    let mut same = true;
    let mut kept = None;
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        let components = principal_components(&codes, 50)?;
        let p = Affinities::new(
            &PointSet::new(&components.values, components.dims)?,
            PERPLEXITY,
        )?;
        let found = gradient_descent(&p, &initial_layout(&components, 0)?, 1000, &Silent)?;
        best = best.min(start.elapsed().as_secs_f64());
        same &= ours.is_empty() || ours == found;
        ours = found;
        kept = Some(p);
    }
    let p = kept.ok_or("nothing ran")?;
    let ours = PointSet::new(&ours, 2)?;
    let (kl, their_kl) = (kl_divergence(&p, &ours)?, kl_divergence(&p, &theirs)?);
    let seconds: f64 = seconds.parse()?;
    println!(
        "{} digits of {} values, best of {REPETITIONS}",
        SHAPE.0, SHAPE.1
    );
    println!(
        "convscope            {best:6.2} s  KL {kl:.4}  trustworthiness {:.4}",
        trustworthiness(&codes, &ours, 12)?
    );
    println!(
        "scikit-learn {version:7} {seconds:6.2} s  KL {their_kl:.4}  trustworthiness {:.4}  (its own KL {own})",
        trustworthiness(&codes, &theirs, 12)?
    );
    println!(
        "KL {:+.1} %, time {:.2} times scikit-learn's",
        100.0 * (kl / their_kl - 1.0),
        best / seconds
    );
    println!("equal maps in all repetitions: {same}");
    Ok(())
}

fn read_f32(path: &std::path::Path) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    let (values, _) = bytes.as_chunks::<4>();
    Ok(values.iter().map(|v| f32::from_le_bytes(*v)).collect())
}
