//! What the routes of this surface have in common: who is let in where, and who is there.

use std::sync::Arc;

use axum::{Extension, Router};
use serde::Deserialize;

use super::{Access, Act, Actor};

/// Somebody, where people can be told apart.
pub(super) type Who = Option<Extension<Actor>>;

/// Nothing is said beyond the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What the journal calls somebody.
pub(super) fn name(who: &Who) -> &str {
    who.as_ref().map_or("admin", |who| who.0.name())
}

/// Routes with their state, each behind the act that it is; where there is no door, open.
pub(super) fn guarded<S, const N: usize>(state: &S, access: Option<&Arc<Access>>, parts: [(Router<S>, Act); N]) -> Router
where
    S: Clone + Send + Sync + 'static,
{
    let parts = parts.map(|(router, act)| {
        let router: Router = router.with_state(state.clone());
        match access {
            Some(access) => access.guard(router, act),
            None => router,
        }
    });
    parts.into_iter().fold(Router::new(), Router::merge)
}
