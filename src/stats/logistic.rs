//! Logistic regression with an L2 penalty, by Newton's method on standardised features.
//!
//! Always holds: the answer is finite whatever the rows are (no rows, one class, a constant or
//! separating feature), and depends on nothing but them.

/// Rows of equal length in one piece of memory, eight bytes a value. NaN is unknown and counts as
/// the feature's mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    width: usize,
    rows: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// No rows yet, of so many features.
    pub fn new(width: usize) -> Self {
        Self {
            width,
            rows: 0,
            values: Vec::new(),
        }
    }

    /// Adds a row: as many values as the matrix has features.
    pub fn push(&mut self, row: impl IntoIterator<Item = f64>) {
        let wanted = self.values.len() + self.width;
        self.values.extend(row);
        // A row of another length must not shift those after it.
        self.values.resize(wanted, f64::NAN);
        self.rows += 1;
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A row's values.
    pub fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.width..(at + 1) * self.width]
    }
}

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

/// The rows to learn from, and what they hold beside the features.
struct Lesson<'a> {
    rows: &'a Matrix,
    labels: &'a [Option<bool>],
    ridge: f64,
}

impl Lesson<'_> {
    /// Every row that has a label.
    fn each(&self) -> impl Iterator<Item = (&[f64], bool)> {
        let labels = self.labels.iter().enumerate();
        labels.filter_map(|(at, label)| label.map(|label| (self.rows.row(at), label)))
    }
}

impl Model {
    /// Fits the rows that have a label; `None` where there is none to learn from. `ridge` is the
    /// penalty on the square of each weight of a standardised feature; above 0 for features that
    /// separate the labels. Needs no memory beside the rows.
    pub fn fit(rows: &Matrix, labels: &[Option<bool>], ridge: f64) -> Option<Self> {
        let lesson = Lesson {
            rows,
            labels,
            ridge,
        };
        let all = labels.iter().flatten().count();
        let positive = labels.iter().flatten().filter(|label| **label).count();
        let (means, scales) = standards(&lesson);
        let mut model = Self {
            means,
            scales,
            intercept: log_odds(positive, all),
            weights: vec![0.0; rows.width],
        };
        if positive > 0 && positive < all {
            model.learn(&lesson);
        }
        (all > 0).then_some(model)
    }

    fn learn(&mut self, lesson: &Lesson<'_>) {
        for _ in 0..STEPS {
            let Some(step) = self.step(lesson) else {
                break;
            };
            let longest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
            let Some(better) = self.moved(&step, lesson) else {
                break;
            };
            *self = better;
            if longest < 1e-10 {
                break;
            }
        }
    }

    /// The model after as much of a step as makes it better: a rare feature that says much makes
    /// whole steps overshoot, from where the next one would lead away for good.
    fn moved(&self, step: &[f64], lesson: &Lesson<'_>) -> Option<Self> {
        let now = self.likelihood(lesson);
        let mut part = 1.0;
        for _ in 0..40 {
            let mut moved = self.clone();
            moved.intercept += part * step[0];
            for (weight, step) in moved.weights.iter_mut().zip(&step[1..]) {
                *weight += part * step;
            }
            if moved.likelihood(lesson) >= now {
                return Some(moved);
            }
            part /= 2.0;
        }
        None
    }

    /// The logarithm of the labels' likelihood, less the penalty.
    fn likelihood(&self, lesson: &Lesson<'_>) -> f64 {
        let penalty: f64 = self.weights.iter().map(|w| w * w).sum();
        let of = |(row, label): (&[f64], bool)| {
            let odds = self.odds(row);
            let chosen = if label { odds } else { 0.0 };
            // ln(1 + e^x), which does not overflow.
            chosen - (odds.max(0.0) + (-odds.abs()).exp().ln_1p())
        };
        lesson.each().map(of).sum::<f64>() - lesson.ridge * penalty / 2.0
    }

    /// The chance of a row's label.
    pub fn probability(&self, row: &[f64]) -> f64 {
        logistic(self.odds(row))
    }

    /// What each feature adds to the log odds of a row, beside an average row.
    pub fn parts(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let weights = self.weights.iter();
        self.standardised(row).zip(weights).map(|(x, w)| x * w)
    }

    fn odds(&self, row: &[f64]) -> f64 {
        self.intercept + self.parts(row).sum::<f64>()
    }

    fn standardised(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let standards = self.means.iter().zip(&self.scales);
        row.iter().zip(standards).map(|(value, (mean, scale))| {
            if value.is_nan() {
                0.0
            } else {
                (value - mean) / scale
            }
        })
    }

