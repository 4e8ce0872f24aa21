//! How officers come to hold a committee's key together: who takes part ([`Plan`]), what each says in signed files ([`Message`]), what
//! follows ([`Round`]), and the result that governors take into a policy ([`CommitteeFile`]). `docs/officers.md`.
//!
//! A ceremony has three rounds. In the first every dealer commits. In the second everybody repeats what it saw of the first, and dealers
//! send each receiver its secret number. In the third everybody signs the committee, or names who cheated. Nobody who carries the files
//! is trusted: each is signed and bound to the plan, and the plan's digest is the name of the ceremony.

mod card;
mod carried;
mod error;
mod file;
mod message;
mod plan;
mod round;

pub use card::Card;
pub use carried::{Carried, MAX_PLAN, Opening};
pub use error::CeremonyError;
pub use file::{CommitteeFile, Signed};
pub use message::{Message, Numbers, Seen, Verdict};
pub use plan::{CeremonyId, Plan, Previous};
pub use round::{Board, Round};
