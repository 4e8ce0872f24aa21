//! Who of the governors signed a note.

use super::Governor;
use crate::translog::note::{Note, NoteSignature, key_id};

/// Signature type of Ed25519 in a signed note.
const ED25519: u8 = 0x01;
/// Lines tried for each governor. Threat: a long text with a thousand lines of one name, each a verification.
const TRIES: usize = 2;
/// Most names told of signers that do not count, and letters of each.
const TOLD: usize = 8;

/// The lines that verify.
#[derive(Debug)]
pub(super) struct Signers<'a> {
    governors: &'a [Governor],
    lines: Vec<Option<&'a NoteSignature>>,
}

impl<'a> Signers<'a> {
    /// Verifies the signatures of these governors.
    pub(super) fn of(note: &'a Note, governors: &'a [Governor]) -> Self {
        let lines = governors.iter().map(|governor| line(note, governor)).collect();
        Self { governors, lines }
    }

    /// How many of them signed.
    pub(super) fn count(&self) -> u64 {
        self.lines.iter().flatten().count() as u64
    }

    /// The lines that verify, by governor.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a NoteSignature> {
        self.lines.iter().copied().flatten()
    }

    /// Names on the note that count for nothing here.
    pub(super) fn ignored(&self, note: &Note) -> Vec<String> {
        let counts = |line: &NoteSignature| {
            self.governors.iter().zip(&self.lines).any(|(governor, valid)| valid.is_some() && governor.name() == line.name)
        };
        let ignored = note.signatures().iter().filter(|line| !counts(line));
        ignored.take(TOLD).map(|line| line.name.chars().take(Governor::MAX_NAME).collect()).collect()
    }
}

fn line<'a>(note: &'a Note, governor: &Governor) -> Option<&'a NoteSignature> {
    let id = key_id(governor.name(), ED25519, governor.key().as_bytes());
    let of_governor = |line: &&NoteSignature| line.key_id == id && line.name == governor.name();
    let mut lines = note.signatures().iter().filter(of_governor).take(TRIES);
    lines.find(|line| governor.key().verify(note.text().as_bytes(), &line.bytes).is_ok())
}

/// The text with these lines alone.
pub(super) fn with_lines<'a>(note: &Note, lines: impl Iterator<Item = &'a NoteSignature>) -> Note {
    // The text was a note's before.
    let mut kept = Note::new(note.text().to_owned()).unwrap_or_else(|_| note.clone());
    lines.for_each(|line| kept.add(line.clone()));
    kept
}
