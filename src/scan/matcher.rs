use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};

use super::encode::{Encoding, forms};
use super::{Needles, ScanError, What};

/// Last bytes of an id that are looked for.
pub(super) const ID_TAIL: usize = 48;
/// What is looked at behind an id: the trailer of a key or a length, then a row.
const ROW: usize = 8 + 8 + 8 + 24 + 1;
/// Patterns for which the fastest automaton is not too large.
const FEW: usize = 2_000;

/// Something that was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hit {
    /// Where it begins, in bytes from the start.
    pub offset: u64,
    /// What it is a piece of.
    pub what: What,
    /// How it is written.
    pub encoding: Encoding,
}

/// All needles in all encodings, as one automaton.
pub struct Matcher {
    automaton: AhoCorasick,
    meanings: Vec<(What, Encoding)>,
    /// Bytes that two neighbouring blocks must share.
    overlap: usize,
}

impl Matcher {
    /// Takes the needles in: up to a few dozen MiB of memory.
    pub fn new(needles: &Needles) -> Result<Self, ScanError> {
        needles.check()?;
        let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
        for (what, bytes) in needles.iter() {
            for (encoding, form) in forms(bytes) {
                // Of an id, only the row behind it matters, and rows are raw.
                if what != What::IndexRow || encoding == Encoding::Raw {
                    patterns.push(form);
                    meanings.push((what, encoding));
                }
            }
        }
        let overlap = patterns.iter().map(|pattern| pattern.len()).max().unwrap_or(0) + ROW;
        let kind = if patterns.len() <= FEW { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let automaton = AhoCorasick::builder().kind(Some(kind)).build(patterns.iter().map(|pattern| pattern.as_slice()));
        Ok(Self { automaton: automaton.map_err(|_| ScanError::TooMany)?, meanings, overlap })
    }

    /// Begins a haystack.
    pub fn stream(&self) -> Stream<'_> {
        Stream { matcher: self, tail: Vec::new(), tail_at: 0, told_to: 0 }
    }
}

/// One haystack that comes in blocks of any size.
pub struct Stream<'a> {
    matcher: &'a Matcher,
    /// The end of what came, which a match may begin in.
    tail: Vec<u8>,
    /// Where it begins.
    tail_at: u64,
    /// What ends here or before was told.
    told_to: u64,
}

impl Stream<'_> {
    /// The next block.
    pub fn push(&mut self, block: &[u8], see: &mut dyn FnMut(Hit)) {
        self.tail.extend_from_slice(block);
        let sure = self.tail.len().saturating_sub(ROW);
        self.look(sure, see);
        let keep = self.matcher.overlap.min(self.tail.len());
        let gone = self.tail.len() - keep;
        self.tail.drain(..gone);
        self.tail_at += gone as u64;
    }

    /// A hole of that many zeros: nothing that is looked for lies in one, or across it.
    pub fn skip(&mut self, zeros: u64, see: &mut dyn FnMut(Hit)) {
        if zeros <= self.matcher.overlap as u64 {
            // A few are cheaper to look at; no hole is so small.
            self.push(&vec![0; usize::try_from(zeros).unwrap_or(0)], see);
            return;
        }
        self.finish(see);
        self.tail_at += self.tail.len() as u64 + zeros;
        self.tail.clear();
    }

    /// The end.
    pub fn finish(&mut self, see: &mut dyn FnMut(Hit)) {
        self.look(self.tail.len(), see);
    }

    /// Tells what ends within the first `until` bytes and was not told yet.
    fn look(&mut self, until: usize, see: &mut dyn FnMut(Hit)) {
        let told = usize::try_from(self.told_to.saturating_sub(self.tail_at)).unwrap_or(usize::MAX);
        for found in self.matcher.automaton.find_iter(Input::new(&self.tail)) {
            let (what, encoding) = self.matcher.meanings[found.pattern().as_usize()];
            let is_row = || is_index_row(&self.tail[found.end()..]);
            if found.end() > told && found.end() <= until && (what != What::IndexRow || is_row()) {
                see(Hit { offset: self.tail_at + found.start() as u64, what, encoding });
            }
        }
        self.told_to = self.told_to.max(self.tail_at + until as u64);
    }
}

