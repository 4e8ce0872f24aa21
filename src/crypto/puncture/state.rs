//! The two forms of a tree's state, big-endian where nothing else is said.

use std::collections::BTreeMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::DEPTH;
use super::cover::{Cover, LEAVES, Subtree, span};
use super::scheme::{First, Second};
use crate::crypto::secret::Secret;

/// Bytes of one subtree of the first version: depth, first leaf, seed.
const ENTRY: usize = 1 + 4 + 32;
/// What stands before the runs in the second: the tree's key, how many runs.
const HEAD: usize = 32 + 4;
/// Longest number of a run: 35 bits, of which 34 are used.
const LONGEST: usize = 5;

pub(super) fn first_len(cover: &Cover<First, 32>) -> usize {
    4 + cover.subtrees.len() * ENTRY
}

/// `count (4) ‖ count × (depth (1) ‖ first leaf (4) ‖ seed (32))`, by first leaf.
pub(super) fn encode_first(cover: &Cover<First, 32>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(first_len(cover)));
    out.extend_from_slice(&count(cover.subtrees.len()));
    for (first, subtree) in &cover.subtrees {
        out.push(subtree.depth);
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(subtree.seed.expose());
    }
    out
}

/// Ordered, disjoint, aligned; `None` for anything else.
pub(super) fn decode_first(bytes: &[u8]) -> Option<Cover<First, 32>> {
    let (count, entries) = bytes.split_first_chunk::<4>()?;
    let (chunks, rest) = entries.as_chunks::<ENTRY>();
    if !rest.is_empty() || usize::try_from(u32::from_be_bytes(*count)).ok()? != chunks.len() {
        return None;
    }
    let mut subtrees = BTreeMap::new();
    let mut next = 0_u64;
    for chunk in chunks {
        let depth = chunk[0];
        let first = u32::from_be_bytes([chunk[1], chunk[2], chunk[3], chunk[4]]);
        if depth > DEPTH || first & span(depth) != 0 || u64::from(first) < next {
            return None;
        }
        let subtree = Subtree { depth, seed: Secret::from_slice(&chunk[5..])? };
        next = u64::from(subtree.last(first)) + 1;
        subtrees.insert(first, subtree);
    }
    Some(Cover::new(First, subtrees))
}

pub(super) fn second_len(cover: &Cover<Second, 16>) -> usize {
    HEAD + encode_runs(&cover.runs()).len() + cover.subtrees.len() * 16
}

/// `tree key (32) ‖ count of runs (4) ‖ runs ‖ seeds (16 each)`: the runs of punctured leaves say which subtrees there are, so that no seed
/// says where it belongs.
pub(super) fn encode_second(cover: &Cover<Second, 16>) -> Zeroizing<Vec<u8>> {
    let runs = cover.runs();
    let places = encode_runs(&runs);
    // As long as it becomes: a vector that grows leaves copies of seeds behind.
    let mut out = Zeroizing::new(Vec::with_capacity(HEAD + places.len() + cover.subtrees.len() * 16));
    out.extend_from_slice(cover.scheme.key.expose());
    out.extend_from_slice(&count(runs.len()));
    out.extend_from_slice(&places);
    cover.subtrees.values().for_each(|subtree| out.extend_from_slice(subtree.seed.expose()));
    out
}

/// Runs in order that do not touch, numbers in their shortest form, as many seeds as there are subtrees; `None` for anything else.
pub(super) fn decode_second(bytes: &[u8]) -> Option<Cover<Second, 16>> {
    let (key, rest) = bytes.split_first_chunk::<32>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut live = Vec::new();
    let mut next = 0;
    for nth in 0..u32::from_be_bytes(*count) {
        let run = decode_run(&mut rest, next, nth == 0)?;
        live.push(next..run.start);
        next = run.end;
    }
    live.push(next..LEAVES);
    let (seeds, rest) = rest.as_chunks::<16>();
    let mut seeds = seeds.iter();
    let subtrees = live.into_iter().flat_map(cut).map(|(first, depth)| {
        let seed = Secret::from_slice(seeds.next()?)?;
        Some((first, Subtree { depth, seed }))
    });
    let subtrees = subtrees.collect::<Option<BTreeMap<_, _>>>()?;
    let nothing_left = rest.is_empty() && seeds.next().is_none();
    nothing_left.then(|| Cover::new(Second::new(Secret::init_with(|own| own.copy_from_slice(key))), subtrees))
}

/// Each run: how many live leaves stand before it, doubled, plus one if it has more than one leaf; then how many more than two.
fn encode_runs(runs: &[Range<u64>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(runs.len() * 2);
    let mut next = 0;
    for run in runs {
        let (gap, length) = (run.start - next, run.end - run.start);
        number(&mut out, gap << 1 | u64::from(length > 1));
        if length > 1 {
            number(&mut out, length - 2);
        }
        next = run.end;
    }
    out
}

fn decode_run(bytes: &mut &[u8], next: u64, is_first: bool) -> Option<Range<u64>> {
    let word = take_number(bytes)?;
    let gap = word >> 1;
    let length = if word & 1 == 1 { take_number(bytes)? + 2 } else { 1 };
    let start = next + gap;
    let end = start + length;
    // Runs that touch would be one run: a state has one encoding only.
    ((gap > 0 || is_first) && end <= LEAVES).then_some(start..end)
}

/// LEB128: seven bits a byte, the least significant first, the top bit set on all but the last.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in 0..LONGEST {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (*byte != 0 || at == 0).then_some(value);
        }
    }
    None
}

/// The largest subtrees that make up a range of leaves, in order: first leaf and depth.
fn cut(range: Range<u64>) -> impl Iterator<Item = (u32, u8)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let left = range.end.checked_sub(at).filter(|left| *left > 0)?;
        let level = at.trailing_zeros().min(left.ilog2()).min(u32::from(DEPTH));
        let first = u32::try_from(at).ok()?;
        at += 1 << level;
        Some((first, DEPTH - u8::try_from(level).ok()?))
    })
}

fn count(entries: usize) -> [u8; 4] {
    u32::try_from(entries).unwrap_or(u32::MAX).to_be_bytes()
}
