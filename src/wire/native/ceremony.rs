use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};

use super::few;

/// Things of one page.
const PAGE: usize = 256;

/// Asks for what the caller does not know of officers' ceremonies.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct CeremoniesAfter {
    /// What the caller knows: `ceremony (32) ‖ fingerprint (32)` of each; equal where two know the same.
    #[n(0)]
    pub known: ByteVec,
    /// Where the last page ended; empty at the beginning.
    #[n(1)]
    pub after: ByteVec,
}

/// A page of plans and messages.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct CeremonyPage {
    /// Each a [`crate::ceremony::Carried`].
    #[cbor(n(0), decode_with = "few::<PAGE, _, _>")]
    pub items: Vec<ByteVec>,
    /// Where the next page begins; empty at the end.
    #[n(1)]
    pub next: ByteVec,
}
