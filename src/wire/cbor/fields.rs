use bytes::Bytes;
use minicbor::Decoder;
use minicbor::data::Type;

use super::super::DecodeError;

/// Values inside each other that an unknown key may have.
const DEPTH: u8 = 16;

/// Reads fields of a CBOR map, naming the field in each error. A vector grows only with items that were read.
pub(super) struct Reader<'a>(Decoder<'a>);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    /// A byte string, in one piece.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        self.0.bytes().map_err(|error| refusal(&error, field))
    }

    /// A byte string of `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.bytes(field)?.try_into().map_err(|_| DecodeError::Length(field))
    }

    /// An integer.
    pub(super) fn number(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.0.i64().map_err(|error| refusal(&error, field))
    }

    /// An array of byte strings of `N` bytes.
    pub(super) fn arrays<const N: usize, T>(
        &mut self,
        field: &'static str,
        item: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, DecodeError> {
        let length = self.0.array().map_err(|error| refusal(&error, field))?;
        let mut items = Vec::new();
        self.each(length, field, |reader| {
            items.push(item(reader.array(field)?));
            Ok(())
        })?;
        Ok(items)
    }

    /// A map with text keys; `value` reads the value of each.
    pub(super) fn map(
        &mut self,
        field: &'static str,
        mut value: impl FnMut(&mut Self, &'a str) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let length = self.0.map().map_err(|error| refusal(&error, field))?;
        self.each(length, field, |reader| {
            let key = reader.0.str().map_err(|error| refusal(&error, field))?;
            value(reader, key)
        })
    }

    /// Passes over one well-formed value.
    pub(super) fn skip(&mut self, field: &'static str) -> Result<(), DecodeError> {
        self.skip_within(field, DEPTH)
    }

    fn skip_within(&mut self, field: &'static str, depth: u8) -> Result<(), DecodeError> {
        let deeper = depth.checked_sub(1).ok_or(DecodeError::Value(field))?;
        let kind = self.0.datatype().map_err(|error| refusal(&error, field))?;
        match kind {
            Type::Array | Type::ArrayIndef => {
                let length = self.0.array().map_err(|error| refusal(&error, field))?;
                self.each(length, field, |reader| reader.skip_within(field, deeper))
            }
            Type::Map | Type::MapIndef => {
                let length = self.0.map().map_err(|error| refusal(&error, field))?;
                self.each(length, field, |reader| {
                    reader.skip_within(field, deeper)?;
                    reader.skip_within(field, deeper)
                })
            }
            Type::Tag => {
                self.0.tag().map_err(|error| refusal(&error, field))?;
                self.skip_within(field, deeper)
            }
            Type::Break => Err(DecodeError::Value(field)),
            _ => self.0.skip().map_err(|error| refusal(&error, field)),
        }
    }

    /// The items of an array or map, up to its length or its break.
    fn each(
        &mut self,
        length: Option<u64>,
        field: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if let Some(length) = length {
            return (0..length).try_for_each(|_| item(self));
        }
        while self.0.datatype().map_err(|error| refusal(&error, field))? != Type::Break {
            item(self)?;
        }
        self.0.skip().map_err(|error| refusal(&error, field))
    }
}

fn refusal(error: &minicbor::decode::Error, field: &'static str) -> DecodeError {
    if error.is_end_of_input() { DecodeError::Truncated(field) } else { DecodeError::Value(field) }
}

/// Writes CBOR with the shortest heads and definite lengths (RFC 8949 section 4.2.1, but for the order of keys).
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// The head of a map of so many pairs.
    pub(super) fn map(&mut self, pairs: usize) {
        self.head(5, pairs);
    }

    /// A text string; a value follows it.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.head(3, text.len());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    /// A byte string.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// An array of byte strings.
    pub(super) fn list<'a>(&mut self, items: impl ExactSizeIterator<Item = &'a [u8]>) {
        self.head(4, items.len());
        items.for_each(|item| self.bytes(item));
    }

    /// An unsigned integer.
    pub(super) fn number(&mut self, number: u8) {
        self.head(0, number.into());
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.into()
    }

    /// Major type and argument, in the fewest bytes.
    fn head(&mut self, major: u8, argument: usize) {
        let wide = (argument as u64).to_be_bytes();
        let (information, digits) = match argument {
            0..=23 => (wide[7], 0),
            24..=0xff => (24, 1),
            0x100..=0xffff => (25, 2),
            0x1_0000..=0xffff_ffff => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major << 5 | information);
        self.0.extend_from_slice(&wide[8 - digits..]);
    }
}
