//! Deterministic CBOR (RFC 8949 section 4.2.1) of the native forms: arrays of a fixed shape, definite lengths, shortest heads.
//!
//! A form has one encoding: what is read is written again and compared, so no two byte strings are one signed statement.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::DecodeError;

/// Reads the fields of a form, naming the field in each error. A vector grows only with items that were read.
pub(crate) struct Fields<'a>(Decoder<'a>);

impl<'a> Fields<'a> {
    /// The fields of an array of exactly `count`.
    pub(crate) fn of(bytes: &'a [u8], form: &'static str, count: u64) -> Result<Self, DecodeError> {
        let mut fields = Self(Decoder::new(bytes));
        if fields.count(form)? != count {
            return Err(DecodeError::Length(form));
        }
        Ok(fields)
    }

    /// The fields of an array whose length says what it is, and that length.
    pub(crate) fn any(bytes: &'a [u8], form: &'static str) -> Result<(u64, Self), DecodeError> {
        let mut fields = Self(Decoder::new(bytes));
        Ok((fields.count(form)?, fields))
    }

    /// The head of an array within this one.
    pub(crate) fn nested(&mut self, field: &'static str, count: u64) -> Result<(), DecodeError> {
        if self.count(field)? == count { Ok(()) } else { Err(DecodeError::Length(field)) }
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self, field: &'static str, most: usize) -> Result<&'a [u8], DecodeError> {
        let bytes = self.0.bytes().map_err(|error| refusal(&error, field))?;
        if bytes.len() > most { Err(DecodeError::Length(field)) } else { Ok(bytes) }
    }

    /// A byte string of `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        self.bytes(field, N)?.try_into().map_err(|_| DecodeError::Length(field))
    }

    /// A text that is a word of the field.
    pub(crate) fn word<T: std::str::FromStr>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        let text = self.0.str().map_err(|error| refusal(&error, field))?;
        text.parse().map_err(|_| DecodeError::Value(field))
    }

    /// An unsigned integer.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self, field: &'static str) -> Result<T, DecodeError> {
        let number = self.0.u64().map_err(|error| refusal(&error, field))?;
        T::try_from(number).map_err(|_| DecodeError::Value(field))
    }

    /// True or false.
    pub(crate) fn truth(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        self.0.bool().map_err(|error| refusal(&error, field))
    }

    /// A list of any length.
    pub(crate) fn list<T>(
        &mut self,
        field: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count(field)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Null, or a value.
    pub(crate) fn option<T>(
        &mut self,
        field: &'static str,
        value: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.0.datatype().map_err(|error| refusal(&error, field))? == Type::Null {
            self.0.null().map_err(|error| refusal(&error, field))?;
            return Ok(None);
        }
        value(self).map(Some)
    }

    /// The head of an array whose length says what it is.
    pub(crate) fn open(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.count(field)
    }

    fn count(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.0.array().map_err(|error| refusal(&error, field))?.ok_or(DecodeError::Value(field))
    }
}

fn refusal(error: &minicbor::decode::Error, field: &'static str) -> DecodeError {
    if error.is_end_of_input() { DecodeError::Truncated(field) } else { DecodeError::Value(field) }
}

/// Refuses bytes that are not the one encoding of what was read from them: longer heads, bytes behind the end.
pub(crate) fn canonical(bytes: &[u8], again: &[u8], form: &'static str) -> Result<(), DecodeError> {
    if bytes == again { Ok(()) } else { Err(DecodeError::Value(form)) }
}

/// Writes the fields of a form. Every head is the shortest.
pub(crate) struct Form(Encoder<Vec<u8>>);

/// Writing to a vector does not fail.
const INFALLIBLE: &str = "a vector takes every byte";

impl Form {
    /// An array of so many fields.
    pub(crate) fn of(count: u64, size_hint: usize) -> Self {
        Self(Encoder::new(Vec::with_capacity(size_hint))).list(count)
    }

    /// The head of a byte string of so many bytes, by itself.
    pub(crate) fn string(length: usize) -> Vec<u8> {
        Self(Encoder::new(Vec::with_capacity(5 + length))).before(length)
    }

    pub(crate) fn list(mut self, count: u64) -> Self {
        self.0.array(count).expect(INFALLIBLE);
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.bytes(bytes).expect(INFALLIBLE);
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.str(text).expect(INFALLIBLE);
        self
    }

    pub(crate) fn number(mut self, number: impl Into<u64>) -> Self {
        self.0.u64(number.into()).expect(INFALLIBLE);
        self
    }

    pub(crate) fn truth(mut self, truth: bool) -> Self {
        self.0.bool(truth).expect(INFALLIBLE);
        self
    }

    pub(crate) fn null(mut self) -> Self {
        self.0.null().expect(INFALLIBLE);
        self
    }

    /// Byte strings, or null.
    pub(crate) fn each<'a, const N: usize>(self, items: impl ExactSizeIterator<Item = &'a [u8; N]>) -> Self {
        let list = self.list(items.len() as u64);
        items.fold(list, |form, item| form.bytes(item))
    }

    /// The head of a byte string of `length` bytes, which the caller appends.
    pub(crate) fn before(mut self, length: usize) -> Vec<u8> {
        self.0.bytes_len(length as u64).expect(INFALLIBLE);
        self.0.into_writer()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.into_writer()
    }
}
