//! The journal: what happened here, in a Merkle log that third parties can check (`docs/journal.md`).
//!
//! Rows are the store's, written in one batch with what they record. The [`Sequencer`] puts their commitments into a log of C2SP tiles and
//! signs checkpoints; the [`Witness`] cosigns those of other members; [`Cosigned`] gathers cosignatures on our own, and [`judge`] tells
//! from a checkpoint that a witness shows us whether this node was put back.

mod cosigned;
mod disk;
mod error;
mod judge;
mod log;
mod sequencer;
mod witness;

use async_trait::async_trait;

use crate::crypto::sign::{Signature, VerifyKey};
use crate::translog::commitment::Commitment;

pub use cosigned::Cosigned;
pub use error::JournalError;
pub use judge::{Verdict, judge};
pub use log::Log;
pub use sequencer::{Published, Sequencer};
pub use witness::{Refused, Witness};

/// A failure of what the journal stands on; its text is for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Where the rows come from. A row that was answered once never changes and never goes: it must be on the disk before it is answered.
#[async_trait]
pub trait Source: Send + Sync {
    /// How many rows there are.
    async fn size(&self) -> Result<u64, Cause>;

    /// Commitments of at most `limit` rows from row `from` on, without a gap.
    async fn commitments(&self, from: u64, limit: usize) -> Result<Vec<Commitment>, Cause>;
}

/// Who signs for this node: the enclave.
#[async_trait]
pub trait Signer: Send + Sync {
    /// The node's Ed25519 signature on a message.
    async fn sign(&self, message: &[u8]) -> Result<Signature, Cause>;

    /// The key that verifies it.
    fn verify_key(&self) -> VerifyKey;
}
