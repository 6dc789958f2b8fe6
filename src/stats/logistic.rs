//! Logistic regression with an L2 penalty, by Newton's method on standardised features.
//!
//! Always holds: the answer is finite whatever the rows are (no rows, one class, a constant or
//! separating feature), and depends on nothing but them.

/// A feature's values, one per row; `None` is unknown and counts as the feature's mean.
pub type Row = [Option<f64>];

/// A fitted model: chances from features.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    means: Vec<f64>,
    scales: Vec<f64>,
    intercept: f64,
    weights: Vec<f64>,
}

/// Newton steps at most; a handful is usual.
const STEPS: usize = 50;

impl Model {
    /// Fits rows of equal length with their labels. `ridge` is the penalty on the square of each
    /// weight of a standardised feature; above 0 for features that separate the labels.
    pub fn fit(rows: &[&Row], labels: &[bool], ridge: f64) -> Self {
        let features = rows.first().map_or(0, |row| row.len());
        let (means, scales) = standards(rows, features);
        let positive = labels.iter().filter(|label| **label).count();
        let mut model = Self {
            means,
            scales,
            intercept: log_odds(positive, labels.len()),
            weights: vec![0.0; features],
        };
        if positive == 0 || positive == labels.len() {
            return model;
        }
        let standard: Vec<Vec<f64>> = rows.iter().map(|row| model.standardised(row)).collect();
        for _ in 0..STEPS {
            let Some(step) = model.step(&standard, labels, ridge) else {
                break;
            };
            let longest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
            let Some(better) = model.moved(&step, &standard, labels, ridge) else {
                break;
            };
            model = better;
            if longest < 1e-10 {
                break;
            }
        }
        model
    }

