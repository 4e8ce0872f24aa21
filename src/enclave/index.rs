/// A key of the blind index of data subjects (`docs/rights.md`). It never leaves the enclave.
///
/// Threat: whoever has the store and its key folder tries every name of a town register against the index. So a subject's token is made with
/// the key of its bucket, which is destroyed, and replaced, when an item of the bucket is erased.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IndexKey {
    /// Says in which bucket a subject lies. It stays: of a name it tells one byte, which one name of 256 shares.
    Buckets,
    /// Of purposes and contracts, which are nobody's names. It stays.
    Words,
    /// Of the subjects of one bucket.
    Bucket(u8),
}

impl IndexKey {
    /// The associated data of its head: no key is taken for another, nor for a payload's (64 bytes of its id).
    pub(super) fn aad(self) -> Vec<u8> {
        let label: &[u8] = match self {
            Self::Buckets => &[0],
            Self::Words => &[1],
            Self::Bucket(number) => &[2, number],
        };
        [b"celosia index 1\0", label].concat()
    }
}
