use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as written: a whole number and `ms`, `s`, `m`, `h` or `d`. It keeps its spelling: `24h` and `1d` last as long and are two texts.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Span {
    count: u64,
    unit: Unit,
}

#[derive(Clone, Copy, Eq, Hash, PartialEq)]
enum Unit {
    Millis,
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// Not a length of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a duration such as \"250ms\", \"5s\", \"2m\", \"24h\" or \"1825d\", of at most a thousand years")]
pub struct SpanError;

impl Unit {
    const ALL: [Self; 5] = [Self::Millis, Self::Seconds, Self::Minutes, Self::Hours, Self::Days];

    const fn name(self) -> &'static str {
        match self {
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Minutes => "m",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }

    const fn millis(self) -> u64 {
        match self {
            Self::Millis => 1,
            Self::Seconds => 1_000,
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
            Self::Days => 86_400_000,
        }
    }
}

impl Span {
    /// A thousand years.
    const MOST_MILLIS: u64 = 365_000 * Unit::Days.millis();

    /// How long it is.
    pub const fn duration(self) -> Duration {
        // Checked when it was read.
        Duration::from_millis(self.count * self.unit.millis())
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or(SpanError)?;
        let (number, unit) = text.split_at(end);
        let count: u64 = number.parse().map_err(|_| SpanError)?;
        let unit = Unit::ALL.into_iter().find(|known| known.name() == unit).ok_or(SpanError)?;
        let millis = count.checked_mul(unit.millis()).ok_or(SpanError)?;
        if millis > Self::MOST_MILLIS { Err(SpanError) } else { Ok(Self { count, unit }) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.name())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::types::as_text!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_their_spelling() {
        for (text, millis) in [("24h", 86_400_000), ("1d", 86_400_000), ("250ms", 250), ("0s", 0), ("1825d", 157_680_000_000)] {
            let span: Span = text.parse().expect(text);
            assert_eq!((span.to_string().as_str(), span.duration()), (text, Duration::from_millis(millis)));
        }
        for text in ["", "5", "s", "-1s", "1.5h", "5 s", "1w", "365001d", "99999999999999999999s", "18446744073709551615d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
