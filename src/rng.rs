//! The random number generators of the crate. Both give the same numbers on every machine.
//!
//! - [`Rng`] is a sequential stream, read from blake3's extendable output under a seed and a purpose (a text). Each
//!   purpose has a stream of its own, so that its numbers do not depend on other methods or checks of the run.
//! - [`SplitMix64`] is addressed by index: it computes the number at any index without those before it. Random weights use
//!   one stream per parameter, seeded with [`fnv1a`] of the parameter's name.
//!
//! The numbers of both must never change. The golden files in `tests/golden` contain PyTorch's results for the weights
//! of [`SplitMix64`], and the stored results of RISE, SmoothGrad, maximisation and the checks depend on the streams of
//! [`Rng`] and therefore on the texts of the purposes.

use blake3::OutputReader;

/// Bytes read at a time: blake3 computes blocks of 64 bytes, and many blocks at once are faster.
const BUFFER: usize = 1024;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng {
    reader: OutputReader,
    buffer: [u8; BUFFER],
    /// The number of bytes of the buffer that have been used.
    used: usize,
}

impl Rng {
    /// The stream for `purpose` under the experiment's `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&seed.to_le_bytes())
            .update(purpose.as_bytes());
        Rng {
            reader: hasher.finalize_xof(),
            buffer: [0; BUFFER],
            used: BUFFER,
        }
    }

    /// A number from the uniform distribution on [0, 1), of 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        if self.used == BUFFER {
            self.reader.fill(&mut self.buffer);
            self.used = 0;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.buffer[self.used..self.used + 8]);
        self.used += 8;
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number from the uniform distribution on [−`bound`, `bound`).
    pub fn symmetric(&mut self, bound: f64) -> f64 {
        (2.0 * self.uniform() - 1.0) * bound
    }

    /// `count` numbers of the normal distribution with mean 0 and standard deviation `deviation`, by the transform of
    /// Box and Muller (1958).
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

/// SplitMix64 (Steele, Lea & Flood 2014, <https://doi.org/10.1145/2660193.2660195>), by index.
#[derive(Debug, Clone, Copy)]
pub struct SplitMix64 {
    seed: u64,
}

impl SplitMix64 {
    /// The stream of `seed`.
    pub fn new(seed: u64) -> Self {
        SplitMix64 { seed }
    }

    /// The number at `index`, counted from 1: what the `index`-th call of the sequential generator returns.
    pub fn at(self, index: u64) -> u64 {
        mix64(
            self.seed
                .wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
        )
    }
}

/// SplitMix64's output function, a bijection that spreads every bit of `z` over all bits of the result.
pub fn mix64(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The 64-bit FNV-1a hash of a text's bytes.
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::{BUFFER, Rng, SplitMix64, fnv1a};

    #[test]
    fn rng_gives_the_blake3_stream_in_order() {
        let mut hasher = blake3::Hasher::new();
        let mut stream = vec![0; 3 * BUFFER];
        hasher.update(&7u64.to_le_bytes()).update(b"order");
        hasher.finalize_xof().fill(&mut stream);
        let mut rng = Rng::new(7, "order");
        for bytes in stream.as_chunks::<8>().0 {
            let expected = (u64::from_le_bytes(*bytes) >> 11) as f64 / (1u64 << 53) as f64;
            assert_eq!(rng.uniform(), expected);
        }
    }

    /// The first outputs of Vigna's `splitmix64.c` for seed 1234567, and FNV-1a's published test vectors.
    #[test]
    fn splitmix64_and_fnv1a_give_their_published_values() {
        let stream = SplitMix64::new(1_234_567);
        assert_eq!(stream.at(1), 6_457_827_717_110_365_317);
        assert_eq!(stream.at(2), 3_203_168_211_198_807_973);
        assert_eq!(fnv1a(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv1a("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_F739_67E8);
    }
}
