//! The content of a document, chunk by chunk (`docs/documents.md` section 3).
//!
//! A STREAM-like construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance", CRYPTO 2015): each chunk is bound to its document, its place and whether it is the last one.
//! Threat: who holds the file reorders chunks, cuts the end off, or puts in a chunk of another document. None of it opens.

use zeroize::Zeroizing;

use crate::crypto::aead::{self, NONCE, TAG};
use crate::crypto::secret::Secret;
use crate::crypto::{Broken, kdf};
use crate::types::DocumentId;

/// Bytes of a chunk in the clear; the last one may be shorter.
pub const CHUNK: usize = 1 << 20;
/// What sealing adds to a chunk: its nonce in front, its tag behind.
pub const OVERHEAD: usize = NONCE + TAG;
/// Bytes of a sealed chunk that is not the last.
pub const SEALED: usize = CHUNK + OVERHEAD;

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// Its number, from 0.
    pub index: u64,
    /// Whether it is the last one.
    pub last: bool,
}

/// How a document's bytes lie in chunks: the content, then zeros up to `padded`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    /// Bytes of the content and its padding; at least one.
    pub padded: u64,
}

impl Layout {
    /// How many chunks there are.
    pub const fn chunks(self) -> u64 {
        self.padded.div_ceil(CHUNK as u64)
    }

    /// The place of the chunk with this number; `None` if there is none.
    pub fn place(self, index: u64) -> Option<Place> {
        (index < self.chunks()).then(|| Place { index, last: index + 1 == self.chunks() })
    }

    /// Bytes of a chunk in the clear.
    pub fn plain_len(self, index: u64) -> usize {
        let from = index.saturating_mul(CHUNK as u64);
        usize::try_from(self.padded.saturating_sub(from)).unwrap_or(CHUNK).min(CHUNK)
    }

    /// Bytes of all sealed chunks.
    pub const fn sealed_len(self) -> u64 {
        self.padded + self.chunks() * OVERHEAD as u64
    }
}

/// Where a sealed chunk begins, in bytes.
pub const fn offset(index: u64) -> u64 {
    index * SEALED as u64
}

/// What seals the chunks of a document.
///
/// `HKDF[document id, "celosia document 1"](data key, 32)`. The data key itself seals the manifest (suite celosia-1), whose ciphertext
/// commits to it: all recipients have one key, so a chunk has one content.
pub struct ChunkKey(Secret<32>);

impl ChunkKey {
    /// Of a document's data key.
    pub fn of(document: &DocumentId, data_key: &Secret<32>) -> Self {
        Self(kdf::hkdf(document.as_bytes(), data_key.expose(), &[b"celosia document 1"]))
    }

    /// `nonce (24) ‖ XChaCha20-Poly1305 of the chunk ‖ tag (16)`. The nonce is random: a chunk that is sealed again after a crash has another.
    pub fn seal(&self, document: &DocumentId, place: Place, chunk: &[u8]) -> Vec<u8> {
        aead::seal(self.0.expose(), &aad(document, place), chunk)
    }

    /// Opens a chunk at the place that it was sealed for.
    pub fn open(&self, document: &DocumentId, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
        aead::open(self.0.expose(), &aad(document, place), sealed)
    }
}

/// `"celosia chunk 1" ‖ document id (32) ‖ index (8, big-endian) ‖ 1 if it is the last, else 0 (1)`.
fn aad(document: &DocumentId, place: Place) -> [u8; 56] {
    let mut aad = [0; 56];
    aad[..15].copy_from_slice(b"celosia chunk 1");
    aad[15..47].copy_from_slice(document.as_bytes());
    aad[47..55].copy_from_slice(&place.index.to_be_bytes());
    aad[55] = u8::from(place.last);
    aad
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: DocumentId = DocumentId::new([7; 32]);

    #[test]
    fn a_chunk_opens_at_its_place_and_nowhere_else() {
        let key = ChunkKey::of(&ID, &Secret::random());
        let place = Place { index: 3, last: false };
        let sealed = key.seal(&ID, place, b"chunk");
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(&*key.open(&ID, place, &sealed).expect("its place"), b"chunk");
        let other = DocumentId::new([8; 32]);
        for (document, place) in [(ID, Place { index: 2, last: false }), (ID, Place { index: 3, last: true }), (other, place)] {
            assert_eq!(key.open(&document, place, &sealed), Err(Broken), "{document} {place:?}");
        }
        assert_eq!(ChunkKey::of(&other, &Secret::random()).open(&ID, place, &sealed), Err(Broken));
        for cut in 0..sealed.len() {
            assert_eq!(key.open(&ID, place, &sealed[..cut]), Err(Broken));
        }
    }

    #[test]
    fn layouts_count_chunks_and_bytes() {
        let mib = CHUNK as u64;
        for (padded, chunks, last) in
            [(8, 1, 8), (mib, 1, CHUNK), (mib + 1, 2, 1), (3 * mib, 3, CHUNK), (5120 * mib, 5120, CHUNK)]
        {
            let layout = Layout { padded };
            assert_eq!((layout.chunks(), layout.plain_len(chunks - 1)), (chunks, last), "{padded}");
            assert_eq!(layout.sealed_len(), padded + chunks * 40);
            assert_eq!(layout.place(chunks - 1), Some(Place { index: chunks - 1, last: true }));
            assert_eq!(layout.place(chunks), None);
        }
        assert_eq!(Layout { padded: mib + 1 }.plain_len(0), CHUNK);
        assert_eq!(offset(2), 2 * (mib + 40));
    }
}
