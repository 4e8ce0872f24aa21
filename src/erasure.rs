//! Words of erasure (GDPR art. 17), blocking and the rights of people: scopes, tags, levels. What is done with them is a service.

mod clock;
mod level;
mod retention;
mod scope;
mod tags;

pub use clock::{answer_due, overdue};
pub use level::Level;
pub use retention::until;
pub use scope::Scope;
pub use tags::{Basis, MAX_SUBJECTS, TagError, Tags, check_subject, contract_address};
