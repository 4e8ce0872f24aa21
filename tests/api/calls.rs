//! What applications and older nodes call, and the shape of every answer.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::{Connection, JSON, OCTETS, V2_1, V3, V4, get, post, request};
use crate::network::Network;

fn body(to: &str) -> String {
    format!(r#"{{"payload":"c2VjcmV0","to":["{to}"]}}"#)
}

async fn send(node: &mut Connection, to: &str) -> String {
    let answer = node.send(&post("/send", JSON, body(to))).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.member("key")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_of_the_family_that_was_asked() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    for media in [JSON, V2_1, V3, V4] {
        let answer = node.send(&post("/send", media, body(&network.b.key())).with("Accept", media)).await;
        assert_eq!((answer.status, answer.media()), (201, media));
        let members: Vec<String> = answer.json().as_object().unwrap().keys().cloned().collect();
        let expected: &[&str] = if media == JSON { &["key"] } else { &["key", "managedParties", "senderKey"] };
        assert_eq!(members, expected);

        let id = answer.member("key").replace('/', "%2F");
        let answer = node.send(&get(&format!("/transaction/{id}")).with("Accept", media)).await;
        assert_eq!((answer.status, answer.media()), (200, media));
        assert_eq!(answer.json().get("senderKey").is_some(), media != JSON);
        assert_eq!(answer.json()["payload"], "c2VjcmV0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_is_a_path_that_is_accepted_back() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let answer = node.send(&post("/send", JSON, body(&network.b.key()))).await;
    let location = answer.header("location").unwrap().to_owned();
    let path = location.strip_prefix("http://localhost").unwrap();
    assert!(path.ends_with("%3D%3D"), "{path}");
    assert_eq!(node.send(&get(path)).await.json()["payload"], "c2VjcmV0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_found_however_it_is_escaped() {
    let network = Network::start().await;
    let (mut a, mut b) = (network.a.node().await, network.b.node().await);
    let mut slashes = 0;
    // Ids are random: some hold `/` and `+`.
    for _ in 0..8 {
        let id = send(&mut a, &network.b.key()).await;
        slashes += usize::from(id.contains('/'));
        let all = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
        for spelling in [id.clone(), id.replace('/', "%2F"), id.replace('/', "%2f").replace('+', "%2B"), all] {
            let path = format!("/transaction/{spelling}");
            assert_eq!(b.send(&get(&path)).await.status, 200, "{path}");
            assert_eq!(a.send(&get(&format!("{path}/isSender"))).await.text(), "true");
            assert_eq!(b.send(&get(&format!("{path}/isSender"))).await.text(), "false");
            assert_eq!(b.send(&get(&format!("{path}/participants"))).await.text(), network.b.key());
            assert_eq!(b.send(&get(&format!("{path}/mandatory"))).await.status, 400);
        }
    }
    assert!(slashes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_names_one_of_our_keys() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let id = send(&mut node, &network.b.key()).await.replace('/', "%2F");
    let key = |at: usize| utf8_percent_encode(&network.a.keys[at].to_string(), NON_ALPHANUMERIC).to_string();
    assert_eq!(node.send(&get(&format!("/transaction/{id}?to={}", key(0)))).await.status, 200);
    assert_eq!(node.send(&get(&format!("/transaction/{id}?to={}", key(1)))).await.status, 404);
    assert_eq!(node.send(&get(&format!("/transaction/{id}?to=AAAA"))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn constellations_calls_are_served() {
    let network = Network::start().await;
    let (mut a, mut b) = (network.a.node().await, network.b.node().await);
    let payload: Vec<u8> = (0..=255).collect();
    let keys = format!("{}, {}", network.b.key(), network.a.keys[1]);
    let sent =
        a.send(&post("/sendraw", OCTETS, payload.clone()).with("C11n-From", &network.a.key()).with("C11n-To", &keys)).await;
    assert_eq!((sent.status, sent.media()), (200, "text/plain"));
    assert!(sent.header("location").unwrap().starts_with("http://localhost/transaction/"));
    let id = sent.text().to_owned();
    assert_eq!(id.len(), 88);
    for method in ["GET", "POST"] {
        let answer = b.send(&request(method, "/receiveraw").with("C11n-Key", &id)).await;
        assert_eq!((answer.status, answer.media(), &answer.body), (200, OCTETS, &payload));
        let answer = b.send(&request(method, "/receive").with("Content-Type", JSON).body(format!(r#"{{"key":"{id}"}}"#))).await;
        assert_eq!((answer.status, answer.media()), (200, JSON));
    }
    let to_b = b.send(&get("/receiveraw").with("C11n-Key", &id).with("C11n-To", &network.b.key())).await;
    assert_eq!(to_b.status, 200);
    let repeated =
        a.send(&post("/sendraw", OCTETS, "x").with("c11n-to", &network.b.key()).with("c11n-to", &network.a.key())).await;
    assert_eq!(repeated.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_payload_keeps_its_id() {
    let network = Network::start().await;
    let (mut a, mut b) = (network.a.node().await, network.b.node().await);
    let mut application = network.a.applications().await;
    let kept = application.send(&post("/storeraw", JSON, r#"{"payload":"cmF3"}"#)).await;
    assert_eq!(kept.status, 200);
    let id = kept.member("key");
    let bytes = data_encoding::BASE64.decode(id.as_bytes()).unwrap();
    let sent = a.send(&post("/sendsignedtx", OCTETS, bytes).with("c11n-to", &network.b.key())).await;
    assert_eq!((sent.status, sent.media(), sent.text()), (200, "text/plain", id.as_str()));
    assert_eq!(sent.header("tesserasender"), Some(network.a.key().as_str()));
    assert_eq!(sent.header("tesseramanagedparties"), Some(network.a.key().as_str()));
    let path = format!("/transaction/{}", id.replace('/', "%2F"));
    assert_eq!(b.send(&get(&path)).await.json()["payload"], "cmF3");
    assert_eq!(b.send(&get(&format!("{path}?isRaw=true"))).await.status, 404);
    let raw = a.send(&get(&format!("{path}?isRaw=TRUE")).with("Accept", V2_1)).await;
    assert_eq!(raw.json()["managedParties"][0], network.a.key());
    assert_eq!(raw.json()["managedParties"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_is_gone_on_both_forms() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let id = send(&mut node, &network.b.key()).await;
    let path = format!("/transaction/{}", id.replace('/', "%2F"));
    let answer = node.send(&request("DELETE", &path)).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let again = node.send(&request("DELETE", &path)).await;
    assert_eq!((again.status, again.text()), (404, format!("Message with hash {id} was not found").as_str()));
    assert_eq!(node.send(&get(&path)).await.status, 404);
    let id = send(&mut node, &network.b.key()).await;
    let deleted = node.send(&post("/delete", JSON, format!(r#"{{"key":"{id}"}}"#))).await;
    assert_eq!((deleted.status, deleted.media(), deleted.text()), (200, "text/plain", "Delete successful"));
    assert_eq!(node.send(&post("/delete", JSON, format!(r#"{{"key":"{id}"}}"#))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_payload_goes_round_in_json() {
    let network = Network::start().await;
    let (mut a, mut b) = (network.a.node().await, network.b.node().await);
    let sealed = a.send(&post("/encodedpayload/create", V2_1, body(&network.b.key()))).await;
    assert_eq!((sealed.status, sealed.media()), (200, V2_1));
    let mut json = sealed.json();
    assert_eq!(json["recipientBoxes"].as_array().map(Vec::len), Some(2));
    for (member, node) in [(0, &mut b), (1, &mut a)] {
        assert_eq!(json["recipientKeys"].as_array().map(Vec::len), Some(2), "{member}");
        let opened = node.send(&post("/encodedpayload/decrypt", V2_1, json.to_string())).await;
        assert_eq!((opened.status, opened.json()["payload"].as_str()), (200, Some("c2VjcmV0")), "{opened:?}");
    }
    // As GoQuorum posts it: six members, nothing of rules.
    for member in ["privacyMode", "affectedContractTransactions", "execHash"] {
        json.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(b.send(&post("/encodedpayload/decrypt", V2_1, json.to_string())).await.status, 200);
    json["cipherText"] = "XA2MwfdwxYGvIfqPOz3A0FSqgNBbA51YKfDD8Q+RPA==".into();
    let altered = b.send(&post("/encodedpayload/decrypt", V2_1, json.to_string())).await;
    assert_eq!((altered.status, altered.header("celosia-error")), (500, Some("CEL5001")));
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_see_keys_and_pages_of_configured_origins() {
    let network = Network::start().await;
    let mut application = network.a.applications().await;
    let own = application.send(&get("/keys")).await.json();
    assert_eq!(own["keys"][0]["key"], network.a.key());
    assert_eq!(own["keys"].as_array().map(Vec::len), Some(2));
    let known = application.send(&get("/partyinfo/keys")).await.json();
    assert_eq!(known["keys"].as_array().map(Vec::len), Some(3));
    let page = application.send(&get("/keys").with("Origin", "https://wallet.example")).await;
    assert_eq!(page.header("access-control-allow-origin"), Some("https://wallet.example"));
    assert_eq!(page.header("access-control-allow-credentials"), Some("true"));
    let ask =
        request("OPTIONS", "/storeraw").with("Origin", "https://wallet.example").with("Access-Control-Request-Method", "POST");
    let allowed = application.send(&ask.with("Access-Control-Request-Headers", "x-own")).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-headers")), (200, Some("x-own")));
    let stranger = application.send(&get("/keys").with("Origin", "https://example.evil")).await;
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (200, None));
    assert_eq!(network.a.node().await.send(&get("/keys")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn common_paths_are_on_every_surface() {
    let network = Network::start().await;
    for mut surface in [network.a.node().await, network.a.applications().await, network.a.peers().await] {
        for (path, media, text) in [
            ("/", "text/plain", ""),
            ("/upcheck", "text/plain", "I'm up!"),
            ("/version", "text/plain", env!("CARGO_PKG_VERSION")),
            ("/version/distribution", "text/plain", env!("CARGO_PKG_VERSION")),
            ("/version/api", JSON, r#"["1.0","2.0","2.1","3.0","4.0","5.0"]"#),
            ("/metrics", "text/plain", "# EOF\n"),
        ] {
            let answer = surface.send(&get(path)).await;
            assert_eq!((answer.status, answer.media(), answer.text()), (200, media, text), "{path}");
            let head = surface.send(&request("HEAD", path)).await;
            assert_eq!((head.status, head.header("content-length")), (200, Some(text.len().to_string().as_str())), "{path}");
        }
    }
}
