use super::Cause;
use crate::translog::checkpoint::CheckpointError;
use crate::types::{Code, Coded};

/// What goes wrong with the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A witness has cosigned a later checkpoint of ours than the newest that we have.
    #[error(
        "this node was put back: its journal has {ours} entries, a witness has cosigned {theirs}. Restore the newest state, or see docs/journal.md, `After a rollback`"
    )]
    Behind {
        /// Entries of our log.
        ours: u64,
        /// Entries that the witness has seen.
        theirs: u64,
    },
    /// A file of the log is missing or damaged.
    #[error(
        "{file} of the journal is damaged: {why}. Move the folder `tile` away and start again: it is made anew from the store"
    )]
    Broken {
        /// Which file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The checkpoint on disk is not ours.
    #[error("the checkpoint of the journal is not this node's: {0}. Restore the journal that belongs to this store and this key")]
    Checkpoint(CheckpointError),
    /// A full tile is there with other bytes, or a witness shows a checkpoint of ours with another root.
    #[error("the journal forked: {0}. Stop, keep every file, and find out which history is true")]
    Forked(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The key trees were punctured fewer times than a checkpoint says.
    #[error(
        "the key trees are older than the journal: {ours} punctures, a checkpoint says {published}. Restore the newest key trees; older ones open what was erased"
    )]
    KeysOlder {
        /// Punctures of the trees here.
        ours: u64,
        /// Punctures that were published.
        published: u64,
    },
    /// Another process writes this journal.
    #[error("journal {0} is in use by another process: stop it first")]
    Locked(String),
    /// The enclave does not sign, or with another key.
    #[error("the checkpoint was not signed: {0}")]
    Signer(Cause),
    /// The store does not give its rows.
    #[error("the rows of the journal: {0}")]
    Source(Cause),
    /// The store has fewer rows than the log has entries.
    #[error(
        "the store is older than its journal: it has {rows} rows, the checkpoint has {size} entries. Restore the newest store, or see docs/journal.md, `After a rollback`"
    )]
    StoreOlder {
        /// Rows of the store.
        rows: u64,
        /// Entries of the checkpoint.
        size: u64,
    },
    /// The rows of the store are not those of the log.
    #[error(
        "the store is older than its journal: its rows are others than the {size} entries of the checkpoint. Restore the store that belongs to it, or see docs/journal.md, `After a rollback`"
    )]
    StoreOther {
        /// Entries of the checkpoint.
        size: u64,
    },
}

impl Coded for JournalError {
    fn code(&self) -> Code {
        match self {
            Self::Io { .. } => Code(4211),
            Self::Forked(_) => Code(4212),
            Self::StoreOlder { .. } | Self::StoreOther { .. } => Code(4213),
            Self::Checkpoint(_) => Code(4214),
            Self::Signer(_) => Code(4215),
            Self::Source(_) => Code(4216),
            Self::Locked(_) => Code(4217),
            Self::Broken { .. } => Code(4218),
            Self::Behind { .. } => Code(4219),
            Self::KeysOlder { .. } => Code(4220),
        }
    }
}
