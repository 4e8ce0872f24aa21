//! Words of supervision: orders to stop, what lifts them, co-signatures, copies for a supervisor (`docs/supervision.md`). What is done with
//! them is a service.

mod copy;
mod cosignature;
mod lift;
mod scope;
mod stop;

pub use copy::{Copied, MAX_OPENINGS, SupervisionCopy};
pub use cosignature::{Cosignature, SignedCosignature};
pub use lift::{Lift, SignedLift};
pub use scope::{Affair, MAX_CREATIONS, StopScope};
pub use stop::{SignedStop, StopDigest, StopNumber, StopOrder};

use crate::wire::DecodeError;
use crate::wire::strict::Fields;

/// Longest text of an order, in characters.
pub const MAX_TEXT: usize = 500;

/// Whether a text may stand in an order: one line, not empty.
///
/// Threat: it is printed at every member's.
pub fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

fn line(fields: &mut Fields<'_>, field: &'static str) -> Result<String, DecodeError> {
    let text: String = fields.word(field)?;
    if is_line(&text) { Ok(text) } else { Err(DecodeError::Value(field)) }
}
