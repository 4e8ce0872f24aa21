use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::RequestError;
use crate::types::{Address, ItemId, ParseError, PayloadId};

/// Last segments that are no part of an id.
const SUFFIXES: [(&str, Operation); 3] =
    [("/isSender", Operation::IsSender), ("/participants", Operation::Participants), ("/mandatory", Operation::Mandatory)];

/// What is asked of a payload in `/transaction/{hash}…`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// The payload itself.
    Payload,
    /// `/isSender`.
    IsSender,
    /// `/mandatory`.
    Mandatory,
    /// `/participants`.
    Participants,
}

/// A payload's id as asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asked {
    /// An id.
    Id(PayloadId),
    /// Base64 of another length: no payload has it.
    Impossible(String),
}

/// What a path below `/transaction/` names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Which payload.
    pub asked: Asked,
    /// What of it.
    pub operation: Operation,
}

/// The query of `GET /transaction/{hash}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Query {
    /// `isRaw`: the raw payload that `/storeraw` keeps.
    pub raw: bool,
    /// `to`: for which of our keys.
    pub to: Option<To>,
}

/// The key of `to`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum To {
    /// A key.
    Key(Address),
    /// Base64 of another length: nobody's.
    Nobody,
}

/// Reads the path below `/transaction/`. The id is everything before the last known suffix: `%2F` and a plain `/` are both data,
/// `+` is a plus and never a space. Base64 of 64 bytes ends in `==`, so the suffixes are unambiguous.
pub fn target(path: &str) -> Result<Target, RequestError> {
    let rest = path.strip_prefix("/transaction/").unwrap_or_default();
    let found = SUFFIXES.into_iter().find_map(|(suffix, operation)| Some((rest.strip_suffix(suffix)?, operation)));
    let (id, operation) = found.unwrap_or((rest, Operation::Payload));
    Ok(Target { asked: Asked::parse(&decoded(id)?)?, operation })
}

/// The id of a payload or document below a prefix of the path. Base64 of another length is absent, as any unknown one.
pub fn item(path: &str, prefix: &str) -> Result<ItemId, RequestError> {
    let text = decoded(path.strip_prefix(prefix).unwrap_or_default())?;
    match text.parse() {
        Ok(id) => Ok(id),
        Err(ParseError::Length { .. }) => Err(RequestError::NotFound(text.into_owned())),
        Err(_) => Err(RequestError::PathId),
    }
}

/// Reads the query of `GET /transaction/{hash}`; unknown parameters are passed over.
pub fn query(query: Option<&str>) -> Result<Query, RequestError> {
    let mut read = Query::default();
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "isRaw" => read.raw = boolean(value)?,
            "to" => read.to = to(value)?,
            _ => {}
        }
    }
    Ok(read)
}

impl Asked {
    /// Reads an id in base64. `RequestError::PathId` if it is not base64.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(ParseError::Length { .. }) => Ok(Self::Impossible(text.to_owned())),
            Err(_) => Err(RequestError::PathId),
        }
    }

    /// The id, or "not found".
    pub fn id(self) -> Result<PayloadId, RequestError> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Impossible(text) => Err(RequestError::NotFound(text)),
        }
    }

    /// The id, or "raw not found".
    pub fn raw_id(self) -> Result<PayloadId, RequestError> {
        match self {
            Self::Id(id) => Ok(id),
            Self::Impossible(text) => Err(RequestError::RawNotFound(text)),
        }
    }
}

fn boolean(value: &str) -> Result<bool, RequestError> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(RequestError::field("isRaw", "neither true nor false"))
    }
}

fn to(value: &str) -> Result<Option<To>, RequestError> {
    if value.is_empty() {
        return Ok(None);
    }
    let text = percent_decode_str(value).decode_utf8().map_err(|_| RequestError::field("to", "not text"))?;
    match text.parse() {
        Ok(key) => Ok(Some(To::Key(key))),
        Err(ParseError::Length { .. }) => Ok(Some(To::Nobody)),
        Err(problem) => Err(RequestError::word("to", problem)),
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, RequestError> {
    percent_decode_str(text).decode_utf8().map_err(|_| RequestError::PathId)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "bIydev/uT1/cwE5j5x3mFQHq6pIWsGUdCbQ6rc1s85xXAYKZSWfEMev8365zivYrDT+hFZu5RAe+tyUSehujyw==";

    fn read(path: &str) -> (String, Operation) {
        let target = target(path).unwrap();
        (target.asked.id().unwrap().to_string(), target.operation)
    }

    #[test]
    fn an_id_is_read_however_it_is_escaped() {
        let go = ID.replace('/', "%2F");
        let all = utf8_percent_encode(ID, NON_ALPHANUMERIC).to_string();
        let lower = ID.replace('/', "%2f");
        for id in [ID, &go, &all, &lower] {
            assert_eq!(read(&format!("/transaction/{id}")), (ID.into(), Operation::Payload));
            assert_eq!(read(&format!("/transaction/{id}/isSender")), (ID.into(), Operation::IsSender));
            assert_eq!(read(&format!("/transaction/{id}/participants")), (ID.into(), Operation::Participants));
            assert_eq!(read(&format!("/transaction/{id}/mandatory")), (ID.into(), Operation::Mandatory));
        }
    }

    #[test]
    fn other_lengths_are_not_found_as_asked_and_garbage_is_refused() {
        let asked = target("/transaction/AAAA").unwrap().asked;
        assert_eq!(asked.clone().id(), Err(RequestError::NotFound("AAAA".into())));
        assert_eq!(asked.raw_id(), Err(RequestError::RawNotFound("AAAA".into())));
        assert_eq!(target("/transaction/%%%"), Err(RequestError::PathId));
        assert_eq!(target("/transaction/%ff"), Err(RequestError::PathId));
        assert_eq!(target("/transaction/not base64/isSender"), Err(RequestError::PathId));
    }

    #[test]
    fn the_query_is_read() {
        let key = "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc=";
        assert_eq!(query(None), Ok(Query::default()));
        assert_eq!(query(Some("isRaw=TRUE&x=y")), Ok(Query { raw: true, to: None }));
        let to = Some(To::Key(key.parse().unwrap()));
        assert_eq!(query(Some(&format!("to={key}"))), Ok(Query { raw: false, to }));
        let escaped = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
        assert_eq!(query(Some(&format!("isRaw=false&to={escaped}"))), Ok(Query { raw: false, to }));
        assert_eq!(query(Some("to=AAAA")).map(|query| query.to), Ok(Some(To::Nobody)));
        assert_eq!(query(Some("to=")).map(|query| query.to), Ok(None));
        assert!(matches!(query(Some("isRaw=maybe")), Err(RequestError::Field { field, .. }) if field == "isRaw"));
        assert!(matches!(query(Some("to=%ff")), Err(RequestError::Field { field, .. }) if field == "to"));
    }

    proptest! {
        #[test]
        fn any_id_comes_back(bytes in proptest::collection::vec(any::<u8>(), 64)) {
            let id = BASE64.encode(&bytes);
            let path = format!("/transaction/{}/isSender", id.replace('/', "%2F"));
            prop_assert_eq!(read(&path), (id, Operation::IsSender));
        }

        #[test]
        fn no_path_and_no_query_panics(path in ".*", text in ".*") {
            let _ = target(&path);
            let _ = query(Some(&text));
        }
    }
}
