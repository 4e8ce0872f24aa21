//! The native surface: CBOR in, a verb of the node called, CBOR out. The listener has put the calling member into the request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;

use super::error::Error;
use super::gate::{SharedGate, pass_member};
use super::{Limits, body, common};
use crate::net::native::NativeCaller;
use crate::services::{self, Node, native_path as path};
use crate::wire::native::{
    Batch, CatchUp, CeremoniesAfter, CosignAsked, DocumentPart, Documents, DocumentsAfter, HeldAsked, Message, OrdersAfter, Part,
    Resend, Seen, Standing, SupervisionAfter, Withdraw, Witness,
};

/// Longest batch: some deliveries of a MiB, or one part.
const MAX_BATCH: usize = 8 << 20;
/// Longest message of the others.
const MAX_MESSAGE: usize = 1 << 20;

/// A member's part of the places: a quarter, so that three others are served whatever it does. As many of its requests wait as one
/// connection has.
const PART: usize = 4;
const WAITING: usize = 256;

/// Longest notice of a disclosure: some hundred payloads with their places in the list.
const MAX_NOTICE: usize = 4 << 20;
/// Longest plan of a ceremony with its opening; messages are shorter.
const MAX_CARRIED: usize = 128 << 10;
/// Documents of a whole network.
const MAX_DOCUMENTS: usize = 32 << 20;

struct Native {
    node: Arc<Node>,
}

type Surface = State<Arc<Native>>;
type Caller = Extension<NativeCaller>;

/// The native surface.
pub fn native_router(node: Arc<Node>, limits: Limits) -> Router {
    let shared = |places: usize| SharedGate::new(places, (places / PART).max(1), WAITING);
    let (small, writes, bulk) = (shared(limits.writes), shared(limits.writes), shared(limits.reads));
    let deliveries = Router::new()
        .route(path::DELIVER, post(deliver))
        .route(path::DOCUMENT_PART, post(document_part))
        .route(path::PART, post(part))
        .route(path::WITHDRAW, post(withdraw))
        .route_layer(from_fn_with_state(writes, pass_member));
    let pages = Router::new()
        .route(path::CEREMONY_COMPARE, post(ceremony_compare))
        .route(path::DISCLOSE_NOTICE, post(notice))
        .route(path::DOCUMENTS, post(documents))
        .route(path::ERASE, post(erase))
        .route(path::ORDERS, post(orders))
        .route(path::RESEND, post(resend))
        .route(path::SUPERVISION_CATCH_UP, post(supervision_catch_up))
        .route(path::TAKE, post(take))
        .route_layer(from_fn_with_state(bulk, pass_member));
    let talk = Router::new()
        .route(path::CEREMONY_TELL, post(ceremony_tell))
        .route(path::EPOCH, post(epoch))
        .route(path::STANDING, post(standing))
        .route(path::SUPERVISION_HELD, post(supervision_held))
        .route(path::SUPERVISION_ORDERS, post(supervision_orders))
        .route(path::SUPERVISION_TELL, post(supervision_tell))
        .route(path::WITNESS, post(witness))
        .route(path::WITNESSED, post(witnessed))
        .route_layer(from_fn_with_state(small, pass_member));
    // Questions that are kept open have places of their own: an order to stop does not wait behind them.
    let questions = Router::new()
        .route(path::SUPERVISION_COSIGN, post(supervision_cosign))
        .route_layer(from_fn_with_state(shared(limits.writes), pass_member));
    talk.merge(deliveries)
        .merge(questions)
        .merge(pages)
        .fallback(common::no_such_path)
        .method_not_allowed_fallback(common::no_such_method)
        .layer(axum::middleware::from_fn(named))
        .with_state(Arc::new(Native { node }))
}

/// Without a member's name no route is reached: only the native listener gives one.
async fn named(request: Request, next: Next) -> Response {
    if request.extensions().get::<NativeCaller>().is_none() {
        return Error::Path.into_response();
    }
    next.run(request).await
}

