//! How what belongs to the suite celosia-1 crosses.

use minicbor::Encoder;
use minicbor::encode::Write;

use super::field::{Field, Input, Malformed, Put, message, record};
use crate::crypto::hpke::BoxKey;
use crate::crypto::padme::Padding;
use crate::crypto::sign::VerifyKey;
use crate::crypto::threshold::{Capsule, GroupKey};
use crate::enclave::{EscrowTerms, IndexKey, NativeDraft, NativeIngest, NativeMeta, NativeSealed, NativeTarget};
use crate::seal::celosia1::Refused;
use crate::seal::escrow::{EscrowKey, Escrowed, Label};
use crate::types::{Class, MemberId, NetworkId};
use crate::wire::{Delivery, EpochKey, Opening, Proofs};

impl Field for Class {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.u8(self.number())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::from_number(input.tag()?).ok_or(Malformed)
    }
}

impl Field for IndexKey {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        let number = match self {
            Self::Bucket(number) => u16::from(*number),
            Self::Buckets => 256,
            Self::Words => 257,
        };
        out.u16(number)?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        match input.decoder.u16()? {
            256 => Ok(Self::Buckets),
            257 => Ok(Self::Words),
            number => u8::try_from(number).map(Self::Bucket).map_err(|_| Malformed),
        }
    }
}

impl Field for Padding {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.u8(self.number())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::from_number(input.tag()?).ok_or(Malformed)
    }
}

impl Field for MemberId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.str(self.as_str())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.decoder.str()?.parse().map_err(|_| Malformed)
    }
}

impl Field for NetworkId {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for VerifyKey {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for BoxKey {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Field::take(input).map(Self::new)
    }
}

impl Field for GroupKey {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.as_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::from_bytes(Field::take(input)?).map_err(|_| Malformed)
    }
}

impl Field for Capsule {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.to_bytes().put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::try_from(input.decoder.bytes()?).map_err(|_| Malformed)
    }
}

impl Field for Label {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.bytes(&self.encode())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Self::decode(input.decoder.bytes()?).map_err(|_| Malformed)
    }
}

impl<T: Field> Field for Box<T> {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        (**self).put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        T::take(input).map(Self::new)
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        self.0.put(out)?;
        self.1.put(out)
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok((A::take(input)?, B::take(input)?))
    }
}

message! { Proofs {
    0 Sent(seed seed, recipients recipients),
    1 Received(0 openings),
} }

message! { NativeIngest {
    0 Mine(id id, head head, meta meta),
    1 UnknownEpoch(),
} }

message! { Refused {
    0 Audience(),
    1 Box(),
    2 Ciphertext(),
    3 Commitment(),
    4 Day(),
    5 EpochDay(),
    6 EpochKey(),
    7 Header(),
    8 Id(),
    9 Network(),
    10 NotNative(),
    11 NotAddressed(),
    12 Padding(),
    13 Rules(),
    14 Sender(),
    15 Signature(),
    16 Suite(),
    17 TooMany(),
    55 Capsule(),
    56 CapsuleEpoch(),
    57 CapsuleForm(),
    58 Sigma(),
} }

record! { Delivery { member, from, day, to, box_nonce, sealed, nonce, ciphertext } }
record! { EscrowKey { epoch, key } }
record! { Escrowed { label, capsule } }
record! { EscrowTerms { key, policy, class, member } }
record! { EpochKey { network, member, day, public, signature } }
record! { NativeDraft { plaintext, sender, policy, class, padding, privacy, recipients, affected, targets, escrow } }
record! { NativeMeta { network, header, signature, policy, class, time, member, proofs } }
record! { NativeSealed { id, nonce, ciphertext, head, header, deliveries } }
record! { NativeTarget { member, epoch, shown } }
record! { Opening { address, salt, index, path } }
