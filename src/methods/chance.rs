//! Chance that is the same on every machine: numbers from blake3's output stream, keyed by a text, so that what
//! is drawn does not hang on what else runs beside it.

use blake3::OutputReader;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(OutputReader);

impl Chance {
    /// The stream of this experiment's `seed` for what `purpose` names.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&seed.to_le_bytes())
            .update(purpose.as_bytes());
        Chance(hasher.finalize_xof())
    }

    /// Uniform in 0 (in) to 1 (out).
    pub fn uniform(&mut self) -> f64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in −`reach` to `reach`.
    pub fn within(&mut self, reach: f64) -> f64 {
        (2.0 * self.uniform() - 1.0) * reach
    }

    /// `count` numbers of the normal distribution with deviation `deviation` (Box and Muller's way).
    pub fn normal(&mut self, count: usize, deviation: f64) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(count + 1);
        while numbers.len() < count {
            let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * deviation;
            let angle = std::f64::consts::TAU * self.uniform();
            numbers.push((radius * angle.cos()) as f32);
            numbers.push((radius * angle.sin()) as f32);
        }
        numbers.truncate(count);
        numbers
    }
}