async fn read<T: Message>(request: Request, limit: usize) -> Result<T, Error> {
    let bytes = body::read(request.into_body(), limit).await?;
    T::from_bytes(&bytes).map_err(|_| services::Error::Message("the body is not a message of this path").into())
}

fn answer(message: &impl Message) -> Bytes {
    message.to_bytes().into()
}

async fn deliver(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let batch: Batch = read(request, MAX_BATCH).await?;
    Ok(answer(&native.node.native_batch(&from, batch).await?))
}

async fn part(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let part: Part = read(request, MAX_BATCH).await?;
    Ok(answer(&native.node.native_part(&from, part).await?))
}

async fn document_part(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let part: DocumentPart = read(request, MAX_BATCH).await?;
    Ok(answer(&native.node.native_document_part(&from, part).await?))
}

async fn withdraw(State(native): Surface, request: Request) -> Result<Bytes, Error> {
    let message: Withdraw = read(request, MAX_MESSAGE).await?;
    native.node.native_withdraw(&message).await?;
    Ok(Bytes::new())
}

async fn epoch(State(native): Surface) -> Result<Bytes, Error> {
    Ok(native.node.native_epoch().await?.into())
}

async fn standing(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let said: Standing = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.native_standing(&from, &said)?))
}

async fn documents(State(native): Surface, request: Request) -> Result<Bytes, Error> {
    let asked: DocumentsAfter = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.few_documents(asked)?))
}

async fn take(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let documents: Documents = read(request, MAX_DOCUMENTS).await?;
    native.node.native_take(&from, documents).await?;
    Ok(Bytes::new())
}

async fn erase(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let order = body::read(request.into_body(), MAX_MESSAGE).await?;
    Ok(answer(&native.node.take_order(&from, order.to_vec()).await?))
}

async fn notice(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let notice = body::read(request.into_body(), MAX_NOTICE).await?;
    native.node.take_notice(&from, notice).await?;
    Ok(Bytes::new())
}

async fn orders(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let asked: OrdersAfter = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.orders_with(&from, &asked).await?))
}

async fn supervision_catch_up(
    State(native): Surface,
    Extension(NativeCaller(from)): Caller,
    request: Request,
) -> Result<Bytes, Error> {
    let asked: CatchUp = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.supervision_page(&from, &asked).await?))
}

async fn supervision_cosign(
    State(native): Surface,
    Extension(NativeCaller(from)): Caller,
    request: Request,
) -> Result<Bytes, Error> {
    let asked: CosignAsked = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.cosign_said(&from, &asked).await?))
}

async fn supervision_held(
    State(native): Surface,
    Extension(NativeCaller(from)): Caller,
    request: Request,
) -> Result<Bytes, Error> {
    let asked: HeldAsked = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.supervision_held(&from, &asked).await?))
}

async fn supervision_orders(State(native): Surface, request: Request) -> Result<Bytes, Error> {
    let asked: SupervisionAfter = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.supervision_orders(&asked)?))
}

async fn supervision_tell(
    State(native): Surface,
    Extension(NativeCaller(from)): Caller,
    request: Request,
) -> Result<Bytes, Error> {
    let order = body::read(request.into_body(), MAX_MESSAGE).await?;
    native.node.take_supervision_order(&from, &order).await?;
    Ok(Bytes::new())
}

async fn ceremony_compare(State(native): Surface, request: Request) -> Result<Bytes, Error> {
    let asked: CeremoniesAfter = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.ceremonies_after(&asked).await?))
}

async fn ceremony_tell(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let carried = body::read(request.into_body(), MAX_CARRIED).await?;
    native.node.take_carried(&from, &carried).await?;
    Ok(Bytes::new())
}

async fn resend(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let asked: Resend = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.native_resend(&from, &asked).await?))
}

async fn witness(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let asked: Witness = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.witness(&from, &asked).await?))
}

async fn witnessed(State(native): Surface, Extension(NativeCaller(from)): Caller, request: Request) -> Result<Bytes, Error> {
    let asked: Seen = read(request, MAX_MESSAGE).await?;
    Ok(answer(&native.node.witnessed(&from, &asked)?))
}
