//! The way to other members over HTTP, as Tessera speaks it, and Celosia's additions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};

use super::client::{Answer, ClientError, Connector, Exchange, Http};
use super::tls::ClientTls;
use crate::services::{Capabilities, Delivered, PeerError, Peers, ResendScope, WithdrawToken};
use crate::types::{Address, ApiVersion, Codec, PayloadId, PeerUrl, VersionSet};

/// API versions that the caller, or the answering peer, speaks: one header line each.
pub const VERSIONS_HEADER: HeaderName = HeaderName::from_static("tesserasupportedapiversions");

/// Says that this is a Celosia, and of which protocol version.
pub const CELOSIA_HEADER: HeaderName = HeaderName::from_static("celosia-version");

/// Version of Celosia's additions to the peer protocol.
pub const CELOSIA_PROTOCOL: &str = "1";

/// How a delivery can be taken back: the token in hexadecimal.
pub const WITHDRAW_HEADER: HeaderName = HeaderName::from_static("celosia-withdraw");

/// Longest answer to anything but a resend.
const SHORT_BODY: usize = 64 * 1024;

/// Characters of a peer's error text that are kept.
const MESSAGE_CHARS: usize = 200;

const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// How long exchanges with peers may take.
#[derive(Clone, Debug)]
pub struct Budgets {
    /// Name look-up, connection and TLS handshake.
    pub connect: Duration,
    /// One exchange, connection included: inside GoQuorum's 5 s.
    pub exchange: Duration,
    /// An exchange in which the peer pushes everything that it has: recovery.
    pub bulk: Duration,
    /// Longest payload that a peer may give back, encoded, in bytes.
    pub max_payload: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            exchange: Duration::from_secs(3),
            bulk: Duration::from_mins(10),
            max_payload: 64 * 1024 * 1024,
        }
    }
}

/// Peers reached over HTTP/1.1, with or without TLS.
#[derive(Debug)]
pub struct HttpPeers {
    http: Http,
    budgets: Budgets,
    all_versions: HeaderMap,
    without_cbor: HeaderMap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResendRequest<'a> {
    r#type: &'static str,
    public_key: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a PayloadId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResendBatchRequest<'a> {
    public_key: &'a Address,
}

#[derive(Deserialize)]
struct ResendBatchAnswer {
    total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PushBatchRequest {
    encoded_payloads: Vec<String>,
}

#[derive(Serialize)]
struct WithdrawRequest<'a> {
    id: &'a PayloadId,
    token: String,
}

impl HttpPeers {
    /// Peers whose `https` URLs are trusted as `tls` says.
    pub fn new(tls: Option<Arc<ClientTls>>, budgets: Budgets) -> Self {
        Self {
            http: Http::new(Connector::network(tls, budgets.connect)),
            budgets,
            all_versions: version_headers(VersionSet::ALL),
            without_cbor: version_headers(VersionSet::ALL.without(ApiVersion::V5)),
        }
    }

    async fn post(&self, to: &PeerUrl, path: &str, body: Body, bounds: &Exchange) -> Result<Answer, PeerError> {
        let mut request = Request::post(to.join(path)).body(Full::new(body.bytes)).map_err(|_| PeerError::Offline(to.clone()))?;
        *request.headers_mut() = if body.legacy { &self.without_cbor } else { &self.all_versions }.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(body.media_type));
        let answer = self.http.exchange(request, bounds).await.map_err(|error| failed(to, path, &error))?;
        if matches!(answer.status, StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(answer);
        }
        Err(PeerError::Refused { url: to.clone(), status: answer.status.as_u16(), message: message(&answer) })
    }

    fn short(&self) -> Exchange {
        Exchange { budget: self.budgets.exchange, max_body: SHORT_BODY, repeat: true }
    }

    fn bulk(&self) -> Exchange {
        Exchange { budget: self.budgets.bulk, ..self.short() }
    }
}

struct Body {
    media_type: &'static str,
    bytes: Bytes,
    /// A payload in the legacy codec: the header must not list 5.0.
    legacy: bool,
}

impl Body {
    fn octets(bytes: Bytes) -> Self {
        Self { media_type: OCTETS, bytes, legacy: false }
    }

    fn json(value: &impl Serialize) -> Self {
        // Structs of strings always serialise; an empty body would be refused by the peer with a clear 400.
        Self { media_type: JSON, bytes: serde_json::to_vec(value).unwrap_or_default().into(), legacy: false }
    }
}

#[async_trait]
impl Peers for HttpPeers {
    async fn push(&self, to: &PeerUrl, codec: Codec, payload: Bytes) -> Result<Delivered, PeerError> {
        let body = Body { legacy: codec == Codec::Legacy, ..Body::octets(payload) };
        let answer = self.post(to, "push", body, &self.short()).await?;
        Ok(Delivered { withdraw: answer.headers.get(WITHDRAW_HEADER).and_then(token) })
    }

