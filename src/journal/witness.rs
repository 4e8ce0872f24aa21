use std::path::Path;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use tokio::sync::Mutex;

use super::disk::{self, Disk, blocking};
use super::{JournalError, Signer};
use crate::crypto::hash::sha256;
use crate::translog::checkpoint::{Checkpoint, CheckpointError};
use crate::translog::cosignature;
use crate::translog::hash::{self, Hash};
use crate::translog::note::{Note, NoteKey, NoteSignature};
use crate::translog::tree::{self, TreeError};
use crate::types::{Code, Coded};

/// Why a checkpoint is not cosigned. The status is the one of C2SP tlog-witness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// 422. The tree is not shown to go on from the one that we cosigned.
    #[error("the proof does not lead from the {have} entries that were cosigned: {why}")]
    BadProof {
        /// Entries that we cosigned.
        have: u64,
        /// What is wrong with the proof.
        why: TreeError,
    },
    /// 403. Not a checkpoint of this log, or not signed by its key.
    #[error("the checkpoint is refused: {0}")]
    BadSignature(CheckpointError),
    /// 409. Another root of the size that we cosigned: the log has two histories.
    #[error("the log forked: another root of {size} entries was cosigned")]
    Fork {
        /// Entries of both.
        size: u64,
    },
    /// 409. Smaller than what we cosigned.
    #[error("the log was put back: {have} entries were cosigned, {got} are shown")]
    Rollback {
        /// Entries that we cosigned.
        have: u64,
        /// Entries that are shown.
        got: u64,
    },
    /// What we cosigned cannot be read or written, or the enclave does not sign.
    #[error(transparent)]
    State(#[from] JournalError),
    /// Our clock stands before our last cosignature, which says "the largest tree at this time".
    #[error("this node's clock stands at {now}, before its last cosignature at {last}: set it right")]
    TooOld {
        /// Time of the last cosignature, seconds since 1970.
        last: u64,
        /// Time of this one.
        now: u64,
    },
}

impl Coded for Refused {
    fn code(&self) -> Code {
        match self {
            Self::Rollback { .. } => Code(4221),
            Self::Fork { .. } => Code(4222),
            Self::BadProof { .. } => Code(4223),
            Self::BadSignature(_) => Code(4224),
            Self::TooOld { .. } => Code(4225),
            Self::State(error) => error.code(),
        }
    }
}

/// Cosigns the logs of other members: of each log one history, which only grows.
///
/// The newest cosigned checkpoint of each log is a file of its own, on the disk before the cosignature leaves. A log is a name and a key: when
/// the directory gives a member another key, it starts another log, in the open.
pub struct Witness {
    disk: Arc<Disk>,
    me: cosignature::Witness,
    signer: Arc<dyn Signer>,
    turn: Mutex<()>,
}

impl Witness {
    /// Opens the folder of what we cosigned, or makes it. `name` is our own [`crate::translog::checkpoint::origin`].
    pub fn open(folder: &Path, name: String, signer: Arc<dyn Signer>) -> Result<Self, JournalError> {
        let me = cosignature::Witness { name, key: signer.verify_key() };
        Ok(Self { disk: Arc::new(Disk::open_alone(folder)?), me, signer, turn: Mutex::default() })
    }

    /// Our name and key as a witness.
    pub const fn me(&self) -> &cosignature::Witness {
        &self.me
    }

    /// The newest checkpoint of a log that we cosigned. Blocks on a file.
    pub fn seen(&self, log: &NoteKey) -> Result<Option<(Checkpoint, Note)>, JournalError> {
        let Some(bytes) = disk::read(&self.disk.folder().join(file(log)))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        // Threat: the file is emptied, and the log cosigned from its beginning again. Only a missing file is a log that we never saw.
        Checkpoint::open_text(&text, log)
            .map(Some)
            .map_err(|error| JournalError::Broken { file: file(log), why: error.to_string() })
    }

    /// Cosigns a checkpoint of a log, if it goes on from the newest that we cosigned. `proof` is the consistency proof from there, empty at
    /// first sight. `time` is now, in seconds since 1970.
    pub async fn consider(&self, log: &NoteKey, checkpoint: &Note, proof: &[Hash], time: u64) -> Result<NoteSignature, Refused> {
        let got = Checkpoint::open(checkpoint, log).map_err(Refused::BadSignature)?;
        // One at a time: two checkpoints at once would both go on from the same one.
        let _turn = self.turn.lock().await;
        let (have, root, last) = match self.seen(log)? {
            Some((have, note)) => (have.size, have.root, self.me.verifies(&note).unwrap_or(0)),
            None => (0, hash::empty(), 0),
        };
        if got.size < have {
            return Err(Refused::Rollback { have, got: got.size });
        }
        if got.size == have && got.root != root {
            return Err(Refused::Fork { size: have });
        }
        tree::verify_consistency((have, &root), (got.size, &got.root), proof).map_err(|why| Refused::BadProof { have, why })?;
        if time < last {
            return Err(Refused::TooOld { last, now: time });
        }
        let message = cosignature::message(time, checkpoint.text());
        let line = self.me.line(time, &self.signer.sign(&message).await.map_err(JournalError::Signer)?);
        if self.me.verifies_line(checkpoint.text(), &line).is_none() {
            return Err(JournalError::Signer("the signature is of another key".into()).into());
        }
        self.remember(log, checkpoint, &line).await?;
        Ok(line)
    }

    async fn remember(&self, log: &NoteKey, checkpoint: &Note, line: &NoteSignature) -> Result<(), JournalError> {
        let text = checkpoint.text();
        let mut note = Note::new(text.to_owned()).map_err(|error| JournalError::Checkpoint(error.into()))?;
        checkpoint.signatures().iter().filter(|line| log.verifies_line(text, line)).for_each(|line| note.add(line.clone()));
        note.add(line.clone());
        let (disk, name) = (Arc::clone(&self.disk), file(log));
        blocking(move || disk.replace(&name, note.to_string().as_bytes())).await
    }
}

/// The name of a log's file: a digest, for an origin may hold any character.
fn file(log: &NoteKey) -> String {
    HEXLOWER.encode(&sha256(&[log.to_string().as_bytes()]))
}

#[cfg(test)]
mod tests;
