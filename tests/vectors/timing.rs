//! The statistics of `benches/timing.rs`, on durations whose answer is known.

#[path = "../../benches/timing/welch.rs"]
mod welch;

const COUNT: u32 = 20_000;

/// Noise that is the same in every run, from 0 to 1 (Knuth's linear congruential generator, its upper bits).
fn noise() -> impl Iterator<Item = f64> {
    let mut state = 42_u64;
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(f64::from((state >> 32) as u32) / f64::from(u32::MAX))
    })
}

fn classes(mut a: impl FnMut(f64) -> f64, mut b: impl FnMut(f64) -> f64) -> [Vec<f64>; 2] {
    let mut noise = noise();
    let mut next = move || noise.next().unwrap();
    let both = (0..COUNT).map(|_| (a(next()), b(next())));
    let (a, b) = both.unzip();
    [a, b]
}

#[test]
fn two_classes_of_one_kind_are_not_told_apart() {
    let t = welch::largest(&classes(|noise| 1000.0 + 100.0 * noise, |noise| 1000.0 + 100.0 * noise));
    assert!(t < 4.5, "{t}");
}

/// The variance of the noise is 100² / 12, so t of a difference of d is d / sqrt(2 * variance / count).
#[test]
fn a_difference_of_the_means_has_the_t_of_the_formula() {
    let t = welch::largest(&classes(|noise| 1000.0 + 100.0 * noise, |noise| 1005.0 + 100.0 * noise));
    let expected = 5.0 / (2.0 * (100.0_f64.powi(2) / 12.0) / f64::from(COUNT)).sqrt();
    assert!(t >= 0.9 * expected && t < 2.0 * expected, "{t}, by the formula {expected}");
}

/// What the scheduler does to one measurement in ten hides a small difference from the plain test, not from the cropped ones.
#[test]
fn a_difference_under_rare_slow_ones_is_found() {
    let slow = |noise: f64, base: f64| if noise > 0.9 { base + 1e6 * noise } else { base + 10.0 * noise };
    let t = welch::largest(&classes(|noise| slow(noise, 1000.0), |noise| slow(noise, 1002.0)));
    assert!(t > 10.0, "{t}");
}

/// One mean, another spread: found by the squares.
#[test]
fn a_difference_of_the_spread_is_found() {
    let t = welch::largest(&classes(|noise| 1000.0 + 10.0 * (noise - 0.5), |noise| 1000.0 + 100.0 * (noise - 0.5)));
    assert!(t > 10.0, "{t}");
}

#[test]
fn a_few_measurements_say_nothing() {
    assert!(welch::largest(&[vec![1.0; 50], vec![2.0; 50]]).abs() < f64::EPSILON);
    assert!(welch::largest(&[Vec::new(), Vec::new()]).abs() < f64::EPSILON);
}