    /// Newton's step, intercept first; `None` where the curvature is not to be solved.
    fn step(&self, lesson: &Lesson<'_>) -> Option<Vec<f64>> {
        let size = self.weights.len() + 1;
        let mut gradient = vec![0.0; size];
        let mut curvature = vec![vec![0.0; size]; size];
        let mut at = vec![1.0; size];
        for (row, label) in lesson.each() {
            for (slot, value) in at[1..].iter_mut().zip(self.standardised(row)) {
                *slot = value;
            }
            let sum: f64 = at[1..].iter().zip(&self.weights).map(|(x, w)| x * w).sum();
            let p = logistic(self.intercept + sum);
            let residual = f64::from(u8::from(label)) - p;
            let spread = p * (1.0 - p);
            for i in 0..size {
                gradient[i] += residual * at[i];
                let scaled = spread * at[i];
                for (cell, other) in curvature[i][..=i].iter_mut().zip(&at) {
                    *cell += scaled * other;
                }
            }
        }
        for i in 1..size {
            gradient[i] -= lesson.ridge * self.weights[i - 1];
            curvature[i][i] += lesson.ridge;
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
fn standards(lesson: &Lesson<'_>) -> (Vec<f64>, Vec<f64>) {
    let of = |at: usize| {
        let known = || {
            lesson
                .each()
                .map(|(row, _)| row[at])
                .filter(|v| !v.is_nan())
        };
        let count = known().count().max(1) as f64;
        let mean = known().sum::<f64>() / count;
        let variance = known().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        let scale = variance.sqrt();
        (mean, if scale > 1e-12 { scale } else { 1.0 })
    };
    (0..lesson.rows.width).map(of).unzip()
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

    fn repeated(groups: &[(f64, usize, usize)]) -> (Matrix, Vec<Option<bool>>) {
        let mut rows = Matrix::new(1);
        let mut labels = Vec::new();
        for (value, all, positive) in groups {
            for n in 0..*all {
                rows.push([*value]);
                labels.push(Some(n < *positive));
            }
        }
        (rows, labels)
    }

    fn fit(rows: &Matrix, labels: &[Option<bool>], ridge: f64) -> Model {
        Model::fit(rows, labels, ridge).expect("there is something to learn from")
    }

    #[test]
    fn two_groups_have_the_chances_that_they_had() {
        let (rows, labels) = repeated(&[(0.0, 10, 3), (1.0, 20, 12)]);
        let model = fit(&rows, &labels, 0.0);
        assert!((model.probability(&[0.0]) - 0.3).abs() < 1e-9);
        assert!((model.probability(&[1.0]) - 0.6).abs() < 1e-9);
        // Unknown is average.
        assert_eq!(model.parts(&[f64::NAN]).collect::<Vec<_>>(), [0.0]);
    }

    #[test]
    fn rows_without_a_label_and_unknown_values_teach_nothing() {
        let (mut rows, mut labels) = repeated(&[(0.0, 10, 3), (1.0, 20, 12)]);
        let model = fit(&rows, &labels, 1.0);
        rows.push([1e6]);
        labels.push(None);
        assert_eq!(fit(&rows, &labels, 1.0), model);
        rows.push([]);
        assert!(rows.row(31)[0].is_nan());
    }

    #[test]
    fn a_rare_feature_that_says_much_does_not_overshoot() {
        let (rows, labels) = repeated(&[(0.0, 8000, 400), (1.0, 130, 115)]);
        let model = fit(&rows, &labels, 0.0);
        assert!((model.probability(&[0.0]) - 0.05).abs() < 1e-9);
        assert!((model.probability(&[1.0]) - 115.0 / 130.0).abs() < 1e-9);
    }

    #[test]
    fn the_penalty_pulls_chances_together_and_keeps_their_mean() {
        let (rows, labels) = repeated(&[(0.0, 10, 3), (1.0, 20, 12)]);
        let model = fit(&rows, &labels, 10.0);
        let (low, high) = (model.probability(&[0.0]), model.probability(&[1.0]));
        assert!(0.3 < low && low < high && high < 0.6, "{low} {high}");
        assert!((10.0 * low + 20.0 * high - 15.0).abs() < 1e-6);
    }

    #[test]
    fn rows_that_say_nothing_or_everything_give_finite_chances() {
        assert_eq!(Model::fit(&Matrix::new(3), &[], 1.0), None);
        for (rows, labels) in [
            repeated(&[(1.0, 5, 0)]),
            repeated(&[(1.0, 5, 5)]),
            repeated(&[(7.0, 6, 2)]),
            repeated(&[(f64::NAN, 6, 2)]),
            repeated(&[(0.0, 6, 0), (1.0, 6, 6)]),
        ] {
            let chance = fit(&rows, &labels, 1.0).probability(&[1.0]);
            assert!((0.0..=1.0).contains(&chance), "{chance} of {labels:?}");
        }
        let (rows, labels) = repeated(&[(7.0, 6, 2)]);
        assert!((fit(&rows, &labels, 1.0).probability(&[7.0]) - 1.0 / 3.0).abs() < 1e-9);
    }
}
