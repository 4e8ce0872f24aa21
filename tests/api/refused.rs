//! Bad input on every path: status, stable code and text; never a panic, never a payload in an error.

use crate::http::{Answer, Connection, JSON, OCTETS, Request, V2_1, V4, get, post, request};
use crate::network::Network;

const UNKNOWN: &str = "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc=";
const ABSENT: &str = "bIydev/uT1/cwE5j5x3mFQHq6pIWsGUdCbQ6rc1s85xXAYKZSWfEMev8365zivYrDT+hFZu5RAe+tyUSehujyw==";

struct Case {
    request: Request,
    status: u16,
    code: &'static str,
    /// The text, or its start if it ends in `…`.
    text: String,
}

fn case(request: Request, status: u16, code: &'static str, text: impl Into<String>) -> Case {
    Case { request, status, code, text: text.into() }
}

async fn check(mut surface: Connection, cases: Vec<Case>) {
    for (at, case) in cases.into_iter().enumerate() {
        let answer: Answer = surface.send(&case.request).await;
        let matches = match case.text.strip_suffix('…') {
            Some(start) => answer.text().starts_with(start),
            None => answer.text() == case.text,
        };
        assert!(matches, "case {at}: {:?} is not {:?}; {answer:?}", answer.text(), case.text);
        assert_eq!((answer.status, answer.header("celosia-error")), (case.status, Some(case.code)), "case {at}: {answer:?}");
        assert_eq!(answer.media(), "text/plain", "case {at}");
        assert!(!answer.text().contains("c2VjcmV0") && !answer.text().contains("secret"), "case {at}: {answer:?}");
    }
    assert_eq!(surface.send(&get("/upcheck")).await.status, 200, "the connection is still good");
}

