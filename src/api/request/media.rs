/// A family of JSON requests and answers. They differ in members, not in syntax.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum MediaType {
    /// `application/json`: API 1.0 and 2.0.
    Json,
    /// `application/vnd.tessera-2.1+json`: tells the sender and our own keys.
    V2_1,
    /// `application/vnd.tessera-3.0+json`.
    V3,
    /// `application/vnd.tessera-4.0+json`: mandatory recipients.
    V4,
}

impl MediaType {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::Json, Self::V2_1, Self::V3, Self::V4];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::V2_1 => "application/vnd.tessera-2.1+json",
            Self::V3 => "application/vnd.tessera-3.0+json",
            Self::V4 => "application/vnd.tessera-4.0+json",
        }
    }

    /// Whether answers tell `managedParties` and `senderKey`.
    pub const fn tells_parties(self) -> bool {
        !matches!(self, Self::Json)
    }

    /// Whether requests may name mandatory recipients.
    pub const fn has_mandatory(self) -> bool {
        matches!(self, Self::V4)
    }

    /// The family of a media type, parameters aside.
    fn parse(text: &str) -> Option<Self> {
        let essence = essence(text);
        Self::ALL.into_iter().find(|media| essence.eq_ignore_ascii_case(media.name()))
    }
}

/// The family of a `Content-Type`. Without a header it is JSON; `None` for anything else than JSON.
pub fn sent(content_type: Option<&[u8]>) -> Option<MediaType> {
    match content_type {
        None => Some(MediaType::Json),
        Some(value) => MediaType::parse(std::str::from_utf8(value).ok()?),
    }
}

/// The first family that `Accept` names. `None` if it names none: then the caller takes what it sent.
pub fn accepted<'a>(accept: impl IntoIterator<Item = &'a [u8]>) -> Option<MediaType> {
    let values = accept.into_iter().filter_map(|value| std::str::from_utf8(value).ok());
    values.flat_map(|value| value.split(',')).find_map(MediaType::parse)
}

/// Whether a `Content-Type` is `application/octet-stream`.
pub fn is_octets(content_type: Option<&[u8]>) -> bool {
    let text = content_type.and_then(|value| std::str::from_utf8(value).ok());
    text.is_some_and(|text| essence(text).eq_ignore_ascii_case("application/octet-stream"))
}

fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_told_apart() {
        assert_eq!(sent(None), Some(MediaType::Json));
        assert_eq!(sent(Some(b"application/json; charset=utf-8")), Some(MediaType::Json));
        assert_eq!(sent(Some(b"Application/VND.tessera-4.0+json")), Some(MediaType::V4));
        assert_eq!(sent(Some(b"application/vnd.tessera-5.0+json")), None);
        assert_eq!(sent(Some(b"text/plain")), None);
        assert_eq!(sent(Some(b"\xff")), None);
        assert!(is_octets(Some(b"application/octet-stream")));
        assert!(!is_octets(None));
        assert!(!is_octets(Some(b"application/json")));
    }

    #[test]
    fn the_first_known_type_of_accept_counts() {
        assert_eq!(
            accepted([&b"text/html, application/vnd.tessera-2.1+json;q=0.5, application/json"[..]]),
            Some(MediaType::V2_1)
        );
        assert_eq!(accepted([&b"*/*"[..]]), None);
        assert_eq!(accepted([&b"text/html"[..], &b"application/vnd.tessera-3.0+json"[..]]), Some(MediaType::V3));
        assert_eq!(accepted(std::iter::empty::<&[u8]>()), None);
    }
}
