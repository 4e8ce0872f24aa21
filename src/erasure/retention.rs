use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::TagError;
use crate::governance::Span;

/// When what is kept for so long, or until then, is to be erased: milliseconds since the Unix epoch.
///
/// `text` is a duration as policies write it (`1825d`), one of ISO 8601 (`P5Y`, `P18M`, `P90D`), a date, which counts to its end in UTC
/// (`2031-12-31`), or a moment (RFC 3339). What is over, now or in more than a thousand years is refused: it is a mistake, and the item
/// would go at once.
pub fn until(text: &str, now: Timestamp) -> Result<u64, TagError> {
    let wrong = |_| TagError::Retention;
    let ends = if let Ok(span) = text.parse::<Span>() {
        now.checked_add(span.duration()).map_err(wrong)?
    } else if text.starts_with('P') {
        let span: jiff::Span = text.parse().map_err(wrong)?;
        later(now, span)?
    } else if let Ok(moment) = text.parse::<Timestamp>() {
        moment
    } else {
        let day: Date = text.parse().map_err(wrong)?;
        let next = day.tomorrow().map_err(wrong)?;
        Offset::UTC.to_timestamp(next.at(0, 0, 0, 0)).map_err(wrong)?
    };
    if ends <= now || ends > later(now, jiff::Span::new().years(1_000))? {
        return Err(TagError::Retention);
    }
    u64::try_from(ends.as_millisecond()).map_err(|_| TagError::Retention)
}

/// Calendar arithmetic in UTC: a month after 31 January is the last day of February.
fn later(now: Timestamp, span: jiff::Span) -> Result<Timestamp, TagError> {
    let then = Offset::UTC.to_datetime(now).checked_add(span).map_err(|_| TagError::Retention)?;
    Offset::UTC.to_timestamp(then).map_err(|_| TagError::Retention)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_durations_dates_and_moments_are_read_and_what_is_over_is_refused() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().expect("a moment");
        for (text, ends) in [
            ("1d", "2026-02-01T12:00:00Z"),
            ("24h", "2026-02-01T12:00:00Z"),
            ("P5Y", "2031-01-31T12:00:00Z"),
            ("P1M", "2026-02-28T12:00:00Z"),
            ("P1DT1H", "2026-02-01T13:00:00Z"),
            ("2031-12-31", "2032-01-01T00:00:00Z"),
            ("2026-01-31", "2026-02-01T00:00:00Z"),
            ("2026-01-31T13:00:00+01:00", ""),
            ("2026-01-31T13:00:01Z", "2026-01-31T13:00:01Z"),
            ("0d", ""),
            ("P0D", ""),
            ("-P1D", ""),
            ("2026-01-30", ""),
            ("2026-02-30", ""),
            ("P2000Y", ""),
            ("365001d", ""),
            ("5", ""),
            ("P", ""),
            ("for ever", ""),
            ("", ""),
        ] {
            let expected = ends.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
            assert_eq!(until(text, now).ok(), expected, "{text}");
        }
    }
}
