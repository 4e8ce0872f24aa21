//! Disclosure to auditors: requests handed in, case files for officers, verdicts and shares taken, releases for the auditor, notices that came.
//! What counts of officers and auditors is their signatures, not who brought them here (`docs/disclosure.md`).

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;

use super::acts::json_up_to;
use super::door::{Who, guarded, name};
use super::{Access, Act, Refusal};
use crate::disclosure::GrantId;
use crate::services::{Error, Node, ReleaseStream, SharesStream};

/// Grants of one page.
const PAGE: usize = 500;
/// Notices of one page: each may be half a megabyte.
const NOTICES: usize = 16;
/// Longest request, with 4096 names in base64.
const MAX_REQUEST: usize = 1 << 20;
/// Longest verdict or revocation.
const MAX_WORD: usize = 16 * 1024;
/// Longest file of shares: of 200,000 payloads.
const MAX_SHARES: usize = 64 << 20;
/// A sequence of CBOR byte strings (RFC 8742).
const SEQUENCE: &str = "application/cbor-seq";

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading = Router::new()
        .route("/disclosures", get(list))
        .route("/disclosures/notices", get(notices))
        .route("/disclosures/{grant}", get(show))
        .route("/disclosures/{grant}/case", get(case));
    let approving = Router::new()
        .route("/disclosures/{grant}/approvals", post(approve))
        .route("/disclosures/{grant}/shares", post(give_shares).layer(DefaultBodyLimit::disable()));
    let taking =
        Router::new().route("/disclosures/{grant}/shares/all", post(shares)).route("/disclosures/{grant}/release", post(release));
    let parts: [(Router<Arc<Node>>, Act); 5] = [
        (reading, Act::ReadDisclosures),
        (Router::new().route("/disclosures", post(request)), Act::RequestDisclosure),
        (approving, Act::ApproveDisclosure),
        (taking, Act::TakeDisclosure),
        (Router::new().route("/disclosures/{grant}/revoke", post(revoke)), Act::RevokeDisclosure),
    ];
    guarded(node, access, parts)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<GrantId>,
}

async fn list(State(node): State<Arc<Node>>, Query(After { after }): Query<After>) -> Result<Json<Vec<Value>>, Refusal> {
    Ok(Json(node.disclosures(after, PAGE).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AfterNotice {
    after: Option<String>,
}

async fn notices(
    State(node): State<Arc<Node>>,
    Query(AfterNotice { after }): Query<AfterNotice>,
) -> Result<Json<Vec<Value>>, Refusal> {
    Ok(Json(node.disclosure_notices(after.as_deref(), NOTICES).await?))
}

async fn show(State(node): State<Arc<Node>>, Path(grant): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(node.disclosure(parse(&grant)?).await?))
}

async fn case(State(node): State<Arc<Node>>, Path(grant): Path<String>) -> Result<Response, Refusal> {
    Ok(streamed(node.case_file(parse(&grant)?).await?))
}

/// A signed document, base64.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    document: String,
}

impl Carried {
    fn bytes(&self) -> Result<Vec<u8>, Refusal> {
        let bytes = crate::types::base64(self.document.as_bytes());
        bytes.map_err(|error| Refusal::ActMalformed(format!("the document is not base64: {error}")))
    }
}

async fn request(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Value>), Refusal> {
    let carried: Carried = json_up_to(request, MAX_REQUEST).await?;
    let shown = node.request_disclosure(carried.bytes()?, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn approve(State(node): State<Arc<Node>>, Path(grant): Path<String>, request: Request) -> Result<Json<Value>, Refusal> {
    let carried: Carried = json_up_to(request, MAX_WORD).await?;
    Ok(Json(node.add_verdict(parse(&grant)?, &carried.bytes()?).await?))
}

async fn give_shares(State(node): State<Arc<Node>>, Path(grant): Path<String>, request: Request) -> Result<Json<Value>, Refusal> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A page elsewhere cannot make a browser send this type without asking us.
    if media != Some(SEQUENCE) {
        return Err(Refusal::ActMalformed(format!("the Content-Type must be {SEQUENCE}")));
    }
    let body = to_bytes(request.into_body(), MAX_SHARES).await;
    let body = body.map_err(|_| Refusal::ActMalformed(format!("the body breaks off or is longer than {MAX_SHARES} bytes")))?;
    Ok(Json(node.add_shares(parse(&grant)?, body).await?))
}

async fn shares(State(node): State<Arc<Node>>, Path(grant): Path<String>, request: Request) -> Result<Response, Refusal> {
    let carried: Carried = json_up_to(request, MAX_WORD).await?;
    let all = node.all_shares(parse(&grant)?, &carried.bytes()?).await?;
    let pieces =
        stream::try_unfold(
            all,
            |mut all: SharesStream| async move { Ok::<_, Error>(all.next().await?.map(|piece| (piece, all))) },
        );
    Ok(([(CONTENT_TYPE, SEQUENCE)], Body::from_stream(pieces)).into_response())
}

async fn release(
    State(node): State<Arc<Node>>,
    Path(grant): Path<String>,
    who: Who,
    request: Request,
) -> Result<Response, Refusal> {
    let carried: Carried = json_up_to(request, MAX_WORD).await?;
    Ok(streamed(node.release(parse(&grant)?, &carried.bytes()?, name(&who)).await?))
}

/// An officer's signed revocation, or the word of who answers for personal data here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    document: Option<String>,
    text: Option<String>,
}

async fn revoke(
    State(node): State<Arc<Node>>,
    Path(grant): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let grant = parse(&grant)?;
    match json_up_to(request, MAX_WORD).await? {
        Ended { document: Some(document), text: None } => {
            Ok(Json(node.revoke_disclosure(grant, &Carried { document }.bytes()?).await?))
        }
        Ended { document: None, text: Some(text) } => Ok(Json(node.withdraw_disclosure(grant, name(&who), &text).await?)),
        _ => Err(Refusal::ActMalformed("give either a signed document or a text".into())),
    }
}

fn streamed(stream: ReleaseStream) -> Response {
    let pieces =
        stream::try_unfold(stream, |mut stream| async move { Ok::<_, Error>(stream.next().await?.map(|piece| (piece, stream))) });
    ([(CONTENT_TYPE, SEQUENCE)], Body::from_stream(pieces)).into_response()
}

fn parse(grant: &str) -> Result<GrantId, Refusal> {
    grant.parse().map_err(|error| Refusal::ActMalformed(format!("a grant's name: {error}")))
}
