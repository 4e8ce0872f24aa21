//! How the root of the key trees is told, and what goes wrong with it.

use minicbor::Encoder;
use minicbor::encode::Write;

use super::field::{Field, Input, Malformed, Put, message, record};
use crate::shred::{Destroyed, RootError, RootKind, RootStatus, Rotation};

impl Field for RootKind {
    fn put<W: Write>(&self, out: &mut Encoder<W>) -> Put<W> {
        out.str(self.name())?.ok()
    }

    fn take(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.decoder.str()?.parse().map_err(|_| Malformed)
    }
}

message! { RootError {
    0 Unreachable(place place, why why),
    1 Sealed(place place),
    2 Denied(place place, why why),
    3 KeyMissing(place place, why why),
    4 Unfit(place place, why why),
    5 NoToken(place place, why why),
    6 Failed(place place, why why),
    7 OtherKind(kind kind, path path),
} }

record! { Destroyed { generation, word } }
record! { RootStatus { kind, place, generation, oldest, trees, punctured, state_bytes, since, rotated_at, last } }
record! { Rotation { from, to, started_at, finished_at, trees, destroyed } }
