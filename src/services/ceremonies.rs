//! A mailbox for officers' ceremonies: every member's node keeps what officers say, and gives it to the others (`docs/officers.md`).
//!
//! Nodes only relay. What they pass on is signed by officers and, where it is secret, sealed to one of them: a node checks form, size,
//! network and signature, and reads nothing. Officers' own machines judge.

mod error;
mod exchange;
mod keep;
mod mailbox;
mod rows;
mod view;

pub use error::RelayError;
pub use view::{CeremonyView, Posted, SaidPage};

/// What a governed node has of ceremonies in memory: who said what. The words themselves are in the store.
#[derive(Default)]
pub(crate) struct Mail {
    known: mailbox::Mailbox,
    /// One thing is taken at a time: what is checked is what is kept.
    gate: tokio::sync::Mutex<()>,
}
