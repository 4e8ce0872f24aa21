use super::{RequestError, words};
use crate::types::{Address, Class};

/// Keys of a header such as `c11n-to`: comma lists, in any number of header lines; empty items are none.
pub fn keys<'a>(name: &str, lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Address>, RequestError> {
    let mut keys = Vec::new();
    for line in lines {
        for item in text(name, line)?.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            keys.push(words::recipient(name, item)?);
        }
    }
    Ok(keys)
}

/// The sender of a header such as `c11n-from`; an empty one names none.
pub fn single_key(name: &str, line: Option<&[u8]>) -> Result<Option<Address>, RequestError> {
    let text = line.map(|line| text(name, line)).transpose()?;
    words::sender(name, text.map(str::trim))
}

/// What a payload or document holds, as a header declares it; absent: nothing is declared.
pub fn class(name: &str, line: Option<&[u8]>) -> Result<Option<Class>, RequestError> {
    let Some(line) = line else { return Ok(None) };
    let class = std::str::from_utf8(line).ok().and_then(|text| text.parse().ok());
    class.map(Some).ok_or_else(|| RequestError::field(name, "not a class: public, business, personal or special"))
}

/// A header's value as text.
fn text<'a>(name: &str, line: &'a [u8]) -> Result<&'a str, RequestError> {
    std::str::from_utf8(line).map_err(|_| RequestError::field(name, "not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo=";
    const B: &str = "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc=";

    #[test]
    fn lists_and_repeated_lines_are_one_list() {
        let both = format!("{A}, {B}");
        let expected: Vec<Address> = vec![A.parse().unwrap(), B.parse().unwrap()];
        assert_eq!(keys("c11n-to", [both.as_bytes()]), Ok(expected.clone()));
        assert_eq!(keys("c11n-to", [A.as_bytes(), B.as_bytes()]), Ok(expected));
        assert_eq!(keys("c11n-to", [&b""[..]]), Ok(vec![]));
        assert_eq!(keys("c11n-to", [&b" , ,"[..]]), Ok(vec![]));
    }

    #[test]
    fn wrong_keys_are_named_by_header() {
        assert_eq!(keys("c11n-to", [&b"AAAA"[..]]), Err(RequestError::RecipientUnknown("AAAA".into())));
        assert!(matches!(keys("c11n-to", [&b"?"[..]]), Err(RequestError::Field { field, .. }) if field == "c11n-to"));
        assert!(matches!(keys("c11n-to", [&b"\xff"[..]]), Err(RequestError::Field { .. })));
        assert_eq!(single_key("c11n-from", Some(b" ")), Ok(None));
        assert_eq!(single_key("c11n-from", Some(A.as_bytes())), Ok(A.parse().ok()));
    }
}
