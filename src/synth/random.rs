//! Random streams, one per entity, and the distributions that the simulation draws from.
//!
//! A stream is keyed by (seed, kind, entity), so what one entity does never depends on another,
//! on threads, or on how far the history is generated.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Gamma, Poisson, StandardNormal};

/// What a stream is for.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// How busy a day of signups is; the entity is the day.
    Day = 1,
    /// When the planned customers sign up; one stream.
    Signups = 2,
    /// Who a customer is.
    Profile = 3,
    /// What a customer buys, pays and cancels.
    Billing = 4,
    /// What a user does.
    Usage = 5,
    /// Spend, costs and exchange rates.
    Market = 6,
    /// Which rows are spoilt.
    Dirt = 7,
    /// Rare cases, apart from all else: a case that is added leaves every other life as it was.
    Rare = 8,
}

/// A stream of random numbers with the draws the simulation needs.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one entity; `part` tells apart several streams of the same entity.
    pub fn new(seed: u64, stream: Stream, entity: u64, part: u64) -> Self {
        let mut key = [0; 32];
        let words = [seed, stream as u64, entity, part];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform on [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on [0, 1) with 32 bits; half the cost.
    pub fn coarse_unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) * (1.0 / 4_294_967_296.0)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform on [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform on low..high, whole numbers.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + ((high - low) as f64 * self.unit()) as i64
    }

    /// An index, with probability proportional to its weight.
    pub fn pick(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.unit() * total;
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }

    /// An element of a list, all alike.
    pub fn any<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.whole(0, list.len() as i64) as usize]
    }

    /// Normal with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Log-normal with this median; `sigma` is the deviation of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Beta with this mean; `k` is the sum of the two shapes.
    pub fn beta(&mut self, mean: f64, k: f64) -> f64 {
        self.beta_shapes(mean * k, (1.0 - mean) * k)
    }

    /// Beta(a, b).
    pub fn beta_shapes(&mut self, a: f64, b: f64) -> f64 {
        Beta::new(a, b).map_or(0.0, |d| d.sample(&mut self.0))
    }

    /// Gamma with mean 1; a smaller shape is wilder.
    pub fn gamma_around_one(&mut self, shape: f64) -> f64 {
        Gamma::new(shape, 1.0 / shape).map_or(1.0, |d| d.sample(&mut self.0))
    }

    /// Poisson.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        Poisson::new(mean).map_or(0, |d| d.sample(&mut self.0) as u32)
    }

    /// Negative binomial with this mean and size `r`: a Poisson whose mean is Gamma.
    pub fn neg_binomial(&mut self, mean: f64, r: f64) -> u32 {
        let mean = mean * self.gamma_around_one(r);
        self.poisson(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_entities_differ_and_repeat() {
        let draw = |seed, entity, part| Dice::new(seed, Stream::Usage, entity, part).unit();
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        let all = [draw(1, 2, 3), draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4)];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }

    #[test]
    fn the_negative_binomial_has_its_mean_and_variance() {
        let mut dice = Dice::new(1, Stream::Usage, 0, 0);
        let n = 200_000;
        let draws: Vec<f64> = (0..n)
            .map(|_| f64::from(dice.neg_binomial(3.0, 0.7)))
            .collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - 3.0).abs() < 0.06, "{mean}");
        assert!(
            (variance / (3.0 + 9.0 / 0.7) - 1.0).abs() < 0.05,
            "{variance}"
        );
    }
}
