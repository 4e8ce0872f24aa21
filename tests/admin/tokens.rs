//! Bearer tokens: each kind of bad one, with its status and code.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Request, Target};
use crate::issuer::Issuer;
use crate::node::{Node, celosia, code, err, out};
use crate::people::{access, people};

/// Failures are many here.
const PATIENT: &str = "failed-logins = 1000";

#[test]
fn tokens_of_every_algorithm_are_taken_and_roles_decide() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, PATIENT));
    for algorithm in ["ES256", "RS256", "PS256", "EdDSA"] {
        let token = issuer.token("oto", "member1", algorithm);
        assert_eq!(node.get_as("/status", &token).must(200).json()["version"], env!("CARGO_PKG_VERSION"), "{algorithm}");
        assert!(node.get_as("/metrics", &token).must(200).text().contains("# EOF"));
    }
    for (name, path, status, expected) in [
        ("oto", "/acts", 403, "CEL2315"),
        ("gov", "/acts", 200, "none"),
        ("aud", "/acts", 200, "none"),
        ("ana", "/acts", 200, "none"),
        ("nil", "/status", 403, "CEL2314"),
        ("eve", "/status", 403, "CEL2314"),
        ("oto", "/nowhere", 404, "none"),
    ] {
        let answer = node.get_as(path, &issuer.token(name, "member1", "ES256"));
        let found = if answer.status == 404 { "none".to_owned() } else { code(&answer) };
        assert_eq!((answer.status, found.as_str()), (status, expected), "{name} {path}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge.contains("error=\"insufficient_scope\""), status == 403, "{name} {path}: {challenge}");
    }
    for path in ["/live", "/ready"] {
        Request::get(path).send(&Target::Tcp(node.admin)).must(200);
    }
    for path in ["/status", "/metrics", "/acts"] {
        let answer = Request::get(path).send(&Target::Tcp(node.admin)).must(401);
        assert_eq!((code(&answer).as_str(), answer.header("www-authenticate")), ("CEL2301", Some("Bearer realm=\"celosia\"")));
    }
}

