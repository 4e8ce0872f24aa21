//! From errors to status codes: the only place that knows both.
//!
//! A caller gets Tessera's text (`text/plain`) and the stable code in the header `celosia-error`; what is inside goes to the log alone.

use std::any::Any;
use std::borrow::Cow;

use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;

use super::request::RequestError;
use crate::enclave::EnclaveError;
use crate::matter::MatterError;
use crate::services::{
    self, DisclosureError, DocumentError, ErasureError, HoldError, PeerError, RelayError, ReturnError, SupervisionError,
};
use crate::store::StoreError;
use crate::types::{Code, Coded};
use crate::wire::DecodeError;

/// The header of the stable code.
pub(crate) const ERROR_HEADER: HeaderName = HeaderName::from_static("celosia-error");

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `Accept` of `/api` names neither JSON nor YAML.
    #[error("this document is served as application/json or application/yaml")]
    Accept,
    /// The connection broke inside the body, or the body is not framed as HTTP wants it.
    #[error("the body of the request could not be read to its end")]
    BodyBroken,
    /// A body longer than the configured limit.
    #[error("the body is longer than the {0} bytes that this node takes")]
    BodyTooLarge(usize),
    /// A payload, party info or group of a peer that does not decode.
    #[error("the body does not decode: {0}")]
    Malformed(#[from] DecodeError),
    /// A method that the path does not have.
    #[error("this path has no such method; the header Allow names those that it has")]
    Method,
    /// More requests than may wait.
    #[error("this node is busy; try again in a second")]
    Overloaded,
    /// A bug: the handler panicked.
    #[error("internal error; please report it with the code and the log around it")]
    Panicked,
    /// A path that this surface does not have.
    #[error("no such path on this surface")]
    Path,
    /// What the request says cannot be.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A verb that was not done.
    #[error(transparent)]
    Service(#[from] services::Error),
    /// A `Content-Type` that the path does not take.
    #[error("this path does not take that Content-Type; it takes {0}")]
    Type(&'static str),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Path => Code(2105),
            Self::Method => Code(2106),
            Self::Type(_) => Code(2107),
            Self::Accept => Code(2108),
            Self::BodyTooLarge(_) => Code(2109),
            Self::BodyBroken => Code(2110),
            Self::Overloaded => Code(2111),
            Self::Panicked => Code(2112),
            Self::Malformed(_) => Code(3110),
            Self::Request(error) => error.code(),
            Self::Service(error) => error.code(),
        }
    }
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Accept | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(_) | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Request(error) => request_status(error),
            Self::Service(error) => service_status(error),
            Self::Type(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// What the caller is told.
    fn message(&self) -> Cow<'static, str> {
        match self {
            Self::Service(error) => service_message(error),
            other => other.to_string().into(),
        }
    }

    /// Writes to the log what the caller is not told. Never a recipient's key: those are in the messages of `services::Error`.
    fn log(&self, status: StatusCode) {
        let code = self.code();
        match self {
            Self::Service(services::Error::Enclave(EnclaveError::LowOrder(_))) => tracing::debug!(%code, "request refused"),
            Self::Service(services::Error::Enclave(error)) => tracing::warn!(%code, %error, "request failed: enclave"),
            Self::Service(services::Error::Store(error)) => tracing::warn!(%code, %error, "request failed: store"),
            Self::Service(services::Error::Peer(error) | services::Error::Delivery { source: error, .. }) => {
                tracing::warn!(%code, error = error.without_words(), "request failed: peer");
            }
            _ if status.is_server_error() => tracing::warn!(%code, "request failed"),
            _ => tracing::debug!(%code, %status, "request refused"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        self.log(status);
        let mut response = (status, self.message()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        if let Ok(code) = HeaderValue::try_from(self.code().to_string()) {
            headers.insert(ERROR_HEADER, code);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // RFC 9110 section 14.4: how long it is.
        if let Self::Service(services::Error::Kept(DocumentError::Range(size))) = &self
            && let Ok(range) = HeaderValue::try_from(format!("bytes */{size}"))
        {
            headers.insert(CONTENT_RANGE, range);
        }
        // Tessera tells an offline peer in the reason phrase, and its callers read it there.
        if let Self::Service(services::Error::Delivery { source: PeerError::Offline(_), .. }) = &self
            && let Ok(reason) = ReasonPhrase::try_from(self.message().into_owned())
        {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

/// The answer in place of a handler that panicked. Its message may hold anything, so it is not repeated.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!(code = %Error::Panicked.code(), "a handler panicked");
    Error::Panicked.into_response()
}

/// Whether waiting may help: the store or the enclave is in trouble now.
pub(crate) fn is_passing(error: &services::Error) -> bool {
    match error {
        services::Error::Store(StoreError::Corrupt(_) | StoreError::Version { .. }) => false,
        services::Error::Store(_) => true,
        services::Error::Enclave(error) => matches!(error, EnclaveError::Shred(_) | EnclaveError::Unavailable(_)),
        _ => false,
    }
}

fn request_status(error: &RequestError) -> StatusCode {
    use RequestError as E;
    match error {
        E::NotFound(_) | E::RawNotFound(_) | E::RecipientUnknown(_) | E::SenderUnknown(_) => StatusCode::NOT_FOUND,
        E::AffectedNotFound(_) => StatusCode::FORBIDDEN,
        E::Field { .. } | E::Json(_) | E::PathId | E::PayloadMissing | E::Tag(_) => StatusCode::BAD_REQUEST,
    }
}

pub(super) fn service_status(error: &services::Error) -> StatusCode {
    use services::Error as E;
    match error {
        E::BadRequest(_)
        | E::Tag(_)
        | E::Enclave(EnclaveError::LowOrder(_) | EnclaveError::Refused(_))
        | E::Message(_)
        | E::NotAChallenge
        | E::NotMandatoryType
        | E::BodyBroken
        | E::Upload => StatusCode::BAD_REQUEST,
        E::EnhancedPrivacyDisabled
        | E::EnhancedPrivacyUnsupported(_)
        | E::GroupUnsupported(_)
        | E::MandatoryUnsupported(_)
        | E::NotAKnownPeer(_)
        | E::ClockApart { .. }
        | E::EpochKey(_)
        | E::NotAMember(_)
        | E::NotInDirectory(_)
        | E::NotItsOwn { .. }
        | E::OurOwn
        | E::Policy(_)
        | E::PolicyAge(_)
        | E::PrivacyViolation(_)
        | E::Recovering(_)
        | E::WithdrawRefused => StatusCode::FORBIDDEN,
        E::Enclave(EnclaveError::Erased | EnclaveError::NoEscrow | EnclaveError::NotOurs(_))
        | E::GroupNotFound(_)
        | E::NoReceipt(_)
        | E::NotGoverned
        | E::ItemNotFound(_)
        | E::NotFound(_)
        | E::RawNotFound(_)
        | E::RecipientUnknown(_)
        | E::SenderUnknown(_) => StatusCode::NOT_FOUND,
        E::Kept(error) => document_status(error),
        E::Erased(_) => StatusCode::GONE,
        E::Erasure(error) => erasure_status(error),
        E::Hold(error) => hold_status(error),
        E::Supervision(error) => supervision_status(error),
        E::Relay(error) => relay_status(error),
        E::Matter(error) => matter_status(error),
        E::Disclosure(error) => disclosure_status(error),
        E::Return(error) => return_status(error),
        E::Enclave(EnclaveError::HoldKeyGone | EnclaveError::ReturnKeyGone) | E::Leaving(_) => StatusCode::CONFLICT,
        E::GroupsUnavailable | E::RolledBack(_) => StatusCode::SERVICE_UNAVAILABLE,
        E::Document(_) => StatusCode::UNPROCESSABLE_ENTITY,
        E::Delivery { source, .. } | E::Peer(source) => match source {
            PeerError::Offline(_) => StatusCode::GONE,
            PeerError::Declined { status: 403, .. } => StatusCode::FORBIDDEN,
            // A recipient knows of an order to stop that has not come here yet.
            PeerError::Declined { status: 451, .. } => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
        other if is_passing(other) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn erasure_status(error: &ErasureError) -> StatusCode {
    match error {
        ErasureError::Unknown(_) => StatusCode::NOT_FOUND,
        ErasureError::Forbidden(_) | ErasureError::Blocked(_) | ErasureError::Late => StatusCode::CONFLICT,
        ErasureError::Nothing => StatusCode::UNPROCESSABLE_ENTITY,
        ErasureError::Order(_) => StatusCode::FORBIDDEN,
        ErasureError::Guards(_) => StatusCode::TOO_MANY_REQUESTS,
        ErasureError::Text | ErasureError::Past => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn matter_status(error: &MatterError) -> StatusCode {
    match error {
        MatterError::Unknown(_) => StatusCode::NOT_FOUND,
        MatterError::State(..) | MatterError::Acknowledged(_) | MatterError::TooMany => StatusCode::CONFLICT,
        MatterError::Level(_) => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn return_status(error: &ReturnError) -> StatusCode {
    match error {
        ReturnError::NotBegun(_) | ReturnError::Silent(_) => StatusCode::CONFLICT,
        ReturnError::Form(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    }
}

fn disclosure_status(error: &DisclosureError) -> StatusCode {
    use crate::disclosure::Refused as R;
    use DisclosureError as E;
    match error {
        E::Unknown(_) => StatusCode::NOT_FOUND,
        E::Exists(_) | E::NotYet | E::Shares { .. } | E::Refused(R::State(..) | R::Views | R::TooFew { .. }) => {
            StatusCode::CONFLICT
        }
        E::Nothing | E::TooMany(_) => StatusCode::UNPROCESSABLE_ENTITY,
        E::Refused(R::Form(..) | R::Network(_) | R::Window(_)) => StatusCode::BAD_REQUEST,
        E::Refused(R::Expired | R::Revoked | R::Erased(..)) => StatusCode::GONE,
        _ => StatusCode::FORBIDDEN,
    }
}

fn hold_status(error: &HoldError) -> StatusCode {
    match error {
        HoldError::Unknown(_) => StatusCode::NOT_FOUND,
        HoldError::NotActive(..)
        | HoldError::NoCommittee
        | HoldError::Held { .. }
        | HoldError::AnswerNeeded(_)
        | HoldError::TooFewAnswers { .. } => StatusCode::CONFLICT,
        HoldError::Narrowed(_) => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        HoldError::Nothing => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn supervision_status(error: &SupervisionError) -> StatusCode {
    match error {
        SupervisionError::Unknown(_) | SupervisionError::NotQueued(_) => StatusCode::NOT_FOUND,
        SupervisionError::Lifted(_) | SupervisionError::Answered(_) => StatusCode::CONFLICT,
        SupervisionError::Stopped { .. } | SupervisionError::CosignRefused { .. } => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        SupervisionError::Absent { .. } | SupervisionError::CosignLate(_) => StatusCode::GONE,
        SupervisionError::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
        SupervisionError::Text => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    }
}

fn relay_status(error: &RelayError) -> StatusCode {
    match error {
        RelayError::Unknown(_) => StatusCode::NOT_FOUND,
        RelayError::Form(_) | RelayError::Long(_) => StatusCode::BAD_REQUEST,
        RelayError::Full(_) => StatusCode::TOO_MANY_REQUESTS,
        RelayError::Past | RelayError::Third | RelayError::Ceremony(_) => StatusCode::CONFLICT,
        _ => StatusCode::FORBIDDEN,
    }
}

fn document_status(error: &DocumentError) -> StatusCode {
    use DocumentError as E;
    match error {
        E::NotGoverned | E::NotFound(_) => StatusCode::NOT_FOUND,
        E::Erased(_) => StatusCode::GONE,
        E::Blocked(_) => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        E::Unfinished(_) | E::Complete(_) | E::Offset { .. } | E::Conflict(_) => StatusCode::CONFLICT,
        E::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        E::Length(_) | E::BadId | E::Manifest(_) | E::NotOffered => StatusCode::BAD_REQUEST,
        E::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        E::Busy(_) => StatusCode::LOCKED,
        E::Tessera(_) | E::NotOurs(_) => StatusCode::FORBIDDEN,
        E::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        E::Damaged(_) => StatusCode::INTERNAL_SERVER_ERROR,
        E::TusVersion => StatusCode::PRECONDITION_FAILED,
        E::TooManyUploads(_) => StatusCode::TOO_MANY_REQUESTS,
    }
}

fn service_message(error: &services::Error) -> Cow<'static, str> {
    use services::Error as E;
    match error {
        E::Delivery { source: PeerError::Refused { url, .. } | PeerError::Malformed(url), .. } => {
            format!("Unable to push payload to recipient url {url}").into()
        }
        // Tessera says nothing when a peer proves no key.
        E::KeysUnproved => "".into(),
        E::Store(StoreError::Corrupt(_)) => "the record is damaged; the operator of this node must run `celosia fsck`".into(),
        E::Store(_) => "the store of this node is unavailable; try again in a second".into(),
        E::Enclave(EnclaveError::Shred(_)) => "the key tree of this node is unavailable; try again in a second".into(),
        E::Enclave(EnclaveError::Unavailable(_)) => "the enclave of this node is unavailable; try again in a second".into(),
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
