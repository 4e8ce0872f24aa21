//! Supervision: orders to stop and what lifts them, copies for supervisors, co-signatures (`docs/supervision.md`).
//!
//! A supervisor is a member with a Celosia of its own. What it may see and stop is what the scopes of the policy give it, at every node: its
//! own node asks the policy before it acts, and every other asks it again.

mod error;
mod exchange;
mod orders;
mod rows;
mod stops;

pub use error::SupervisionError;
pub use orders::{NewStop, Spread, StopView};
pub(crate) use stops::{Concern, Stops};

/// What a governed node has of supervision in memory.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) stops: Stops,
    /// One order is taken at a time: what is checked is what is kept.
    gate: tokio::sync::Mutex<()>,
}
