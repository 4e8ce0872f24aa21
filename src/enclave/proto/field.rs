//! How each type crosses. All in one place, so that what can be in a message can be read off it.

use std::io;

use bytes::Bytes;
use minicbor::encode::{Error, Write};
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

use super::Plain;
use crate::shred::SealedHead;
use crate::types::{Address, Affected, DocumentId, GroupId, ItemId, PayloadId, PrivacyFlag};

/// Most elements of a list: more than any honest message has, and far less than a frame of one-byte elements would hold.
const MAX_LIST: u64 = 1 << 20;

/// Bytes that are no message. Says nothing more: the other side is ours, and a person can do nothing with the place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a frame of the enclave protocol is malformed")]
pub(in crate::enclave) struct Malformed;

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

pub(in crate::enclave) type Put<W> = Result<(), Error<<W as Write>::Error>>;

/// A frame's body being read. Byte strings are slices of it, without copies.
pub(in crate::enclave) struct Input<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) frame: &'a Bytes,
}

impl Input<'_> {
    pub(super) fn tag(&mut self) -> Result<u8, Malformed> {
        Ok(self.decoder.u8()?)
    }
}

/// A type that crosses.
pub(in crate::enclave) trait Field: Sized {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W>;
    fn take(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

/// A struct whose fields follow each other.
macro_rules! record {
    ($name:ident { $($field:ident),+ }) => {
        impl $crate::enclave::proto::field::Field for $name {
            fn put<W: minicbor::encode::Write>(
                &self,
                out: &mut minicbor::Encoder<W>,
            ) -> $crate::enclave::proto::field::Put<W> {
                $(self.$field.put(out)?;)+
                Ok(())
            }

            fn take(
                input: &mut $crate::enclave::proto::field::Input<'_>,
            ) -> Result<Self, $crate::enclave::proto::field::Malformed> {
                Ok(Self { $($field: $crate::enclave::proto::field::Field::take(input)?),+ })
            }
        }
    };
}
pub(super) use record;

/// An enum whose variants are a tag and the fields of that variant.
macro_rules! message {
    ($name:ident { $($tag:literal $variant:ident ( $($index:tt $part:ident),* )),+ $(,)? }) => {
        impl $crate::enclave::proto::field::Field for $name {
            fn put<W: minicbor::encode::Write>(
                &self,
                out: &mut minicbor::Encoder<W>,
            ) -> $crate::enclave::proto::field::Put<W> {
                match self {
                    $(Self::$variant { $($index: $part),* } => {
                        out.u8($tag)?;
                        $($part.put(out)?;)*
                    })+
                }
                Ok(())
            }

            fn take(
                input: &mut $crate::enclave::proto::field::Input<'_>,
            ) -> Result<Self, $crate::enclave::proto::field::Malformed> {
                match input.tag()? {
                    $($tag => Ok(Self::$variant { $($index: $crate::enclave::proto::field::Field::take(input)?),* }),)+
                    _ => Err($crate::enclave::proto::field::Malformed),
                }
            }
        }
    };
}
pub(super) use message;

impl Field for u32 {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.u32(*self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(input.decoder.u32()?)
    }
}

impl Field for u64 {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.u64(*self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(input.decoder.u64()?)
    }
}

impl Field for bool {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bool(*self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(input.decoder.bool()?)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.decoder.bytes()?.try_into().map_err(|_| Malformed)
    }
}

impl Field for Bytes {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let bytes = input.decoder.bytes()?;
        Ok(input.frame.slice_ref(bytes))
    }
}

impl Field for Vec<u8> {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(input.decoder.bytes()?.to_vec())
    }
}

impl Field for Zeroizing<Vec<u8>> {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(Self::new(input.decoder.bytes()?.to_vec()))
    }
}

impl Field for Plain {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.0.put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self)
    }
}

impl Field for String {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.str(self)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(input.decoder.str()?.to_owned())
    }
}

impl<T: Field> Field for Vec<T> {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.array(self.len() as u64)?;
        self.iter().try_for_each(|element| element.put(out))
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let count = input.decoder.array()?.filter(|count| *count <= MAX_LIST).ok_or(Malformed)?;
        // Grows as elements are read: a count is no reason to allocate.
        (0..count).map(|_| T::take(input)).collect::<Result<_, _>>()
    }
}

impl<T: Field> Field for Option<T> {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        match self {
            Some(value) => value.put(out),
            None => out.null()?.ok(),
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        if input.decoder.datatype()? == minicbor::data::Type::Null {
            input.decoder.null()?;
            return Ok(None);
        }
        T::take(input).map(Some)
    }
}

impl Field for Address {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for PayloadId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for DocumentId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for ItemId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(self.as_bytes())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::from_bytes(input.decoder.bytes()?).map_err(|_| Malformed)
    }
}

impl Field for GroupId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.0.put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self)
    }
}

impl Field for PrivacyFlag {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.u8(self.number())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let number = input.tag()?;
        let flag = Self::from_number(i64::from(number));
        if flag.number() == number { Ok(flag) } else { Err(Malformed) }
    }
}

impl Field for SealedHead {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        // A copy: a slice would keep the whole frame, ciphertext and all, as long as the head lives.
        Self::from_bytes(Bytes::copy_from_slice(input.decoder.bytes()?)).ok_or(Malformed)
    }
}

/// The system's number where there is one, else the text.
impl Field for io::Error {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        match self.raw_os_error() {
            Some(number) => out.i32(number)?.ok(),
            None => out.str(&self.to_string())?.ok(),
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        if input.decoder.datatype()? == minicbor::data::Type::String {
            return Ok(Self::other(input.decoder.str()?.to_owned()));
        }
        Ok(Self::from_raw_os_error(input.decoder.i32()?))
    }
}

record! { Affected { id, hash } }
