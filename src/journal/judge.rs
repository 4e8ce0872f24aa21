use super::{JournalError, Log};
use crate::translog::checkpoint::Checkpoint;
use crate::translog::note::{Note, NoteKey};

/// What a checkpoint of ours, shown by a witness, says of our log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Our log goes on from it.
    Fine,
    /// The witness has seen more of our log than we have: this node was put back.
    Behind {
        /// Entries of our log.
        ours: u64,
        /// Entries that the witness has seen.
        theirs: u64,
    },
    /// We signed another history.
    Forked {
        /// Entries of the checkpoint that does not fit.
        size: u64,
    },
    /// The log is as it should be, but the key trees were put back.
    KeysBehind {
        /// Punctures of the trees here.
        ours: u64,
        /// Punctures that the witness has seen published.
        theirs: u64,
    },
}

impl Verdict {
    /// The error with which a node refuses to serve.
    pub fn refuse(self) -> Result<(), JournalError> {
        match self {
            Self::Fine => Ok(()),
            Self::Behind { ours, theirs } => Err(JournalError::Behind { ours, theirs }),
            Self::Forked { size } => {
                Err(JournalError::Forked(format!("a witness has cosigned another history of our first {size} entries")))
            }
            Self::KeysBehind { ours, theirs } => Err(JournalError::KeysOlder { ours, published: theirs }),
        }
    }
}

/// Judges our log by a checkpoint of ours that somebody shows us. `ours` is our newest, `keys` the punctures of our key trees.
///
/// Threat: a snapshot puts back the whole machine, and nothing on it knows. The witnesses do. And a liar stops a node with a checkpoint that
/// it never made: so the signature must be ours, else it is [`JournalError::Checkpoint`], which is no reason to stop.
pub fn judge(
    key: &NoteKey,
    ours: Option<&Checkpoint>,
    keys: Option<u64>,
    log: &Log,
    shown: &Note,
) -> Result<Verdict, JournalError> {
    let theirs = Checkpoint::open(shown, key).map_err(JournalError::Checkpoint)?;
    let size = ours.map_or(0, |ours| ours.size);
    if theirs.size > size {
        return Ok(Verdict::Behind { ours: size, theirs: theirs.size });
    }
    if log.root(theirs.size, size)? != theirs.root {
        return Ok(Verdict::Forked { size: theirs.size });
    }
    match (keys, theirs.keys) {
        (Some(ours), Some(theirs)) if ours < theirs => Ok(Verdict::KeysBehind { ours, theirs }),
        _ => Ok(Verdict::Fine),
    }
}