/// Whether an index row follows its id: `number (8) ‖ time (8) ‖ nonce (24) ‖ version of the head (1)`, after the trailer of a key in a data
/// file (8) or a length in a log (1 or 2). A tombstone has the same id, and begins with a time.
fn is_index_row(behind: &[u8]) -> bool {
    [8, 2, 1].into_iter().any(|skipped| {
        let Some(row) = behind.get(skipped..skipped + ROW - 8) else { return false };
        row[..3] == [0, 0, 0] && row[8..10] == [0, 0] && row[10] != 0 && row[40] == 1
    })
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({} patterns)", self.meanings.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::PayloadId;

    const SECRET: &[u8] = b"the key that must be gone, all of it";

    fn needles() -> Needles {
        let mut needles = Needles::default();
        needles.add(What::DataKey, &SECRET[..24]);
        needles
    }

    fn hits(matcher: &Matcher, haystack: &[u8], block: usize) -> Vec<Hit> {
        let (mut stream, mut hits) = (matcher.stream(), Vec::new());
        haystack.chunks(block.max(1)).for_each(|part| stream.push(part, &mut |hit| hits.push(hit)));
        stream.finish(&mut |hit| hits.push(hit));
        hits
    }

    proptest! {
        #[test]
        fn blocks_of_any_size_show_the_same(places in prop::collection::vec(0_usize..2000, 0..6), block in 1_usize..700) {
            let mut haystack = vec![b'.'; 3000];
            for place in &places {
                haystack[*place..place + SECRET.len()].copy_from_slice(SECRET);
            }
            let matcher = Matcher::new(&needles()).unwrap();
            let whole = hits(&matcher, &haystack, 3000);
            prop_assert_eq!(whole.is_empty(), places.is_empty());
            prop_assert_eq!(hits(&matcher, &haystack, block), whole);
        }
    }

    #[test]
    fn offsets_go_on_behind_a_hole_and_each_hit_is_told_once() {
        let matcher = Matcher::new(&needles()).unwrap();
        let (mut stream, mut hits) = (matcher.stream(), Vec::new());
        stream.push(&[b"..", SECRET].concat(), &mut |hit| hits.push(hit));
        stream.skip(5_000_000_000, &mut |hit| hits.push(hit));
        stream.push(&[b"..", SECRET].concat(), &mut |hit| hits.push(hit));
        stream.skip(3, &mut |hit| hits.push(hit));
        stream.finish(&mut |hit| hits.push(hit));
        let offsets: Vec<u64> = hits.iter().map(|hit| hit.offset).collect();
        assert_eq!(offsets, [2, 5_000_000_000 + SECRET.len() as u64 + 4]);
    }

    #[test]
    fn an_index_row_is_told_from_a_tombstone() {
        let id = PayloadId::new(std::array::from_fn(|at| u8::try_from(at).expect("64") ^ 0x5a));
        let mut needles = Needles::default();
        needles.add_index_row(&id);
        let matcher = Matcher::new(&needles).unwrap();
        let time = 1_790_000_000_000_u64.to_be_bytes();
        let row = [&[0, 0, 0, 0, 0, 0, 1, 2][..], &time, &[9; 24], &[1], &[7; 60]].concat();
        let tombstone = [&time[..], &[0, 0, 0, 1, 0, 0, 0, 9], &[0; 60]].concat();
        for (behind, expected) in [
            ([&[1, 9, 9, 0, 0, 0, 0, 0][..], &row].concat(), 1),
            ([&[0x91, 0x01][..], &row].concat(), 1),
            ([&[1, 9, 9, 0, 0, 0, 0, 0][..], &tombstone].concat(), 0),
            ([&[16][..], &tombstone].concat(), 0),
            (vec![], 0),
        ] {
            let haystack = [&id.as_bytes()[3..], &behind].concat();
            for block in [1, 50, 1000] {
                assert_eq!(hits(&matcher, &haystack, block).len(), expected, "{block}");
            }
        }
    }
}
