//! The charter of a network: its directory of members and its policy, signed by k of n governors (`docs/governance.md`). Pure rules, no files, no clock.
//!
//! | part | what |
//! |---|---|
//! | [`Document`] | a [`Policy`] or a [`Directory`], its canonical text and its hash |
//! | [`Charter`] | what a node is on: takes documents one by one, refuses with a [`Refusal`] |
//! | [`Members`] | the newest directory, prepared for look-ups |
//! | [`Judged`] | a sender, recipients and a class; [`Policy::judge`] says whether the policy lets it through |
//! | [`Delta`] | what changed between two directories, small enough for gossip |

mod chain;
mod charter;
mod committee;
mod delta;
mod directory;
mod document;
mod former;
mod judge;
mod limits;
mod member;
mod members;
mod policy;
mod print;
mod refusal;
mod rule;
#[cfg(test)]
mod sample;
mod scope;
mod signers;
mod span;
mod supervise;
mod words;

pub use chain::ChainError;
pub use charter::{Accepted, Charter, Signed};
pub use committee::{Committee, Officer};
pub use delta::{Delta, DeltaError};
pub use directory::Directory;
pub use document::{Document, DocumentError, Head};
pub use judge::{Judged, PolicyAge, Violation};
pub use limits::*;
pub use member::Member;
pub use members::Members;
pub use policy::{Classes, Genesis, Governor, Policy};
pub use refusal::Refusal;
pub use rule::{ClassRule, Region, Regions};
pub use scope::{Contract, Scope};
pub use span::Span;
pub use supervise::{Demand, Supervised};
pub use words::{Delivery, DocumentHash, Padding, Purpose, Role, Software, State, Supervision, TlsPin};
