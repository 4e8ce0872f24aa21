//! The admin surface with people: who is let in, in which role, and acts that need a second person. `docs/roles.md` is the manual.
//!
//! What belongs to the acts of others is mounted with [`Access::guard`], or takes an [`Actor`] and calls [`Actor::require`].

mod access;
mod act;
mod actor;
mod acts;
mod ceremonies;
mod disclosures;
mod door;
mod erasures;
mod error;
mod failures;
mod holds;
mod host;
mod matters;
pub mod network;
mod oidc;
pub mod purge;
mod record;
mod recoveries;
pub mod rights;
mod role;
pub mod root;
mod supervision;

use std::sync::Arc;

use axum::Router;

pub use access::{Access, AccessSettings, KnownCertificate};
pub use act::{Act, RULES, Rule};
pub use actor::Actor;
pub use acts::{Acts, PendingActs};
pub use ceremonies::routes as ceremony_routes;
pub use disclosures::routes as disclosure_routes;
pub use erasures::routes as erasure_routes;
pub use error::Refusal;
pub use holds::routes as hold_routes;
pub use host::known_hosts;
pub use matters::routes as case_routes;
pub use oidc::{OidcSettings, is_trustworthy};
pub use record::{LogRecord, Record};
pub use recoveries::routes as recovery_routes;
pub use role::Role;
pub use supervision::routes as supervision_routes;

/// The routes of the admin surface behind a door. `probes` stay open, `figures` need any role.
pub fn router(probes: Router, figures: Router, access: &Arc<Access>, acts: Arc<PendingActs>) -> Router {
    probes.merge(access.guard(figures, Act::ReadStatus)).merge(access.protect(acts::routes(acts)))
}
