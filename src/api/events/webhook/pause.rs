use std::time::{Duration, Instant};

/// Longest pause.
const LONGEST: Duration = Duration::from_hours(1);
/// After this long without success, only the longest pauses are left.
const GIVEN_UP: Duration = Duration::from_hours(72);

/// Pauses between attempts: each twice the one before, shaken a little so that many senders do not call at once.
#[derive(Debug)]
pub(super) struct Pauses {
    first: Duration,
    next: Duration,
    failing_since: Option<Instant>,
}

impl Pauses {
    pub(super) fn new(first: Duration) -> Self {
        Self { first, next: first, failing_since: None }
    }

    /// The pause after one more failure; at least what the receiver asks for, at most an hour.
    pub(super) fn longer(&mut self, asked: Option<Duration>) -> Duration {
        self.failing_since.get_or_insert_with(Instant::now);
        let pause = if self.is_given_up() { LONGEST } else { self.next };
        self.next = self.next.saturating_mul(2).min(LONGEST);
        let mut random = [0; 1];
        // Without randomness they are not shaken, which does no harm.
        let _ = getrandom::fill(&mut random);
        let shaken = pause + pause.mul_f64(f64::from(random[0]) / 255.0 / 5.0);
        shaken.max(asked.unwrap_or_default()).min(LONGEST)
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.first);
    }

    /// Whether it has failed for three days.
    pub(super) fn is_given_up(&self) -> bool {
        self.failing_since.is_some_and(|since| since.elapsed() >= GIVEN_UP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_begin_anew_after_success() {
        let second = Duration::from_secs(1);
        let mut pauses = Pauses::new(second);
        for expected in [1, 2, 4, 8, 16] {
            let pause = pauses.longer(None);
            assert!((second * expected..=second * expected * 6 / 5).contains(&pause), "{pause:?} for {expected} s");
        }
        assert!(pauses.longer(Some(Duration::from_mins(10))) >= Duration::from_mins(10));
        assert_eq!(pauses.longer(Some(Duration::from_hours(9))), LONGEST);
        for _ in 0..100 {
            assert!(pauses.longer(None) <= LONGEST);
        }
        pauses.reset();
        assert!(pauses.longer(None) <= second * 6 / 5);
    }
}
