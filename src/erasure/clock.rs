use jiff::Timestamp;
use jiff::tz::Offset;

/// When an answer to a data subject is due (GDPR art. 12(3)): a month after the request, three where it was extended and the subject told so.
/// In UTC; a month after 31 January ends with February. Milliseconds since the Unix epoch.
pub fn answer_due(requested_at: u64, extended: bool) -> u64 {
    let due = || {
        let asked = Timestamp::from_millisecond(i64::try_from(requested_at).ok()?).ok()?;
        let months = jiff::Span::new().months(if extended { 3 } else { 1 });
        let due = Offset::UTC.to_datetime(asked).checked_add(months).ok()?;
        u64::try_from(Offset::UTC.to_timestamp(due).ok()?.as_millisecond()).ok()
    };
    due().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u64 {
        let stamp: Timestamp = text.parse().expect("a moment");
        u64::try_from(stamp.as_millisecond()).expect("after 1970")
    }

    #[test]
    fn a_month_is_a_calendar_month_and_an_extension_adds_two() {
        for (asked, extended, due) in [
            ("2026-01-31T10:00:00Z", false, "2026-02-28T10:00:00Z"),
            ("2028-01-31T10:00:00Z", false, "2028-02-29T10:00:00Z"),
            ("2026-03-05T10:00:00Z", false, "2026-04-05T10:00:00Z"),
            ("2026-11-30T10:00:00Z", true, "2027-02-28T10:00:00Z"),
        ] {
            assert_eq!(answer_due(at(asked), extended), at(due), "{asked}");
        }
        assert_eq!(answer_due(u64::MAX, false), u64::MAX);
    }
}
