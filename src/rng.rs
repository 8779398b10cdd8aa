//! Rng that is the same on every machine: numbers from blake3's output stream, keyed by a text, so that what
//! is drawn does not hang on what else runs beside it.

use blake3::OutputReader;

/// Bytes drawn at a time: blake3 makes a block of 64 for any 8 that are asked of it, and many blocks at once.
const DRAWN: usize = 1024;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng {
    reader: OutputReader,
    drawn: [u8; DRAWN],
    /// How many of them have been given out.
    used: usize,
}

impl Rng {
    /// The stream of this experiment's `seed` for what `purpose` names.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&seed.to_le_bytes())
            .update(purpose.as_bytes());
        Rng {
            reader: hasher.finalize_xof(),
            drawn: [0; DRAWN],
            used: DRAWN,
        }
    }

    /// Uniform in 0 (in) to 1 (out).
    pub fn uniform(&mut self) -> f64 {
        if self.used == DRAWN {
            self.reader.fill(&mut self.drawn);
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.drawn[self.used..self.used + 8]);
        self.used += 8;
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

#[cfg(test)]
mod tests {
    use super::{DRAWN, Rng};

    #[test]
    fn what_is_drawn_is_the_stream_in_order() {
        let mut hasher = blake3::Hasher::new();
        let mut whole = vec![0; 3 * DRAWN];
        hasher.update(&7u64.to_le_bytes()).update(b"order");
        hasher.finalize_xof().fill(&mut whole);
        let mut chance = Rng::new(7, "order");
        for bytes in whole.as_chunks::<8>().0 {
            let expected = (u64::from_le_bytes(*bytes) >> 11) as f64 / (1u64 << 53) as f64;
            assert_eq!(chance.uniform(), expected);
        }
    }
}
