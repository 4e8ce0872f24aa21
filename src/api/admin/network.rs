//! What people and tools ask of a governed node: its documents, how far the network is on them, receipts, the journal.
//!
//! Documents come without a credential where no `[access]` is configured: their signatures decide, not who brings them.

mod documents;
mod journal;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;

pub(super) use documents::Failed;

use super::{Access, Act};
use crate::services::Node;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let parts = [
        (documents::publishing(), Act::PublishDocument),
        (documents::reading(), Act::ReadDocuments),
        (journal::reading(), Act::ReadJournal),
        (journal::exporting(), Act::ExportJournal),
    ];
    let parts = parts.map(|(router, act)| {
        let router: Router = router.with_state(Arc::clone(node));
        let router = match access {
            Some(access) => access.guard(router, act),
            None => router,
        };
        if act == Act::PublishDocument { router.route_layer(from_fn(documents::note_type)) } else { router }
    });
    parts.into_iter().fold(Router::new(), Router::merge)
}
