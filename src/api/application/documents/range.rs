//! `Range` (RFC 9110 section 14.1): one range of bytes. Several are answered with the whole, as the section allows.

use std::ops::Range;

use crate::services::DocumentError;

/// The bytes that are asked for; `None` for all of them. A range that no byte of the document lies in is an error.
pub(super) fn read(header: Option<&str>, size: u64) -> Result<Option<Range<u64>>, DocumentError> {
    let Some(set) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else { return Ok(None) };
    let Some((first, last)) = set.split_once('-').filter(|_| !set.contains(',')) else { return Ok(None) };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(suffix)) if first.trim().is_empty() => size.saturating_sub(suffix)..size,
        // No valid range: it is as if there were none.
        _ => return Ok(None),
    };
    if range.is_empty() { Err(DocumentError::Range(size)) } else { Ok(Some(range)) }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (header, expected) in [
            (None, Ok(None)),
            (Some("bytes=0-0"), Ok(Some(0..1))),
            (Some("bytes=2-5"), Ok(Some(2..6))),
            (Some("bytes=2-500"), Ok(Some(2..10))),
            (Some("bytes=9-"), Ok(Some(9..10))),
            (Some("bytes=-3"), Ok(Some(7..10))),
            (Some("bytes=-30"), Ok(Some(0..10))),
            (Some("bytes=10-"), Err(DocumentError::Range(10))),
            (Some("bytes=10-12"), Err(DocumentError::Range(10))),
            (Some("bytes=-0"), Err(DocumentError::Range(10))),
            (Some("bytes=5-2"), Ok(None)),
            (Some("bytes=0-1,3-4"), Ok(None)),
            (Some("bytes=a-b"), Ok(None)),
            (Some("bytes=-"), Ok(None)),
            (Some("lines=1-2"), Ok(None)),
        ] {
            assert_eq!(read(header, 10), expected, "{header:?}");
        }
        assert_eq!(read(Some("bytes=0-"), 0), Err(DocumentError::Range(0)));
        assert_eq!(read(Some("bytes=0-18446744073709551615"), 10), Ok(Some(0..10)));
    }
}
