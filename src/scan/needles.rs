use std::fmt;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{ScanError, What};
use crate::types::{ItemId, PayloadId};

/// Bytes of one needle: no two are equal by chance, and several lie between the marks that a log writes into a long row.
pub const WINDOW: usize = 24;
/// Windows that are taken of one thing, spread over it.
const WINDOWS: usize = 16;
/// Fewer bytes would be found everywhere.
pub(super) const SHORTEST: usize = 8;
/// Different bytes that a needle has at least: a run of zeros is in every file.
const DIFFERENT: usize = 4;
/// Needles of one search: what the automaton holds in a few dozen MiB.
const MOST: usize = 512;
/// Bytes of a needle in a file.
const LONGEST: usize = 256;

/// What is searched for. Holds keys in the clear: it is wiped, and never printed.
#[derive(Default)]
pub struct Needles(Vec<(What, Zeroizing<Vec<u8>>)>);

/// The file of `--save`, JSON.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    celosia_needles: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<ItemId>,
    needles: Vec<Line>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line {
    what: String,
    bytes: String,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Needles {
    /// Adds windows of something: all of it where it is short, up to 16 spread over it where it is long. What would be found everywhere is
    /// left out. Number of windows.
    pub fn add(&mut self, what: What, bytes: &[u8]) -> usize {
        let last = bytes.len().saturating_sub(WINDOW);
        let count = (last / WINDOW + 1).min(WINDOWS);
        let before = self.0.len();
        for at in 0..count {
            let start = if count == 1 { 0 } else { last * at / (count - 1) };
            let window = &bytes[start..(start + WINDOW).min(bytes.len())];
            if is_telling(window) && !self.0.iter().any(|(_, known)| known.as_slice() == window) {
                self.0.push((what, Zeroizing::new(window.to_vec())));
            }
        }
        self.0.len() - before
    }

    /// Adds something as one piece, or its first 256 bytes: text whose pieces are in other texts, too. Whether it tells anything.
    pub fn add_whole(&mut self, what: What, bytes: &[u8]) -> bool {
        let piece = &bytes[..bytes.len().min(LONGEST)];
        let telling = is_telling(piece);
        if telling {
            self.0.push((what, Zeroizing::new(piece.to_vec())));
        }
        telling
    }

    /// Adds the id of an item, as its index row in a store's files begins: see [`What::IndexRow`].
    pub fn add_index_row(&mut self, id: &PayloadId) {
        // Files of a store leave out what a key has in common with the one before it: some first bytes.
        self.0.push((What::IndexRow, Zeroizing::new(id.as_bytes()[64 - super::matcher::ID_TAIL..].to_vec())));
    }

    /// Adds what another has.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is searched for, and in how many windows.
    pub fn parts(&self) -> Vec<(What, usize)> {
        let parts = What::ALL.into_iter().map(|what| (what, self.0.iter().filter(|(known, _)| *known == what).count()));
        parts.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (What, &[u8])> {
        self.0.iter().map(|(what, bytes)| (*what, bytes.as_slice()))
    }

    pub(super) fn check(&self) -> Result<(), ScanError> {
        match self.0.len() {
            0 => Err(ScanError::NoNeedles),
            1..=MOST => Ok(()),
            _ => Err(ScanError::TooMany),
        }
    }

    /// The file that `--save` writes. It opens the item: for a 0600 file alone.
    pub fn encode(&self, item: Option<ItemId>) -> Zeroizing<String> {
        let line =
            |(what, bytes): &(What, Zeroizing<Vec<u8>>)| Line { what: what.name().to_owned(), bytes: BASE64.encode(bytes) };
        let file = File { celosia_needles: 1, item, needles: self.0.iter().map(line).collect() };
        // Only strings and numbers: it cannot fail.
        Zeroizing::new(serde_json::to_string_pretty(&file).unwrap_or_default())
    }

    /// Reads such a file: at most 512 needles of 8 to 256 bytes.
    pub fn decode(text: &[u8]) -> Result<(Self, Option<ItemId>), ScanError> {
        let file: File = serde_json::from_slice(text).map_err(|_| ScanError::NotNeedles)?;
        if file.celosia_needles != 1 || file.needles.len() > MOST {
            return Err(ScanError::NotNeedles);
        }
        let mut needles = Self::default();
        for line in &file.needles {
            let what = What::named(&line.what).ok_or(ScanError::NotNeedles)?;
            let bytes = Zeroizing::new(crate::types::base64(line.bytes.as_bytes()).map_err(|_| ScanError::NotNeedles)?);
            if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
                return Err(ScanError::NotNeedles);
            }
            needles.0.push((what, bytes));
        }
        Ok((needles, file.item))
    }
}

impl fmt::Debug for Needles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Needles({:?})", self.parts())
    }
}

fn is_telling(window: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in window {
        seen[usize::from(*byte)] = true;
    }
    window.len() >= SHORTEST && seen.into_iter().filter(|seen| *seen).count() >= DIFFERENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_from_the_first_byte_to_the_last_and_telling_ones_alone_count() {
        let mut needles = Needles::default();
        let long: Vec<u8> = (0..10_000_u32).flat_map(u32::to_be_bytes).collect();
        assert_eq!(needles.add(What::Ciphertext, &long), 16);
        let windows: Vec<_> = needles.iter().map(|(_, bytes)| bytes.to_vec()).collect();
        assert_eq!((&windows[0][..], &windows[15][..]), (&long[..WINDOW], &long[long.len() - WINDOW..]));
        assert_eq!(needles.add(What::DataKey, b"12345678"), 1);
        assert_eq!(needles.add(What::DataKey, b"1234567") + needles.add(What::Plaintext, &[0; 500]), 0);
        assert_eq!(needles.add(What::LeafKey, &long[5000..5032]), 1, "32 bytes are one window, and it is the first 24");
        assert_eq!(needles.parts(), [(What::Ciphertext, 16), (What::DataKey, 1), (What::LeafKey, 1)]);
    }

    #[test]
    fn a_file_comes_back_and_others_are_refused() {
        let mut needles = Needles::default();
        needles.add(What::DataKey, b"0123456789abcdef0123456789ABCDEF");
        let id = PayloadId::new([7; 64]);
        needles.add_index_row(&id);
        let id = ItemId::Payload(id);
        let text = needles.encode(Some(id));
        let (again, item) = Needles::decode(text.as_bytes()).expect("reads");
        assert_eq!((again.iter().collect::<Vec<_>>(), item), (needles.iter().collect(), Some(id)));
        for wrong in ["", "{}", r#"{"celosia_needles":2,"needles":[]}"#, &text.replace("data key", "key"), &text[1..]] {
            assert_eq!(Needles::decode(wrong.as_bytes()).err(), Some(ScanError::NotNeedles), "{wrong}");
        }
        assert!(!format!("{needles:?}").contains("0123"), "never printed");
    }
}
