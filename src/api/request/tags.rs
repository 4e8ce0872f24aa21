use std::str::FromStr;

use axum::http::HeaderMap;
use jiff::Timestamp;

use super::RequestError;
use crate::erasure::{Basis, TagError, Tags, until};

/// Why a payload is processed.
const PURPOSE: &str = "celosia-purpose";
/// On which legal basis.
const BASIS: &str = "celosia-basis";
/// How long, or until when, it is kept.
const RETENTION: &str = "celosia-retention";
/// Pseudonyms of the people it is about.
const SUBJECT: &str = "celosia-subject";
/// Contract that it belongs to.
const CONTRACT: &str = "celosia-contract";

/// What a request declares of its payload or document in headers, checked and in one form. Each header once, but `celosia-subject`: a comma
/// list, in any number of lines.
pub fn declared(headers: &HeaderMap, now: Timestamp) -> Result<Tags, RequestError> {
    let mut tags = Tags {
        class: None,
        purpose: single(headers, PURPOSE, TagError::Purpose)?.map(str::to_owned),
        basis: single(headers, BASIS, TagError::Basis)?.map(Basis::from_str).transpose()?,
        retain_until: single(headers, RETENTION, TagError::Retention)?.map(|text| until(text, now)).transpose()?,
        contract: single(headers, CONTRACT, TagError::Contract)?.map(str::to_owned),
        subjects: Vec::new(),
    };
    for line in headers.get_all(SUBJECT) {
        let text = std::str::from_utf8(line.as_bytes()).map_err(|_| TagError::Subject)?;
        tags.subjects.extend(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()));
    }
    tags.normalise()?;
    Ok(tags)
}

/// The text of a header that may come once.
fn single<'a>(headers: &'a HeaderMap, name: &str, wrong: TagError) -> Result<Option<&'a str>, TagError> {
    let mut lines = headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(wrong);
    }
    std::str::from_utf8(line.as_bytes()).map(|text| Some(text.trim())).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &[(&str, &[u8])]) -> Result<Tags, RequestError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().expect("a name"), HeaderValue::from_bytes(value).expect("a value"));
        }
        declared(&headers, "2026-01-31T12:00:00Z".parse().expect("a moment"))
    }

    #[test]
    fn all_of_them_are_read() {
        let contract = format!("0x{}", "AB".repeat(20));
        let tags = read(&[
            (PURPOSE, "nóminas 2026".as_bytes()),
            (BASIS, b"contract"),
            (RETENTION, b"P1D"),
            (SUBJECT, b"ana, bea,"),
            (SUBJECT, b"ana"),
            (CONTRACT, contract.as_bytes()),
        ])
        .expect("good");
        let expected = Tags {
            class: None,
            purpose: Some("nóminas 2026".into()),
            basis: Some(Basis::Contract),
            retain_until: Some(1_769_947_200_000),
            contract: Some(contract.to_ascii_lowercase()),
            subjects: vec!["ana".into(), "bea".into()],
        };
        assert_eq!(tags, expected);
        assert_eq!(read(&[]), Ok(Tags::default()));
        assert_eq!(read(&[(SUBJECT, b" ,")]), Ok(Tags::default()));
    }

    #[test]
    fn wrong_ones_are_named_and_not_repeated() {
        for (lines, expected) in [
            (&[(PURPOSE, &b""[..])][..], TagError::Purpose),
            (&[(PURPOSE, b"a"), (PURPOSE, b"b")], TagError::Purpose),
            (&[(PURPOSE, b"\xff")], TagError::Purpose),
            (&[(BASIS, b"because")], TagError::Basis),
            (&[(BASIS, b"Consent")], TagError::Basis),
            (&[(RETENTION, b"soon")], TagError::Retention),
            (&[(RETENTION, b"2020-01-01")], TagError::Retention),
            (&[(SUBJECT, b"secret\x80")], TagError::Subject),
            (&[(CONTRACT, b"0x12")], TagError::Contract),
        ] {
            let error = read(lines).expect_err("wrong");
            assert_eq!(error, RequestError::Tag(expected), "{lines:?}");
            assert!(!error.to_string().contains("secret"));
        }
        let many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(read(&[(SUBJECT, many.as_bytes())]), Err(RequestError::Tag(TagError::TooMany)));
    }

    proptest! {
        #[test]
        fn no_header_panics_and_what_is_taken_is_in_its_one_form(which in 0_usize..5, bytes: Vec<u8>) {
            let name = [PURPOSE, BASIS, RETENTION, SUBJECT, CONTRACT][which];
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(HeaderName::from_static(name), value);
            }
            if let Ok(mut tags) = declared(&headers, Timestamp::UNIX_EPOCH) {
                let before = tags.clone();
                prop_assert_eq!(tags.normalise(), Ok(()));
                prop_assert_eq!(tags, before);
            }
        }
    }
}
