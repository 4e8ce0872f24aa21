use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::act::names;
use super::{Act, Role};
use crate::api::error::{ERROR_HEADER, service_status};
use crate::services;
use crate::types::{Code, Coded};

/// Why the admin surface does not do what was asked. Never holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// An act endpoint of a node without `[access]`.
    #[error("this node has no [access] configured: nobody can be told from anybody, so it takes no acts")]
    AccessOff,
    /// A second approval, or one of an act that is over.
    #[error("this act is over ({0}): ask for it anew if it is still wanted")]
    ActOver(&'static str),
    /// An approval that came too late.
    #[error("this act has expired: ask for it anew")]
    ActExpired,
    /// A request for an act that cannot be read.
    #[error("this is no act: {0}")]
    ActMalformed(String),
    /// An id of no act.
    #[error("no act with this id waits here")]
    ActUnknown,
    /// The files of pending acts cannot be written.
    #[error("the act cannot be kept: {0}")]
    Folder(std::io::Error),
    /// A certificate out of its dates.
    #[error("the client certificate is not valid now: renew it, and check the clocks")]
    CertificateDates,
    /// A certificate that nobody has a role by.
    #[error("the client certificate is not among [[access.certificate]]")]
    CertificateUnknown,
    /// An `Authorization` header that cannot be understood.
    #[error("the Authorization header is not one `Bearer` and a token")]
    Header,
    /// A Host header of another machine, where nobody is told from anybody.
    #[error(
        "this surface is called by its address, by `localhost` or by the name in its configuration, and the Host header has another"
    )]
    Host,
    /// The issuer does not answer, or answers nonsense.
    #[error("the issuer of tokens cannot be asked for its keys: {0}; try again in a few seconds")]
    Issuer(&'static str),
    /// No credential at all.
    #[error("this surface needs a client certificate or a bearer token")]
    NoCredential,
    /// A good credential without a role.
    #[error("the credential is good and gives no role here")]
    NoRole,
    /// A document in a body that any web page can send.
    #[error("the Content-Type must be application/vnd.celosia.note or application/octet-stream")]
    NoteType,
    /// Nothing that this act could change.
    #[error("there is nothing to do: {0}")]
    NotApplicable(&'static str),
    /// A role that may not do this.
    #[error("{act} needs the role {}", names(roles))]
    Role {
        /// What was asked.
        act: Act,
        /// Who may.
        roles: Vec<Role>,
    },
    /// The same person twice.
    #[error("a dangerous act needs two people: the one who asked for it cannot approve it")]
    SamePerson,
    /// The act was begun and went wrong.
    #[error(transparent)]
    Service(#[from] services::Error),
    /// An algorithm that is not taken: `none`, HMAC, or unknown.
    #[error("the token's algorithm is not taken: only asymmetric signatures are")]
    TokenAlgorithm,
    /// A token for somebody else.
    #[error("the token is not for this audience")]
    TokenAudience,
    /// Claims that are missing or of the wrong type.
    #[error("the token's claim {0} is missing or cannot be used")]
    TokenClaim(&'static str),
    /// A token that is over.
    #[error("the token has expired")]
    TokenExpired,
    /// A token of another issuer.
    #[error("the token is of another issuer")]
    TokenIssuer,
    /// A key that the issuer does not publish.
    #[error("the token is signed with a key that its issuer does not publish")]
    TokenKey,
    /// A token that is none.
    #[error("the token is no signed access token (RFC 7519, RFC 9068)")]
    TokenMalformed,
    /// A token that is not valid yet.
    #[error("the token is not valid yet: check the clocks")]
    TokenNotYet,
    /// A signature that does not verify.
    #[error("the token's signature does not verify")]
    TokenSignature,
    /// Too many acts wait.
    #[error("too many acts wait for a second person: approve some, or let them expire")]
    TooManyActs,
    /// Too many acts of one person wait.
    #[error("as many acts of yours wait as may: withdraw some, have them approved, or let them expire")]
    TooManyOfOne,
    /// Too many failed log-ins.
    #[error("too many failed log-ins; try again in {0} seconds")]
    TooManyFailures(u64),
}

impl Coded for Refusal {
    fn code(&self) -> Code {
        match self {
            Self::NoCredential => Code(2301),
            Self::CertificateUnknown => Code(2302),
            Self::CertificateDates => Code(2303),
            Self::Header => Code(2304),
            Self::TokenMalformed => Code(2305),
            Self::TokenAlgorithm => Code(2306),
            Self::TokenKey => Code(2307),
            Self::TokenSignature => Code(2308),
            Self::TokenExpired => Code(2309),
            Self::TokenNotYet => Code(2310),
            Self::TokenIssuer => Code(2311),
            Self::TokenAudience => Code(2312),
            Self::TokenClaim(_) => Code(2313),
            Self::NoRole => Code(2314),
            Self::Role { .. } => Code(2315),
            Self::TooManyFailures(_) => Code(2316),
            Self::Issuer(_) => Code(2317),
            Self::AccessOff => Code(2318),
            Self::ActMalformed(_) => Code(2319),
            Self::ActUnknown => Code(2320),
            Self::SamePerson => Code(2321),
            Self::ActExpired => Code(2322),
            Self::ActOver(_) => Code(2323),
            Self::TooManyActs => Code(2324),
            Self::NotApplicable(_) => Code(2325),
            Self::Folder(_) => Code(2326),
            Self::Host => Code(2327),
            Self::NoteType => Code(2328),
            Self::TooManyOfOne => Code(2329),
            Self::Service(error) => error.code(),
        }
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoCredential | Self::CertificateUnknown | Self::CertificateDates => StatusCode::UNAUTHORIZED,
            _ if self.is_bad_token() => StatusCode::UNAUTHORIZED,
            Self::Header | Self::ActMalformed(_) => StatusCode::BAD_REQUEST,
            Self::NoRole | Self::Role { .. } | Self::SamePerson | Self::AccessOff | Self::Host => StatusCode::FORBIDDEN,
            Self::TooManyFailures(_) | Self::TooManyOfOne => StatusCode::TOO_MANY_REQUESTS,
            Self::Issuer(_) | Self::TooManyActs => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoteType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ActUnknown => StatusCode::NOT_FOUND,
            Self::ActExpired => StatusCode::GONE,
            Self::ActOver(_) | Self::NotApplicable(_) => StatusCode::CONFLICT,
            Self::Service(error) => service_status(error),
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether it is a failed log-in by token.
    pub(super) fn is_bad_token(&self) -> bool {
        matches!(
            self,
            Self::TokenMalformed
                | Self::TokenAlgorithm
                | Self::TokenKey
                | Self::TokenSignature
                | Self::TokenExpired
                | Self::TokenNotYet
                | Self::TokenIssuer
                | Self::TokenAudience
                | Self::TokenClaim(_)
        )
    }

    /// RFC 6750 section 3.
    fn challenge(&self, status: StatusCode) -> Option<String> {
        const REALM: &str = "Bearer realm=\"celosia\"";
        match (self, status) {
            (_, StatusCode::UNAUTHORIZED) if self.is_bad_token() => {
                Some(format!("{REALM}, error=\"invalid_token\", error_description=\"{self}\""))
            }
            (_, StatusCode::UNAUTHORIZED) => Some(REALM.to_owned()),
            (Self::Header, _) => Some(format!("{REALM}, error=\"invalid_request\"")),
            (Self::Role { .. } | Self::NoRole, _) => Some(format!("{REALM}, error=\"insufficient_scope\"")),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code().to_string());
        if status.is_server_error() {
            tracing::warn!(code, error = %self, "admin request failed");
        }
        let mut response = (status, Json(json!({ "code": code, "message": self.to_string() }))).into_response();
        let headers = response.headers_mut();
        let mut set = |name, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        set(ERROR_HEADER, code);
        if let Some(challenge) = self.challenge(status) {
            set(WWW_AUTHENTICATE, challenge);
        }
        match self {
            Self::TooManyFailures(seconds) => set(RETRY_AFTER, seconds.to_string()),
            Self::Issuer(_) => set(RETRY_AFTER, "5".to_owned()),
            _ => {}
        }
        response
    }
}
