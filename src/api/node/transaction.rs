//! `/transaction/{hash}` and what is below it. One wildcard route: an id holds `/`, escaped or not.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use tokio::time::{Instant, sleep};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api::error::{Error, is_passing};
use crate::api::model::ReceiveAnswer;
use crate::api::request::{self, Asked, MediaType, Operation, RequestError, To};
use crate::api::{Api, Surface, body, reply};
use crate::services;

/// How long a look-up waits for store or enclave: inside GoQuorum's 5 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// Pause between tries.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(OpenApi)]
#[openapi(paths(receive, erase, is_sender, participants, mandatory), components(schemas(ReceiveAnswer<'static>)))]
struct Document;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let route = get(look_up).delete(erase);
    OpenApiRouter::with_openapi(Document::openapi()).route("/transaction/{*rest}", route)
}

async fn look_up(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let target = request::target(parts.uri.path())?;
    match target.operation {
        Operation::Payload => receive(&api, &parts, target.asked).await,
        Operation::IsSender => is_sender(&api, target.asked).await,
        Operation::Participants => participants(&api, target.asked).await,
        Operation::Mandatory => mandatory(&api, target.asked).await,
    }
}

/// A payload, opened. Absent, erased and not for this node: 404, and nothing else is ever 404.
#[utoipa::path(get, path = "/transaction/{hash}", operation_id = "receive", tag = "node",
    params(("hash" = String, Path, description = "Id in base64; `/` as `%2F`, `+` as itself or `%2B`"),
        ("isRaw" = Option<bool>, Query, description = "The raw payload that `/storeraw` keeps"),
        ("to" = Option<String>, Query, description = "For which of this node's keys")),
    responses(
        (status = 200, description = "The payload", content((ReceiveAnswer<'static> = "application/json"),
            (ReceiveAnswer<'static> = "application/vnd.tessera-2.1+json"), (ReceiveAnswer<'static> = "application/vnd.tessera-3.0+json"))),
        (status = 404, description = "Absent, erased, or not for this node", body = String, content_type = "text/plain"),
        (status = 503, description = "The store has been unavailable for 4 s", body = String, content_type = "text/plain"),
    ))]
async fn receive(api: &Api, parts: &Parts, asked: Asked) -> Result<Response, Error> {
    let query = request::query(parts.uri.query())?;
    let media = body::answer_type(&parts.headers, MediaType::Json);
    let received = if query.raw {
        let id = asked.raw_id()?;
        patiently(|| api.node.receive_raw(id)).await?
    } else {
        let id = asked.id()?;
        let to = match query.to {
            None => None,
            Some(To::Key(key)) => Some(key),
            Some(To::Nobody) => return Err(RequestError::NotFound(id.to_string()).into()),
        };
        patiently(|| api.node.receive(id, to)).await?
    };
    Ok(reply::sized_json(media, &ReceiveAnswer::new(media, &received), received.payload.len()))
}

/// Whether one of this node's keys sealed the payload.
#[utoipa::path(get, path = "/transaction/{hash}/isSender", operation_id = "isSender", tag = "node", params(("hash" = String, Path, description = "Id in base64")),
    responses((status = 200, description = "`true` or `false`", body = String, content_type = "text/plain"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn is_sender(api: &Api, asked: Asked) -> Result<Response, Error> {
    let id = asked.id()?;
    let is_sender = patiently(|| api.node.is_sender(id)).await?;
    Ok(reply::text(if is_sender { "true" } else { "false" }))
}

/// Recipients as this node knows them, separated by commas.
#[utoipa::path(get, path = "/transaction/{hash}/participants", operation_id = "participants", tag = "node", params(("hash" = String, Path, description = "Id in base64")),
    responses((status = 200, description = "Public keys", body = String, content_type = "text/plain"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn participants(api: &Api, asked: Asked) -> Result<Response, Error> {
    let id = asked.id()?;
    let keys = patiently(|| api.node.participants(id)).await?;
    Ok(reply::text(reply::comma_list(&keys)))
}

/// Mandatory recipients, separated by commas.
#[utoipa::path(get, path = "/transaction/{hash}/mandatory", operation_id = "mandatoryRecipients", tag = "node", params(("hash" = String, Path, description = "Id in base64")),
    responses((status = 200, description = "Public keys", body = String, content_type = "text/plain"),
        (status = 400, description = "Another privacy flag", body = String, content_type = "text/plain"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn mandatory(api: &Api, asked: Asked) -> Result<Response, Error> {
    let id = asked.id()?;
    let keys = patiently(|| api.node.mandatory(id)).await?;
    Ok(reply::text(reply::comma_list(&keys)))
}

/// Erases a payload here for good: its key is destroyed, and it is never accepted again.
#[utoipa::path(delete, path = "/transaction/{hash}", operation_id = "erase", tag = "node", params(("hash" = String, Path, description = "Id in base64")),
    responses((status = 204, description = "Erased, durably"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn erase(State(api): Surface, request: Request) -> Result<Response, Error> {
    let target = request::target(request.uri().path())?;
    if target.operation != Operation::Payload {
        return Err(Error::Method);
    }
    api.node.erase(target.asked.id()?).await?;
    Ok(reply::nothing())
}

/// Waits out trouble of store or enclave: GoQuorum takes any answer but 200 and 404 for a failure, and stops after five of them.
pub(super) async fn patiently<T, F>(look_up: impl Fn() -> F) -> Result<T, services::Error>
where
    F: Future<Output = Result<T, services::Error>>,
{
    retried(PATIENCE, PAUSE, look_up).await
}

async fn retried<T, F>(patience: Duration, pause: Duration, look_up: impl Fn() -> F) -> Result<T, services::Error>
where
    F: Future<Output = Result<T, services::Error>>,
{
    let mut deadline = None;
    loop {
        match look_up().await {
            Err(error) if is_passing(&error) => {
                let until = *deadline.get_or_insert_with(|| Instant::now() + patience);
                if Instant::now() + pause >= until {
                    return Err(error);
                }
                sleep(pause).await;
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::store::StoreError;
    use crate::types::PayloadId;

    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn passing_trouble_is_waited_out() {
        let tries = Cell::new(0);
        let look_up = || async {
            tries.set(tries.get() + 1);
            if tries.get() <= 3 { Err(StoreError::Unavailable.into()) } else { Ok(7) }
        };
        assert_eq!(retried(Duration::from_mins(10), SHORT, look_up).await.ok(), Some(7));
    }

    #[tokio::test]
    async fn lasting_trouble_ends_as_what_it_is() {
        let tries = Cell::new(0);
        let look_up = || async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Io("gone".into()).into())
        };
        let result = retried(Duration::from_millis(50), SHORT, look_up).await;
        assert!(matches!(result, Err(services::Error::Store(StoreError::Io(_)))));
        assert!(tries.get() > 1);
    }

    #[tokio::test]
    async fn absence_and_damage_are_told_at_once() {
        for error in [|| services::Error::NotFound(PayloadId::new([0; 64])), || StoreError::Corrupt("row".into()).into()] {
            let tries = Cell::new(0);
            let look_up = || async {
                tries.set(tries.get() + 1);
                Err::<(), _>(error())
            };
            assert!(retried(Duration::from_mins(10), SHORT, look_up).await.is_err());
            assert_eq!(tries.get(), 1);
        }
    }
}