/// Each case: how it is signed, what is laid over the claims, what over the header.
#[test]
fn bad_tokens_are_refused_each_with_its_code() {
    let Some(mut issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, PATIENT));
    let now = issuer.claims("ana")["iat"].as_u64().unwrap();
    let url = issuer.url();
    let cases: Vec<(&str, Value, Value, u16, &str)> = vec![
        ("issuer", json!({}), json!({}), 200, "none"),
        ("issuer", json!({"aud": ["other", "member1"]}), json!({"typ": "JWT"}), 200, "none"),
        ("issuer", json!({"exp": now - 3600}), json!({}), 401, "CEL2309"),
        ("issuer", json!({"exp": now - 30}), json!({}), 200, "none"),
        ("issuer", json!({"exp": null}), json!({}), 401, "CEL2313"),
        ("issuer", json!({"exp": "soon"}), json!({}), 401, "CEL2313"),
        ("issuer", json!({"nbf": now + 3600}), json!({}), 401, "CEL2310"),
        ("issuer", json!({"iss": "https://issuer.example"}), json!({}), 401, "CEL2311"),
        ("issuer", json!({"iss": format!("{url}/")}), json!({}), 401, "CEL2311"),
        ("issuer", json!({"iss": [url, "https://issuer.example"]}), json!({}), 401, "CEL2311"),
        ("issuer", json!({"aud": "member2"}), json!({}), 401, "CEL2312"),
        ("issuer", json!({"aud": null}), json!({}), 401, "CEL2313"),
        ("issuer", json!({"sub": null}), json!({}), 401, "CEL2313"),
        ("issuer", json!({"name": "Ana\nDíaz"}), json!({}), 401, "CEL2313"),
        ("issuer", json!({"cnf": {"jkt": "abc"}}), json!({}), 401, "CEL2313"),
        ("issuer", json!({}), json!({"kid": "unknown"}), 401, "CEL2307"),
        ("issuer", json!({}), json!({"kid": "RS256-0"}), 401, "CEL2307"),
        ("issuer", json!({}), json!({"typ": "logout+jwt"}), 401, "CEL2305"),
        ("stranger", json!({}), json!({}), 401, "CEL2308"),
        ("embedded", json!({}), json!({}), 401, "CEL2308"),
        ("embedded", json!({}), json!({"kid": "mine"}), 401, "CEL2307"),
        ("none", json!({}), json!({}), 401, "CEL2306"),
        ("none", json!({}), json!({"alg": "None"}), 401, "CEL2306"),
        ("hmac", json!({}), json!({}), 401, "CEL2306"),
        ("hmac", json!({}), json!({"alg": "RS256"}), 401, "CEL2308"),
    ];
    for (sign, claims, header, status, expected) in cases {
        let mut all = issuer.claims("ana");
        all["name"] = json!("Ana Díaz");
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let answer = node.get_as("/status", &issuer.forge(sign, &all, &header));
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{sign} {claims} {header}: {}", answer.text());
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert_eq!(challenge.contains("error=\"invalid_token\""), status == 401, "{sign} {claims} {header}: {challenge}");
    }
    let good = issuer.token("ana", "member1", "ES256");
    let (head, rest) = good.split_once('.').unwrap();
    let (body, tag) = rest.split_once('.').unwrap();
    let other = issuer.token("bea", "member1", "ES256");
    let others_body = other.split('.').nth(1).unwrap();
    for (text, status, expected) in [
        (format!("{head}.{others_body}.{tag}"), 401, "CEL2308"),
        (format!("{head}.{body}."), 401, "CEL2308"),
        (format!("{head}.{body}"), 401, "CEL2305"),
        ("abc".to_owned(), 401, "CEL2305"),
        ("a b".to_owned(), 400, "CEL2304"),
        ("x".repeat(20_000), 401, "CEL2305"),
        (issuer.token("ana", "member2", "ES256"), 401, "CEL2312"),
        (good.clone(), 200, "none"),
    ] {
        let answer = node.get_as("/status", &text);
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{}", &text[..text.len().min(40)]);
    }
    // A token in the query is none.
    let answer = Request::get(&format!("/status?access_token={good}")).send(&Target::Tcp(node.admin));
    assert_eq!((answer.status, code(&answer).as_str()), (401, "CEL2301"));
    assert!(!node.log().contains(tag), "a token is in the log");
}

#[test]
fn new_keys_of_the_issuer_are_taken_over_and_old_ones_given_up() {
    let Some(mut issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, PATIENT));
    let old = issuer.token("oto", "member1", "ES256");
    node.get_as("/status", &old).must(200);
    issuer.rotate();
    let new = issuer.token("oto", "member1", "ES256");
    let deadline = Instant::now() + Duration::from_mins(1);
    while node.get_as("/status", &new).status != 200 {
        assert!(Instant::now() < deadline, "the new key is never asked for: {}", node.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let answer = node.get_as("/status", &old);
    assert_eq!((answer.status, code(&answer).as_str()), (401, "CEL2307"));
}

#[test]
fn a_silent_issuer_is_an_error_of_its_own() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let token = issuer.token("oto", "member1", "ES256");
    let node = Node::start(&access(&issuer, PATIENT));
    drop(issuer);
    let answer = node.get_as("/status", &token);
    assert_eq!((answer.status, code(&answer).as_str(), answer.header("retry-after")), (503, "CEL2317", Some("5")));
    Request::get("/ready").send(&Target::Tcp(node.admin)).must(200);
}

#[test]
fn the_command_line_logs_in_with_a_token() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, PATIENT));
    let file = node.folder.path().join("token");
    std::fs::write(&file, format!("{}\n", issuer.token("oto", "member1", "ES256"))).unwrap();
    let (url, file) = (node.admin_url(), file.to_str().unwrap());
    let said = celosia(&["status", "--admin", &url, "--token-file", file]);
    assert!(said.status.success() && out(&said).contains("version"), "{}", err(&said));
    let said = celosia(&["status", "--admin", &url]);
    assert!(!said.status.success() && err(&said).contains("[CEL2301]"), "{}", err(&said));
    assert!(celosia(&["health", "--admin", &url]).status.success());
}
