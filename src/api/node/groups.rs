use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use data_encoding::BASE64;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::model::{DeleteGroupBody, FindGroupBody, GroupAnswer, NewGroupBody, RetrieveGroupBody};
use crate::api::request::{MediaType, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::services::{Group, GroupKind};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(create)).routes(routes!(find)).routes(routes!(retrieve)).routes(routes!(delete))
}

pub(super) fn read_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(of_kind))
}

/// Makes a privacy group and tells its members.
#[utoipa::path(post, path = "/createPrivacyGroup", operation_id = "createPrivacyGroup", tag = "node", request_body = NewGroupBody<'static>,
    responses((status = 200, description = "The group", body = GroupAnswer)))]
async fn create(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = json_body(&api, request).await?;
    let group = api.node.create_group(body::json::<NewGroupBody<'_>>(&bytes)?.read()?).await?;
    Ok(answer(&GroupAnswer::from(group)))
}

/// Groups with exactly these members.
#[utoipa::path(post, path = "/findPrivacyGroup", operation_id = "findPrivacyGroup", tag = "node", request_body = FindGroupBody<'static>,
    responses((status = 200, description = "The groups", body = Vec<GroupAnswer>)))]
async fn find(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = json_body(&api, request).await?;
    Ok(answer(&list(api.node.find_groups(body::json::<FindGroupBody<'_>>(&bytes)?.read()?).await?)))
}

/// One group.
#[utoipa::path(post, path = "/retrievePrivacyGroup", operation_id = "retrievePrivacyGroup", tag = "node", request_body = RetrieveGroupBody<'static>,
    responses((status = 200, description = "The group", body = GroupAnswer),
        (status = 404, description = "No such group", body = String, content_type = "text/plain")))]
async fn retrieve(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = json_body(&api, request).await?;
    let group = api.node.group(body::json::<RetrieveGroupBody<'_>>(&bytes)?.read()?).await?;
    Ok(answer(&GroupAnswer::from(group)))
}

/// Deletes a group and tells its members; answers its id as a JSON string.
#[utoipa::path(post, path = "/deletePrivacyGroup", operation_id = "deletePrivacyGroup", tag = "node", request_body = DeleteGroupBody<'static>,
    responses((status = 200, description = "The id", body = String, content_type = "application/json"),
        (status = 404, description = "No such group", body = String, content_type = "text/plain")))]
async fn delete(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = json_body(&api, request).await?;
    let (id, from) = body::json::<DeleteGroupBody<'_>>(&bytes)?.read()?;
    let id = api.node.delete_group(id, from).await?;
    Ok(answer(&BASE64.encode(&id.0)))
}

/// Groups of a kind. Resident ones are the private states of a multi-tenant node.
#[utoipa::path(get, path = "/groups/{type}", operation_id = "groups", tag = "node",
    params(("type" = String, Path, description = "resident, legacy or pantheon")),
    responses((status = 200, description = "The groups", body = Vec<GroupAnswer>),
        (status = 503, description = "Resident groups are off", body = String, content_type = "text/plain")))]
async fn of_kind(State(api): Surface, Path(kind): Path<String>) -> Result<Response, Error> {
    let kind = match kind.to_ascii_lowercase().as_str() {
        "legacy" => GroupKind::Legacy,
        "pantheon" => GroupKind::Pantheon,
        "resident" => GroupKind::Resident,
        _ => return Err(RequestError::field("type", "neither resident, legacy nor pantheon").into()),
    };
    Ok(answer(&list(api.node.groups_of_kind(kind).await?)))
}

async fn json_body(api: &Api, request: Request) -> Result<bytes::Bytes, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    body::read(body, api.limits.body).await
}

fn list(groups: Vec<Group>) -> Vec<GroupAnswer> {
    groups.into_iter().map(GroupAnswer::from).collect()
}

/// Groups are always plain JSON.
fn answer(value: &impl Serialize) -> Response {
    reply::json(MediaType::Json, value)
}
