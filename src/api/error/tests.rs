use super::*;
use crate::types::{Address, PayloadId, PeerUrl};

const KEY: Address = Address::new([7; 32]);
const ID: PayloadId = PayloadId::new([9; 64]);

fn url() -> PeerUrl {
    "http://127.0.0.1:9002".parse().unwrap()
}

fn delivery(source: PeerError) -> services::Error {
    services::Error::Delivery { recipient: KEY, source }
}

async fn answer(error: impl Into<Error>) -> (u16, String, String, Response) {
    let mut response = error.into().into_response();
    let body = std::mem::take(response.body_mut());
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let code = response.headers()[ERROR_HEADER].to_str().unwrap().to_owned();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
    (response.status().as_u16(), code, String::from_utf8(body.to_vec()).unwrap(), response)
}

#[tokio::test]
async fn each_verb_that_fails_has_its_status_code_and_text() {
    use services::Error as E;
    let refused = PeerError::Refused { url: url(), status: 403, message: "secret inside".into() };
    let cases: Vec<(services::Error, u16, &str, String)> = vec![
        (E::NotFound(ID), 404, "CEL2001", format!("Message with hash {ID} was not found")),
        (E::RawNotFound(ID), 404, "CEL2002", format!("Raw Message with hash {ID} was not found")),
        (E::RecipientUnknown(KEY), 404, "CEL2003", format!("Recipient not found for key: {KEY}")),
        (E::SenderUnknown(KEY), 404, "CEL2004", format!("Public key {KEY} not found when searching for private key")),
        (E::EnhancedPrivacyDisabled, 403, "CEL2006", "Enhanced Privacy is not enabled".into()),
        (
            E::PrivacyViolation("Recipients mismatched for Affected Txn x".into()),
            403,
            "CEL2010",
            "Recipients mismatched for Affected Txn x".into(),
        ),
        (E::Unbuildable("x".into()), 500, "CEL2012", "x".into()),
        (E::GroupsUnavailable, 503, "CEL2014", E::GroupsUnavailable.to_string()),
        (E::NotAKnownPeer("http://x/".into()), 403, "CEL3101", "http://x/ is not a known peer".into()),
        (
            E::NotARecipient { key: KEY, id: ID },
            500,
            "CEL3105",
            format!("Recipient {KEY} is not a recipient of transaction {ID}"),
        ),
        (E::KeysUnproved, 500, "CEL3106", String::new()),
        (E::NotAChallenge, 400, "CEL3107", "the decrypted payload is not a UUID".into()),
        (
            delivery(PeerError::Offline(url())),
            410,
            "CEL3001",
            format!("recipient {KEY}: Connection error while communicating with http://127.0.0.1:9002/"),
        ),
        (delivery(refused), 500, "CEL3002", "Unable to push payload to recipient url http://127.0.0.1:9002/".into()),
        (E::Enclave(EnclaveError::Broken), 500, "CEL5001", EnclaveError::Broken.to_string()),
        (
            E::Enclave(EnclaveError::Unavailable("/run/secret.sock".into())),
            503,
            "CEL5005",
            "the enclave of this node is unavailable; try again in a second".into(),
        ),
        (
            E::Store(StoreError::Io("/var/lib/x: no space".into())),
            503,
            "CEL4002",
            "the store of this node is unavailable; try again in a second".into(),
        ),
    ];
    for (error, status, code, text) in cases {
        let shown = format!("{error:?}");
        let (actual_status, actual_code, actual_text, _) = answer(error).await;
        assert_eq!((actual_status, actual_code.as_str(), actual_text), (status, code, text), "{shown}");
    }
}

#[tokio::test]
async fn an_offline_recipient_is_named_in_the_reason_phrase_too() {
    let (_, _, text, response) = answer(delivery(PeerError::Offline(url()))).await;
    let reason = response.extensions().get::<ReasonPhrase>().expect("a reason phrase");
    assert_eq!(reason.as_bytes(), text.as_bytes());
}

#[tokio::test]
async fn unavailability_says_when_to_try_again() {
    let (status, code, _, response) = answer(Error::Overloaded).await;
    assert_eq!((status, code.as_str()), (503, "CEL2111"));
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    let (_, _, _, response) = answer(Error::Path).await;
    assert!(!response.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn a_damaged_record_is_neither_absent_nor_worth_a_retry() {
    let corrupt = || services::Error::Store(StoreError::Corrupt("row".into()));
    assert!(!is_passing(&corrupt()));
    assert!(is_passing(&services::Error::Store(StoreError::Unavailable)));
    assert!(!is_passing(&services::Error::NotFound(ID)));
    assert_eq!(answer(corrupt()).await.0, 500);
}

#[tokio::test]
async fn a_panic_becomes_an_answer_that_repeats_nothing() {
    async fn broken() -> &'static str {
        panic!("secret")
    }
    let router = axum::Router::new()
        .route("/", axum::routing::get(broken))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(panicked));
    let request = axum::extract::Request::new(axum::body::Body::empty());
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()[ERROR_HEADER], "CEL2112");
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert!(!body.windows(6).any(|window| window == b"secret"));
}
