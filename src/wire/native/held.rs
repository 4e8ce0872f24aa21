use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};

/// A supervisor that is asked to forget a payload tells a recipient that it no longer stands by its word, and asks whether that has it.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct HeldAsked {
    /// Which payload, 64 bytes.
    #[n(0)]
    pub id: ByteVec,
    /// SHA-256 of its header.
    #[n(1)]
    pub header: ByteVec,
}

/// Whether it is there. If not, it is not taken on that word any more.
#[derive(Clone, Copy, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct HeldSaid {
    /// Under that header.
    #[n(0)]
    pub held: bool,
}
