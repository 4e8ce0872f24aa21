//! Words of erasure (GDPR art. 17), blocking and the rights of people: scopes, tags, levels, orders, receipts, cases, certificates.
//! What is done with them is a service. Written down in `docs/erasure.md`.

mod case;
mod certificate;
mod clock;
mod ground;
mod hold;
mod level;
mod order;
mod page;
mod profile;
mod receipt;
mod retention;
mod scope;
mod tags;

pub use case::{Case, Forbidden, Holder, HolderKind, Moved, Refusal, State, Step};
pub use certificate::{About, Addressed, Certificate, CertificateError, Checked, CheckedHolder, Entry, Evidence, OUTSIDE, Shown};
pub use clock::answer_due;
pub use ground::{Exception, Ground, UnknownWord};
pub use hold::{
    ANSWER_FORMAT, Hold, HoldAnswer, HoldId, HoldKind, HoldLabel, HoldRequest, HoldState, LockedEnvelope, MAX_GROUND,
    OpenedEnvelope, REQUEST_FORMAT, is_reference,
};
pub use level::Level;
pub use order::{CaseId, MAX_ITEMS, Order, SignedOrder};
pub use page::render;
pub use profile::{BlockRule, HoldGround, Narrowing, PROFILE_FORMAT, Profile, ProfileError};
pub use receipt::{Answer, ErasureReceipt, MAX_TEXT, SignedErasureReceipt};
pub use retention::until;
pub use scope::Scope;
pub use tags::{Basis, MAX_SUBJECTS, TagError, Tags, check_subject, contract_address};
