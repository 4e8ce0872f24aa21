//! Supervision: orders to stop and what lifts them, copies for supervisors, co-signatures (`docs/supervision.md`).
//!
//! A supervisor is a member with a Celosia of its own. What it may see and stop is what the scopes of the policy give it, at every node: its
//! own node asks the policy before it acts, and every other asks it again.

mod ask;
mod audit;
mod catch_up;
mod copies;
mod cosign;
mod error;
mod exchange;
mod feed;
mod graves;
mod held;
mod judge;
mod orders;
mod places;
mod revoked;
mod rows;
mod stops;
mod taken;
mod taken_back;
mod tessera;
mod vouched;
mod watch;

pub use audit::audit_copies;
pub use catch_up::{CaughtUp, CaughtUpAt};
pub(crate) use copies::{Copies, CopyOf, Watchers, copied_to, told_row};
pub use cosign::{CosignSettings, CosignState, Queued};
pub(crate) use cosign::{Demanded, cosigned_scope};
pub use error::SupervisionError;
pub use feed::{Recipient, Seen, TwoHeaders};
pub(crate) use held::{CopyContent, HeldCopy};
pub use orders::{NewStop, Spread, StopView};
pub(crate) use places::Extent;
pub(crate) use stops::{Concern, Stops};
pub(crate) use tessera::Told as ToldOfTessera;
pub(crate) use vouched::Payload as VouchedPayload;
pub use watch::Watched;

/// What a governed node has of supervision in memory.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) stops: Stops,
    /// One order is taken at a time: what is checked is what is kept.
    gate: tokio::sync::Mutex<()>,
    pub(crate) feed: feed::Feed,
    /// Words of supervisors that do not count any more.
    revoked: revoked::Revoked,
    /// One question of a co-signature is changed at a time.
    queue_gate: tokio::sync::Mutex<()>,
    /// A question was answered.
    answers: tokio::sync::Notify,
}
