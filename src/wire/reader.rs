//! The bounded reader of length-prefixed fields, and what it refuses.

/// Why bytes are not what they should be. Names the field, never its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The field is there twice, so two readers could take it for two things.
    #[error("{0} is there twice")]
    Duplicate(&'static str),
    /// The field is longer or shorter than its kind allows.
    #[error("{0} has a length that it cannot have")]
    Length(&'static str),
    /// The field is not there, and there is no payload without it.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Flag, execution hash and mandatory recipients do not belong together.
    #[error(transparent)]
    Privacy(#[from] crate::types::PrivacyRuleError),
    /// The bytes end inside the field.
    #[error("{0} is cut off")]
    Truncated(&'static str),
    /// The field holds a value or type that it cannot have.
    #[error("{0} has a value that it cannot have")]
    Value(&'static str),
}

/// Bytes in front of each field: a signed 64-bit big-endian length or count.
pub(super) const PREFIX: usize = 8;

/// Reads length-prefixed fields. Borrows; allocates no more than a small multiple of what is really there.
///
/// Threat: a length or count of a hostile peer. Each is checked against the bytes that remain before anything is made of it.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all is read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `i64 length ‖ bytes`.
    pub fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.number(field)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DecodeError::Truncated(field))?;
        self.0 = rest;
        Ok(taken)
    }

    /// `i64 N ‖ N bytes`.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.bytes(field)?.try_into().map_err(|_| DecodeError::Length(field))
    }

    /// `i64 length ‖ UTF-8 bytes`.
    pub fn text(&mut self, field: &'static str) -> Result<String, DecodeError> {
        let text = std::str::from_utf8(self.bytes(field)?).map_err(|_| DecodeError::Value(field))?;
        Ok(text.to_owned())
    }

    /// `i64 count ‖ items`, each of at least `least` bytes.
    pub fn list<T>(
        &mut self,
        field: &'static str,
        least: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.number(field)?;
        if count > self.0.len() / least {
            return Err(DecodeError::Truncated(field));
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// `i64 count ‖ (i64 N ‖ N bytes)…`.
    pub fn arrays<const N: usize>(&mut self, field: &'static str) -> Result<Vec<[u8; N]>, DecodeError> {
        self.list(field, PREFIX + N, |reader| reader.array(field))
    }

    /// A length or count. Tessera narrows it to 32 bits and refuses what does not fit.
    fn number(&mut self, field: &'static str) -> Result<usize, DecodeError> {
        let (prefix, rest) = self.0.split_first_chunk::<PREFIX>().ok_or(DecodeError::Truncated(field))?;
        self.0 = rest;
        let narrow = i32::try_from(i64::from_be_bytes(*prefix)).map_err(|_| DecodeError::Length(field))?;
        usize::try_from(narrow).map_err(|_| DecodeError::Length(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(length: i64, bytes: &[u8]) -> Vec<u8> {
        [&length.to_be_bytes(), bytes].concat()
    }

    #[test]
    fn lengths_are_bounded_by_what_is_there() {
        for (length, error) in [
            (-1, DecodeError::Length("x")),
            (i64::MIN, DecodeError::Length("x")),
            (1 << 32, DecodeError::Length("x")),
            (i64::from(i32::MAX), DecodeError::Truncated("x")),
            (4, DecodeError::Truncated("x")),
        ] {
            let bytes = field(length, b"abc");
            assert_eq!(Reader::new(&bytes).bytes("x"), Err(error));
            assert_eq!(Reader::new(&bytes).arrays::<3>("x"), Err(error));
        }
        let bytes = field(3, b"abcd");
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.bytes("x"), Ok(b"abc".as_slice()));
        assert!(!reader.is_empty());
        assert_eq!(reader.bytes("y"), Err(DecodeError::Truncated("y")));
    }

    #[test]
    fn kinds_are_checked() {
        assert_eq!(Reader::new(&field(3, b"abc")).array::<4>("x"), Err(DecodeError::Length("x")));
        assert_eq!(Reader::new(&field(2, &[0xc3, 0x28])).text("x"), Err(DecodeError::Value("x")));
        let two = field(2, &[field(1, b"a"), field(1, b"b")].concat());
        assert_eq!(Reader::new(&two).arrays("x"), Ok(vec![*b"a", *b"b"]));
    }
}
