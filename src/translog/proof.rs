//! Inclusion proofs as files (C2SP tlog-proof): an index, the path to the root, and the checkpoint with its signatures.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::hash::{self, Hash};
use super::note::{MAX_NOTE, Note, NoteKey};
use super::tree::{self, MAX_PROOF, TreeError};

/// First line of a proof.
const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// That an entry is in a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// Bytes of the application, not authenticated.
    pub extra: Option<Vec<u8>>,
    /// Which entry, from 0.
    pub index: u64,
    /// From the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The checkpoint, with cosignatures where there are.
    pub checkpoint: Note,
}

/// Why a proof is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// Its checkpoint.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Not in the form of a proof.
    #[error("not a tlog-proof: {0}")]
    Form(&'static str),
    /// It does not lead to the root of its checkpoint.
    #[error("the entry is not in the log at this place: {0}")]
    Tree(#[from] TreeError),
}

impl Proof {
    /// Whether `entry` is in the log of this key, at the place that the proof names. Answers the checkpoint.
    pub fn verify(&self, key: &NoteKey, entry: &[u8]) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        tree::verify_inclusion(&hash::leaf(entry), self.index, checkpoint.size, &checkpoint.root, &self.path)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.extra.iter().try_for_each(|extra| writeln!(f, "extra {}", BASE64.encode(extra)))?;
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash::to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        if text.len() > MAX_NOTE {
            return Err(ProofError::Form("it is too long"));
        }
        let (proof, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form("it has no checkpoint"))?;
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(HEAD) {
            return Err(ProofError::Form("its first line is another"));
        }
        let extra = lines.peek().and_then(|line| line.strip_prefix("extra ")).map(|extra| crate::types::base64(extra.as_bytes()));
        let extra = extra.transpose().map_err(|_| ProofError::Form("its extra line is not base64"))?;
        if extra.is_some() {
            lines.next();
        }
        let index = lines.next().and_then(|line| hash::number(line.strip_prefix("index ")?));
        let index = index.ok_or(ProofError::Form("it has no index line"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PROOF {
                return Err(ProofError::Form("it has too many hashes"));
            }
            path.push(hash::from_base64(line).ok_or(ProofError::Form("a line is no hash"))?);
        }
        let checkpoint = Note::parse(checkpoint).map_err(CheckpointError::Note)?;
        Ok(Self { extra, index, path, checkpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    /// The example of the specification, whose lines are cut short there and made whole here.
    #[test]
    fn the_form_is_that_of_the_specification() {
        let (hash, line) = ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", "\u{2014} example.com/fancylog hI2DJ1roloI=");
        let text = format!(
            "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n{hash}\n{hash}\n\nexample.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n{line}\n"
        );
        let proof: Proof = text.parse().expect("a proof");
        assert_eq!((proof.index, proof.path.len(), proof.extra.as_deref()), (73_894, 2, Some(&b"age"[..])));
        assert_eq!(proof.to_string(), text);
        for (from, to, why) in [
            ("proof@v1", "proof@v2", "its first line is another"),
            ("extra YWdl", "extra YWd", "its extra line is not base64"),
            ("index 73894", "index 073894", "it has no index line"),
            ("index 73894\n", "", "it has no index line"),
            (hash, "gSKyXoYZ", "a line is no hash"),
        ] {
            assert_eq!(text.replace(from, to).parse::<Proof>(), Err(ProofError::Form(why)), "{to}");
        }
        let long = text.replacen(hash, &[hash; 64].join("\n"), 1);
        assert_eq!(long.parse::<Proof>(), Err(ProofError::Form("it has too many hashes")));
    }

    #[test]
    fn it_proves_one_entry_at_one_place() {
        let key = SigningKey::from_seed(&Secret::random());
        let known = NoteKey { name: "a log".replace(' ', "-"), key: key.verify_key() };
        let leaves: Vec<Hash> = (0..5_u8).map(|n| hash::leaf(&[n])).collect();
        let checkpoint =
            Checkpoint { origin: known.name.clone(), size: 5, root: hash::fold(&leaves), keys: None, extensions: Vec::new() };
        let mut note = Note::new(checkpoint.to_string()).expect("a text");
        note.sign(&known.name, &key);
        let path = vec![leaves[3], hash::fold(&leaves[..2]), leaves[4]];
        let proof = Proof { extra: None, index: 2, path, checkpoint: note };
        assert_eq!(proof.verify(&known, &[2]), Ok(checkpoint));
        assert_eq!(proof.verify(&known, &[3]), Err(ProofError::Tree(TreeError::Root)));
        let other = Proof { index: 5, ..proof.clone() };
        assert_eq!(other.verify(&known, &[2]), Err(ProofError::Tree(TreeError::NoLeaf { index: 5, size: 5 })));
        let short = Proof { path: proof.path[..2].to_vec(), ..proof };
        assert_eq!(short.verify(&known, &[2]), Err(ProofError::Tree(TreeError::Length)));
    }
}
