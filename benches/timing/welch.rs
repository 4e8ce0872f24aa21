//! Whether two classes of durations have one mean: dudect's test (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", DATE
//! 2017). Welch's t over all measurements, over those below each of twenty thresholds (what is slow for another reason is cropped), and
//! over the squares of their distances to the mean; what counts is the largest.

/// Thresholds by which measurements are cropped.
const CROPS: usize = 20;
/// Fewer measurements of a class say nothing.
const FEWEST: f64 = 100.0;

/// Count, mean and sum of squared distances of one class (Welford's).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

/// Welch's t of two classes; 0 where one of them has too few.
fn t(a: Moments, b: Moments) -> f64 {
    if a.count < FEWEST || b.count < FEWEST {
        return 0.0;
    }
    let error = a.squares / (a.count - 1.0) / a.count + b.squares / (b.count - 1.0) / b.count;
    if error > 0.0 { (a.mean - b.mean) / error.sqrt() } else { 0.0 }
}

/// The largest |t| of measurements of two classes, nanoseconds.
pub(crate) fn largest(classes: &[Vec<f64>; 2]) -> f64 {
    let mut all: Vec<f64> = classes.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let tests = thresholds(&all).into_iter().chain([f64::INFINITY]).map(|most| {
        let [a, b] = classes.each_ref().map(|class| Moments::of(class.iter().copied().filter(|value| *value <= most)));
        t(a, b)
    });
    let [a, b] = classes.each_ref().map(|class| {
        let mean = Moments::of(class.iter().copied()).mean;
        Moments::of(class.iter().map(|value| (value - mean).powi(2)))
    });
    tests.chain([t(a, b)]).map(f64::abs).fold(0.0, f64::max)
}

/// Closer and closer to the slowest: 29 %, 50 %, 65 % … of the measurements lie below.
fn thresholds(sorted: &[f64]) -> Vec<f64> {
    let (mut above, mut thresholds) = (1.0_f64, Vec::with_capacity(CROPS));
    for _ in 0..CROPS {
        above *= 0.5_f64.sqrt();
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list"
        )]
        let place = ((1.0 - above) * sorted.len() as f64) as usize;
        thresholds.extend(sorted.get(place));
    }
    thresholds
}