    async fn withdraw(&self, to: &PeerUrl, id: &PayloadId, token: WithdrawToken) -> Result<(), PeerError> {
        let request = WithdrawRequest { id, token: HEXLOWER.encode(&token.0) };
        self.post(to, "withdraw", Body::json(&request), &self.short()).await.map(drop)
    }

    async fn party_info(&self, to: &PeerUrl, body: Bytes) -> Result<Capabilities, PeerError> {
        self.post(to, "partyinfo", Body::octets(body), &self.short()).await.map(|answer| capabilities(&answer.headers))
    }

    async fn validate(&self, to: &PeerUrl, payload: Bytes) -> Result<Bytes, PeerError> {
        self.post(to, "partyinfo/validate", Body::octets(payload), &self.short()).await.map(|answer| answer.body)
    }

    async fn resend(&self, to: &PeerUrl, key: &Address, scope: ResendScope) -> Result<Bytes, PeerError> {
        let (request, bounds) = match &scope {
            ResendScope::All => (ResendRequest { r#type: "ALL", public_key: key, key: None }, self.bulk()),
            ResendScope::Individual(id) => {
                let bounds = Exchange { max_body: self.budgets.max_payload, ..self.short() };
                (ResendRequest { r#type: "INDIVIDUAL", public_key: key, key: Some(id) }, bounds)
            }
        };
        self.post(to, "resend", Body::json(&request), &bounds).await.map(|answer| answer.body)
    }

    async fn resend_batch(&self, to: &PeerUrl, key: &Address) -> Result<u64, PeerError> {
        let request = ResendBatchRequest { public_key: key };
        let answer = self.post(to, "resendBatch", Body::json(&request), &self.bulk()).await?;
        let read: ResendBatchAnswer = serde_json::from_slice(&answer.body).map_err(|_| PeerError::Malformed(to.clone()))?;
        Ok(read.total)
    }

    async fn push_batch(&self, to: &PeerUrl, payloads: Vec<Bytes>) -> Result<(), PeerError> {
        let request = PushBatchRequest { encoded_payloads: payloads.iter().map(|payload| BASE64.encode(payload)).collect() };
        self.post(to, "pushBatch", Body::json(&request), &self.bulk()).await.map(drop)
    }

    async fn push_group(&self, to: &PeerUrl, group: Bytes) -> Result<(), PeerError> {
        self.post(to, "pushPrivacyGroup", Body::octets(group), &self.short()).await.map(drop)
    }
}

/// The headers with which we present ourselves.
fn version_headers(versions: VersionSet) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in versions.header_names() {
        headers.append(VERSIONS_HEADER, HeaderValue::from_static(name));
    }
    headers.insert(CELOSIA_HEADER, HeaderValue::from_static(CELOSIA_PROTOCOL));
    headers
}

fn token(value: &HeaderValue) -> Option<WithdrawToken> {
    HEXLOWER.decode(value.as_bytes()).ok()?.try_into().ok().map(WithdrawToken)
}

/// What the headers of a peer's request or answer say of it.
pub fn capabilities(headers: &HeaderMap) -> Capabilities {
    let values = headers.get_all(VERSIONS_HEADER).iter().filter_map(|value| value.to_str().ok());
    Capabilities { versions: VersionSet::parse(values), celosia: headers.contains_key(CELOSIA_HEADER) }
}

fn failed(to: &PeerUrl, path: &str, error: &ClientError) -> PeerError {
    tracing::debug!(peer = %to, path, %error, "an exchange with a peer failed");
    match error {
        ClientError::Body(_) => PeerError::Malformed(to.clone()),
        _ => PeerError::Offline(to.clone()),
    }
}

/// A peer's error text, fit for a log: printable, short. Tessera gives some of them in the reason phrase alone.
fn message(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let text = if body.trim().is_empty() { answer.reason.as_deref().unwrap_or_default() } else { &body };
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_six_lines_and_five_without_cbor() {
        let all = version_headers(VersionSet::ALL);
        let lines: Vec<_> = all.get_all(VERSIONS_HEADER).iter().collect();
        assert_eq!(lines, ["2.1", "3.0", "4.0", "5.0", "v1", "v2"]);
        assert_eq!(capabilities(&all), Capabilities { versions: VersionSet::ALL, celosia: true });
        let legacy = version_headers(VersionSet::ALL.without(ApiVersion::V5));
        assert_eq!(legacy.get_all(VERSIONS_HEADER).iter().count(), 5);
        assert_eq!(capabilities(&legacy).versions.codec(), Codec::Legacy);
        assert_eq!(capabilities(&HeaderMap::new()), Capabilities::default());
    }

    #[test]
    fn an_error_text_is_printable_and_short() {
        let answer = |body: &'static [u8], reason: Option<&str>| Answer {
            status: StatusCode::GONE,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body),
            reason: reason.map(str::to_owned),
        };
        assert_eq!(message(&answer(b"a\x1b[31m\r\nb\xff", None)), "a[31mb\u{fffd}");
        assert_eq!(message(&answer(b" ", Some("Connection error"))), "Connection error");
        assert_eq!(message(&answer(&[b'x'; 900], None)).len(), 200);
    }
}