    /// The model after as much of a step as makes it better: a rare feature that says much makes
    /// whole steps overshoot, from where the next one would lead away for good.
    fn moved(&self, step: &[f64], rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Option<Self> {
        let now = self.likelihood(rows, labels, ridge);
        let mut part = 1.0;
        for _ in 0..40 {
            let mut moved = self.clone();
            moved.intercept += part * step[0];
            for (weight, step) in moved.weights.iter_mut().zip(&step[1..]) {
                *weight += part * step;
            }
            if moved.likelihood(rows, labels, ridge) >= now {
                return Some(moved);
            }
            part /= 2.0;
        }
        None
    }

    /// The logarithm of the labels' likelihood, less the penalty.
    fn likelihood(&self, rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> f64 {
        let penalty: f64 = self.weights.iter().map(|w| w * w).sum();
        let of = |(row, label): (&Vec<f64>, &bool)| {
            let sum: f64 = row.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
            let odds = self.intercept + sum;
            let chosen = if *label { odds } else { 0.0 };
            // ln(1 + e^x), which does not overflow.
            chosen - (odds.max(0.0) + (-odds.abs()).exp().ln_1p())
        };
        rows.iter().zip(labels).map(of).sum::<f64>() - ridge * penalty / 2.0
    }

    /// The chance of a row's label.
    pub fn probability(&self, row: &Row) -> f64 {
        let sum: f64 = self.parts(row).iter().sum();
        logistic(self.intercept + sum)
    }

    /// What each feature adds to the log odds of a row, beside an average row.
    pub fn parts(&self, row: &Row) -> Vec<f64> {
        let standard = self.standardised(row);
        standard
            .iter()
            .zip(&self.weights)
            .map(|(x, w)| x * w)
            .collect()
    }

    fn standardised(&self, row: &Row) -> Vec<f64> {
        let one = |(at, value): (usize, &Option<f64>)| {
            value.map_or(0.0, |value| (value - self.means[at]) / self.scales[at])
        };
        row.iter().enumerate().map(one).collect()
    }

    /// Newton's step, intercept first; `None` where the curvature is not to be solved.
    fn step(&self, rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Option<Vec<f64>> {
        let size = self.weights.len() + 1;
        let mut gradient = vec![0.0; size];
        let mut curvature = vec![vec![0.0; size]; size];
        for (row, label) in rows.iter().zip(labels) {
            let sum: f64 = row.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
            let p = logistic(self.intercept + sum);
            let residual = f64::from(u8::from(*label)) - p;
            let at = |i: usize| if i == 0 { 1.0 } else { row[i - 1] };
            for i in 0..size {
                gradient[i] += residual * at(i);
                for (j, cell) in curvature[i].iter_mut().enumerate().take(i + 1) {
                    *cell += p * (1.0 - p) * at(i) * at(j);
                }
            }
        }
        for i in 1..size {
            gradient[i] -= ridge * self.weights[i - 1];
            curvature[i][i] += ridge;
        }
        solved(curvature, gradient)
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Log odds of a share, half a case added to either side, so that none and all have odds too.
fn log_odds(positive: usize, all: usize) -> f64 {
    let (positive, all) = (positive as f64, all as f64);
    ((positive + 0.5) / (all - positive + 0.5)).ln()
}

/// Mean and standard deviation of each feature where it is known; a constant has the scale 1.
fn standards(rows: &[&Row], features: usize) -> (Vec<f64>, Vec<f64>) {
    let of = |at: usize| {
        let known: Vec<f64> = rows.iter().filter_map(|row| row[at]).collect();
        let count = known.len().max(1) as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        let scale = variance.sqrt();
        (mean, if scale > 1e-12 { scale } else { 1.0 })
    };
    (0..features).map(of).unzip()
}

/// Solves a symmetric positive system, of which the lower half is given, by Cholesky.
fn solved(mut lower: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = lower[i][j] - known;
            if i == j {
                if rest.is_nan() || rest <= 1e-12 {
                    return None;
                }
                lower[i][i] = rest.sqrt();
            } else {
                lower[i][j] = rest / lower[j][j];
            }
        }
    }
    for i in 0..size {
        let known: f64 = (0..i).map(|k| lower[i][k] * right[k]).sum();
        right[i] = (right[i] - known) / lower[i][i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| lower[k][i] * right[k]).sum();
        right[i] = (right[i] - known) / lower[i][i];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(groups: &[(f64, usize, usize)]) -> (Vec<Vec<Option<f64>>>, Vec<bool>) {
        let mut rows = Vec::new();
        let mut labels = Vec::new();
        for (value, all, positive) in groups {
            for n in 0..*all {
                rows.push(vec![Some(*value)]);
                labels.push(n < *positive);
            }
        }
        (rows, labels)
    }

    fn fit(rows: &[Vec<Option<f64>>], labels: &[bool], ridge: f64) -> Model {
        let rows: Vec<&Row> = rows.iter().map(Vec::as_slice).collect();
        Model::fit(&rows, labels, ridge)
    }

    #[test]
    fn two_groups_have_the_chances_that_they_had() {
        let (rows, labels) = repeated(&[(0.0, 10, 3), (1.0, 20, 12)]);
        let model = fit(&rows, &labels, 0.0);
        assert!((model.probability(&[Some(0.0)]) - 0.3).abs() < 1e-9);
        assert!((model.probability(&[Some(1.0)]) - 0.6).abs() < 1e-9);
        // Unknown is average.
        assert!(model.parts(&[None])[0].abs() < 1e-12);
    }

    #[test]
    fn a_rare_feature_that_says_much_does_not_overshoot() {
        let (rows, labels) = repeated(&[(0.0, 8000, 400), (1.0, 130, 115)]);
        let model = fit(&rows, &labels, 0.0);
        assert!((model.probability(&[Some(0.0)]) - 0.05).abs() < 1e-9);
        assert!((model.probability(&[Some(1.0)]) - 115.0 / 130.0).abs() < 1e-9);
    }

    #[test]
    fn the_penalty_pulls_chances_together_and_keeps_their_mean() {
        let (rows, labels) = repeated(&[(0.0, 10, 3), (1.0, 20, 12)]);
        let model = fit(&rows, &labels, 10.0);
        let (low, high) = (
            model.probability(&[Some(0.0)]),
            model.probability(&[Some(1.0)]),
        );
        assert!(0.3 < low && low < high && high < 0.6, "{low} {high}");
        assert!((10.0 * low + 20.0 * high - 15.0).abs() < 1e-6);
    }

    #[test]
    fn rows_that_say_nothing_or_everything_give_finite_chances() {
        for (rows, labels) in [
            repeated(&[]),
            repeated(&[(1.0, 5, 0)]),
            repeated(&[(1.0, 5, 5)]),
            repeated(&[(7.0, 6, 2)]),
            repeated(&[(0.0, 6, 0), (1.0, 6, 6)]),
        ] {
            let model = fit(&rows, &labels, 1.0);
            let row = if rows.is_empty() {
                vec![]
            } else {
                vec![Some(1.0)]
            };
            let chance = model.probability(&row);
            assert!((0.0..=1.0).contains(&chance), "{chance} of {labels:?}");
        }
        let (rows, labels) = repeated(&[(7.0, 6, 2)]);
        assert!((fit(&rows, &labels, 1.0).probability(&[Some(7.0)]) - 1.0 / 3.0).abs() < 1e-9);
    }
}
