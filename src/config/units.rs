//! Quantities as people write them: `"250ms"`, `"64MiB"`, `"0600"`.

/// A number and its unit, or `None`.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

/// Durations: `"5s"`, `"250ms"`, `"2m"`, `"1h"`.
pub(super) mod duration {
    use std::time::Duration;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// What a duration looks like.
    pub(in crate::config) const EXPECTED: &str = "expected a duration such as \"5s\", \"250ms\", \"2m\" or \"1h\"";

    /// Reads one duration.
    pub(in crate::config) fn parse(text: &str) -> Option<Duration> {
        let (number, unit) = super::split(text.trim())?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        number.checked_mul(millis).map(Duration::from_millis)
    }

    pub(in crate::config) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = duration.as_millis();
        if millis.is_multiple_of(1000) {
            serializer.collect_str(&format_args!("{}s", millis / 1000))
        } else {
            serializer.collect_str(&format_args!("{millis}ms"))
        }
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer).map_err(|_| D::Error::custom(EXPECTED))?;
        parse(&text).ok_or_else(|| D::Error::custom(format!("{EXPECTED}, found \"{text}\"")))
    }
}

/// Sizes in bytes: `1048576`, `"64MiB"`, `"512kB"`.
pub(super) mod size {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// What a size looks like.
    pub(in crate::config) const EXPECTED: &str = "expected a size in bytes, or with a unit such as \"64MiB\" or \"512KiB\"";

    /// Reads one size.
    pub(in crate::config) fn parse(text: &str) -> Option<u64> {
        let (number, unit) = super::split(text.trim())?;
        let factor = match unit {
            "" | "B" => 1,
            "kB" => 1000,
            "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            _ => return None,
        };
        number.checked_mul(factor)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(in crate::config) fn serialize<S: Serializer>(size: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            if *size >= 1 << shift && size.trailing_zeros() >= shift {
                return serializer.collect_str(&format_args!("{}{unit}", size >> shift));
            }
        }
        serializer.collect_str(&format_args!("{size}B"))
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        match Written::deserialize(deserializer).map_err(|_| D::Error::custom(EXPECTED))? {
            Written::Number(size) => Ok(size),
            Written::Text(text) => parse(&text).ok_or_else(|| D::Error::custom(format!("{EXPECTED}, found \"{text}\""))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, size};

    #[test]
    fn durations() {
        let cases = [("5s", Some(5000)), ("250ms", Some(250)), ("2m", Some(120_000)), ("1h", Some(3_600_000)), ("0s", Some(0))];
        let wrong =
            ["", "5", "s", "-1s", "1.5s", "5 days", "99999999999999999999s", "18446744073709551615h"].map(|text| (text, None));
        for (text, millis) in cases.into_iter().chain(wrong) {
            assert_eq!(duration::parse(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn sizes() {
        let cases = [("64MiB", Some(64 << 20)), ("1000", Some(1000)), ("2kB", Some(2000)), ("1 GiB", Some(1 << 30))];
        let wrong = ["", "MiB", "1mib", "-1", "99999999999GiB"].map(|text| (text, None));
        for (text, bytes) in cases.into_iter().chain(wrong) {
            assert_eq!(size::parse(text), bytes, "{text}");
        }
    }
}