/// What every JSON path says of bodies that are none.
fn broken(path: &str) -> Vec<Case> {
    vec![
        case(post(path, JSON, ""), 400, "CEL2101", "the body is not valid JSON…"),
        case(post(path, JSON, r#"{"payload":"c2VjcmV0""#), 400, "CEL2101", "the body is not valid JSON…"),
        case(post(path, JSON, "secret"), 400, "CEL2101", "the body is not valid JSON…"),
        case(post(path, JSON, b"\xff\xfe".as_slice()), 400, "CEL2101", "the body is not valid JSON…"),
        case(post(path, JSON, "{} secret"), 400, "CEL2101", "…"),
        case(post(path, JSON, "[1"), 400, "CEL2101", "…"),
        case(post(path, "text/plain", "{}"), 415, "CEL2107", "this path does not take that Content-Type…"),
        case(request("PUT", path), 405, "CEL2106", "this path has no such method…"),
        case(post(path, JSON, vec![b' '; 1024 * 1024 + 1]), 413, "CEL2109", "the body is longer than the 1048576 bytes…"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn json_paths_refuse_what_is_no_json() {
    let network = Network::start().await;
    for path in [
        "/send",
        "/sendsignedtx",
        "/storeraw",
        "/encodedpayload/create",
        "/encodedpayload/decrypt",
        "/createPrivacyGroup",
        "/findPrivacyGroup",
        "/retrievePrivacyGroup",
        "/deletePrivacyGroup",
        "/delete",
        "/receive",
    ] {
        check(network.a.node().await, broken(path)).await;
    }
    check(network.a.applications().await, broken("/storeraw")).await;
    for path in ["/resend", "/resendBatch", "/pushBatch", "/withdraw"] {
        check(network.a.peers().await, broken(path)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_refuses_what_cannot_be_sent() {
    let network = Network::start().await;
    let key = network.b.key();
    let send = |body: String| post("/send", V4, body);
    let with = |members: &str| send(format!(r#"{{"payload":"c2VjcmV0",{members}}}"#));
    let cases = vec![
        case(send("{}".into()), 400, "CEL2103", "payload: missing or empty; a transaction needs at least one byte"),
        case(send(r#"{"payload":""}"#.into()), 400, "CEL2103", "payload: missing or empty…"),
        case(send(r#"{"payload":null}"#.into()), 400, "CEL2103", "payload: missing or empty…"),
        case(send(r#"{"payload":"c2VjcmV0!"}"#.into()), 400, "CEL2102", "payload: not valid base64…"),
        case(send(r#"{"payload":["c2VjcmV0"]}"#.into()), 400, "CEL2101", "payload: a value of the wrong type…"),
        case(with(r#""to":"x""#), 400, "CEL2101", "to: a value of the wrong type…"),
        case(with(r#""to":["?"]"#), 400, "CEL2102", "to[0]: not valid base64…"),
        case(with(r#""to":["AAAA"]"#), 404, "CEL2003", "Recipient not found for key: AAAA"),
        case(with(&format!(r#""to":["{UNKNOWN}"]"#)), 404, "CEL2003", format!("Recipient not found for key: {UNKNOWN}")),
        case(with(r#""from":"?""#), 400, "CEL2102", "from: not valid base64…"),
        case(with(&format!(r#""from":"{UNKNOWN}""#)), 404, "CEL2004", format!("Public key {UNKNOWN} not found…")),
        case(with(r#""privacyFlag":3"#), 400, "CEL2102", "execHash: missing or empty; privacy flag 3 needs it"),
        case(with(r#""privacyFlag":"secret""#), 400, "CEL2101", "privacyFlag: a value of the wrong type…"),
        case(with(r#""privacyFlag":2"#), 500, "CEL2012", "mandatory recipients go with privacy flag 2…"),
        case(with(r#""execHash":"x""#), 500, "CEL2012", "an execution hash goes with privacy flag 3…"),
        case(
            with(r#""privacyFlag":1,"affectedContractTransactions":["?"]"#),
            400,
            "CEL2102",
            "affectedContractTransactions[0]: …",
        ),
        case(
            with(r#""privacyFlag":1,"affectedContractTransactions":["AAAA"]"#),
            403,
            "CEL2010",
            "Unable to find affectedContractTransaction AAAA",
        ),
        case(
            with(&format!(r#""privacyFlag":1,"affectedContractTransactions":["{ABSENT}"]"#)),
            403,
            "CEL2010",
            format!("Unable to find affectedContractTransaction {ABSENT}"),
        ),
        case(with(r#""privacyGroupId":"?""#), 400, "CEL2102", "privacyGroupId: not valid base64…"),
        case(
            with(&format!(r#""to":["{key}"],"privacyFlag":2,"mandatoryRecipients":["{UNKNOWN}"]"#)),
            403,
            "CEL2010",
            "One or more mandatory recipients not included in the participant list",
        ),
        case(post("/sendraw", OCTETS, ""), 400, "CEL2103", "payload: missing or empty…"),
        case(
            post("/sendraw", JSON, "{}"),
            415,
            "CEL2107",
            "this path does not take that Content-Type; it takes application/octet-stream",
        ),
        case(post("/sendraw", OCTETS, "secret").with("c11n-to", "?"), 400, "CEL2102", "c11n-to: not valid base64…"),
        case(
            post("/sendraw", OCTETS, "secret").with("c11n-to", UNKNOWN),
            404,
            "CEL2003",
            format!("Recipient not found for key: {UNKNOWN}"),
        ),
        case(post("/sendraw", OCTETS, "secret").with("c11n-from", "AAAA"), 404, "CEL2004", "Public key AAAA not found…"),
        case(post("/sendsignedtx", OCTETS, ""), 400, "CEL2103", "payload: missing or empty…"),
        case(post("/sendsignedtx", OCTETS, "short"), 404, "CEL2002", "Raw Message with hash c2hvcnQ= was not found"),
        case(post("/sendsignedtx", V4, "{}"), 400, "CEL2102", "hash: missing"),
        case(post("/sendsignedtx", V4, r#"{"hash":"?"}"#), 400, "CEL2102", "hash: not valid base64…"),
        case(post("/sendsignedtx", V4, r#"{"hash":"AAAA"}"#), 404, "CEL2002", "Raw Message with hash AAAA was not found"),
        case(
            post("/sendsignedtx", V4, format!(r#"{{"hash":"{ABSENT}"}}"#)),
            404,
            "CEL2002",
            format!("Raw Message with hash {ABSENT} was not found"),
        ),
        case(post("/storeraw", V2_1, "{}"), 400, "CEL2103", "payload: missing or empty…"),
        case(
            post("/storeraw", V2_1, format!(r#"{{"payload":"YQ==","from":"{UNKNOWN}"}}"#)),
            404,
            "CEL2004",
            format!("Public key {UNKNOWN} not found…"),
        ),
        case(post("/encodedpayload/create", V2_1, "{}"), 400, "CEL2103", "payload: missing or empty…"),
        case(post("/encodedpayload/decrypt", V2_1, "{}"), 400, "CEL2102", "senderKey: missing"),
        case(
            post("/encodedpayload/decrypt", V2_1, r#"{"senderKey":7}"#),
            400,
            "CEL2101",
            "senderKey: a value of the wrong type…",
        ),
    ];
    check(network.a.node().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_say_not_found_of_all_that_is_not_here() {
    let network = Network::start().await;
    let escaped = ABSENT.replace('/', "%2F");
    let absent = format!("Message with hash {ABSENT} was not found");
    let mut cases = Vec::new();
    for suffix in ["", "?isRaw=false", "/isSender", "/participants", "/mandatory"] {
        cases.push(case(get(&format!("/transaction/{escaped}{suffix}")), 404, "CEL2001", absent.clone()));
        cases.push(case(get(&format!("/transaction/AAAA{suffix}")), 404, "CEL2001", "Message with hash AAAA was not found"));
        cases.push(case(get(&format!("/transaction/!!{suffix}")), 400, "CEL2104", "the hash in the path is not valid base64…"));
        cases.push(case(get(&format!("/transaction/%FF{suffix}")), 400, "CEL2104", "the hash in the path…"));
    }
    let one = |request, status, code, text: &str| case(request, status, code, text.to_owned());
    cases.extend([
        one(get(&format!("/transaction/{escaped}?isRaw=true")), 404, "CEL2002", &format!("Raw {absent}")),
        one(get("/transaction/AAAA?isRaw=true"), 404, "CEL2002", "Raw Message with hash AAAA was not found"),
        one(get(&format!("/transaction/{escaped}?isRaw=secret")), 400, "CEL2102", "isRaw: neither true nor false"),
        one(get(&format!("/transaction/{escaped}?to=!")), 400, "CEL2102", "to: not valid base64…"),
        one(request("DELETE", &format!("/transaction/{escaped}")), 404, "CEL2001", &absent),
        one(request("DELETE", "/transaction/AAAA"), 404, "CEL2001", "Message with hash AAAA was not found"),
        one(request("DELETE", &format!("/transaction/{escaped}/isSender")), 405, "CEL2106", "this path has no such method…"),
        one(post(&format!("/transaction/{escaped}"), JSON, "{}"), 405, "CEL2106", "this path has no such method…"),
        one(get("/transaction/"), 404, "CEL2105", "no such path on this surface"),
        one(get("/nowhere"), 404, "CEL2105", "no such path on this surface"),
        one(get("/send"), 405, "CEL2106", "this path has no such method…"),
        one(post("/upcheck", JSON, "{}"), 405, "CEL2106", "this path has no such method…"),
        one(get("/receiveraw"), 400, "CEL2102", "c11n-key: missing or empty"),
        one(get("/receiveraw").with("c11n-key", "?"), 400, "CEL2102", "c11n-key: not valid base64…"),
        one(get("/receiveraw").with("c11n-key", "AAAA"), 404, "CEL2001", "Message with hash AAAA was not found"),
        one(get("/receiveraw").with("c11n-key", ABSENT), 404, "CEL2001", &absent),
        one(get("/receiveraw").with("c11n-key", ABSENT).with("c11n-to", "AAAA"), 404, "CEL2001", &absent),
        one(post("/receive", JSON, "{}"), 400, "CEL2102", "key: missing or empty"),
        one(post("/receive", JSON, format!(r#"{{"key":"{ABSENT}"}}"#)), 404, "CEL2001", &absent),
        one(post("/delete", JSON, "{}"), 400, "CEL2102", "key: missing or empty"),
        one(post("/delete", JSON, format!(r#"{{"key":"{ABSENT}"}}"#)), 404, "CEL2001", &absent),
        one(get("/groups/nonsense"), 400, "CEL2102", "type: neither resident, legacy nor pantheon"),
        one(post("/retrievePrivacyGroup", JSON, "{}"), 400, "CEL2102", "privacyGroupId: missing or empty"),
        one(post("/deletePrivacyGroup", JSON, r#"{"privacyGroupId":"?"}"#), 400, "CEL2102", "privacyGroupId: not valid base64…"),
        one(post("/createPrivacyGroup", JSON, r#"{"addresses":["?"]}"#), 400, "CEL2102", "addresses[0]: not valid base64…"),
        one(post("/findPrivacyGroup", JSON, r#"{"addresses":[7]}"#), 400, "CEL2101", "addresses[0]: a value of the wrong type…"),
    ]);
    check(network.a.node().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_refused_what_is_not_of_the_protocol() {
    let network = Network::start().await;
    let key = network.b.key();
    let resend = |body: String| post("/resend", JSON, body);
    let cases = vec![
        case(post("/push", OCTETS, ""), 500, "CEL3110", "the body does not decode: …"),
        case(post("/push", OCTETS, "secret"), 500, "CEL3110", "the body does not decode: …"),
        case(
            post("/push", OCTETS, vec![0xff; 300]).with("tesseraSupportedApiVersions", "5.0"),
            500,
            "CEL3110",
            "the body does not decode: …",
        ),
        case(post("/push", OCTETS, vec![0; 1024 * 1024 + 1]), 413, "CEL2109", "the body is longer than…"),
        case(get("/push"), 405, "CEL2106", "this path has no such method…"),
        case(post("/pushBatch", JSON, r#"{"encodedPayloads":["?"]}"#), 400, "CEL2102", "encodedPayloads[0]: not valid base64…"),
        case(post("/pushBatch", JSON, r#"{"encodedPayloads":["AAAA"]}"#), 500, "CEL3110", "the body does not decode: …"),
        case(
            post("/pushBatch", JSON, r#"{"encodedPayloads":[]}"#),
            403,
            "CEL3108",
            "batches are accepted during recovery mode only",
        ),
        case(post("/partyinfo", OCTETS, "secret"), 500, "CEL3110", "the body does not decode: …"),
        case(post("/partyinfo/validate", OCTETS, "secret"), 500, "CEL3110", "the body does not decode: …"),
        case(resend("{}".into()), 400, "CEL2102", "type: neither ALL nor INDIVIDUAL"),
        case(resend(r#"{"type":"ALL"}"#.into()), 400, "CEL2102", "publicKey: missing"),
        case(resend(r#"{"type":"ALL","publicKey":"?"}"#.into()), 400, "CEL2102", "publicKey: not valid base64…"),
        case(
            resend(format!(r#"{{"type":"INDIVIDUAL","publicKey":"{key}"}}"#)),
            400,
            "CEL2102",
            "key: missing; INDIVIDUAL needs it",
        ),
        case(
            resend(format!(r#"{{"type":"INDIVIDUAL","publicKey":"{key}","key":"{ABSENT}"}}"#)),
            404,
            "CEL2001",
            format!("Message with hash {ABSENT} was not found"),
        ),
        case(post("/resendBatch", JSON, "{}"), 400, "CEL2102", "publicKey: missing"),
        case(
            post("/resendBatch", JSON, format!(r#"{{"publicKey":"{UNKNOWN}"}}"#)),
            404,
            "CEL2003",
            format!("Recipient not found for key: {UNKNOWN}"),
        ),
        case(post("/withdraw", JSON, "{}"), 400, "CEL2102", "id: missing"),
        case(post("/withdraw", JSON, format!(r#"{{"id":"{ABSENT}"}}"#)), 400, "CEL2102", "token: not 32 hexadecimal digits"),
        case(get("/send"), 404, "CEL2105", "no such path on this surface"),
        case(get(&format!("/transaction/{ABSENT}")), 404, "CEL2105", "no such path on this surface"),
    ];
    check(network.a.peers().await, cases).await;
}
