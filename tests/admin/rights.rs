//! Tags, exports, the radius of a breach and retention, as a data protection officer sees them: real members, real people.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::charter::CLASSES;
use crate::http::{Answer, JSON, Request, Target};
use crate::issuer::Issuer;
use crate::member::Member;
use crate::net::Net;
use crate::node::{Node, celosia, err, out};
use crate::people::{access, people};

const CONTRACT: &str = "0xAbababababababababababababababababababab";

fn send(member: &Member, to: &[&Member], payload: &[u8], headers: &[(&str, &str)]) -> Answer {
    let to: Vec<&str> = to.iter().map(|member| member.keys.public.as_str()).collect();
    let body = json!({ "payload": BASE64.encode(payload), "to": to }).to_string();
    let request = Request::post("/send", JSON, body.as_bytes());
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send(&member.node)
}

fn id(answer: &Answer) -> String {
    answer.json()["key"].as_str().unwrap().to_owned()
}

fn escaped(id: &str) -> String {
    id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// A call of a member's admin surface as somebody.
fn as_one(member: &Member, method: &'static str, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let request = match body {
        Some(body) => Request::new(method, path).body(body.to_string().as_bytes()).header("Content-Type", JSON),
        None => Request::new(method, path),
    };
    request.header("Authorization", &format!("Bearer {token}")).send(&member.admin)
}

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The fields of an object, for shapes.
fn fields(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

#[test]
fn wrong_declarations_are_refused_before_anything_is_sent() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let many = (0..65).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let long = "x".repeat(129);
    for (name, value, code) in [
        ("celosia-basis", "because", "CEL3331"),
        ("celosia-contract", "0x12", "CEL3332"),
        ("celosia-purpose", "", "CEL3333"),
        ("celosia-purpose", long.as_str(), "CEL3333"),
        ("celosia-retention", "soon", "CEL3334"),
        ("celosia-retention", "2020-01-01", "CEL3334"),
        ("celosia-retention", "0d", "CEL3334"),
        ("celosia-subject", long.as_str(), "CEL3335"),
        ("celosia-subject", many.as_str(), "CEL3336"),
        ("celosia-class", "secret", "CEL2102"),
    ] {
        let answer = send(a, &[b], b"x", &[(name, value)]);
        assert_eq!((answer.status, answer.header("celosia-error")), (400, Some(code)), "{name}: {}", answer.text());
        assert!(!answer.text().contains(&long) && answer.text().starts_with(name), "{}", answer.text());
    }
    let status = celosia(&["status", "--json", "--admin", &format!("http://127.0.0.1:{}", port(a))]);
    assert!(
        out(&status).contains("\"payloads\": 0") || out(&status).contains("\"payloads\":0"),
        "{}{}",
        out(&status),
        err(&status)
    );
}

fn port(member: &Member) -> u16 {
    match member.admin {
        Target::Tcp(port) => port,
        Target::Unix(_) => unreachable!("a port"),
    }
}

#[test]
fn an_application_declares_and_reads_what_is_known() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let item = id(&send(a, &[b], b"x", &[("celosia-subject", "ana"), ("celosia-basis", "consent")]));
    let path = format!("/tags/{}", escaped(&item));
    let show = |member: &Member| Request::get(&path).send(&member.application);
    assert_eq!(show(a).must(200).json(), json!({ "basis": "consent", "subjects": ["ana"] }));
    assert_eq!(show(b).must(200).json(), json!({}), "tags stay with who declared them");
    let put = |body: &Value| {
        let request = Request::new("PUT", &path).header("Content-Type", JSON).body(body.to_string().as_bytes());
        request.send(&a.application)
    };
    put(&json!({ "class": "business", "purpose": "nóminas", "retention": "2999-12-31", "contract": CONTRACT })).must(204);
    let known = json!({
        "class": "business", "purpose": "nóminas", "retention": "3000-01-01T00:00:00Z", "contract": CONTRACT.to_lowercase(),
    });
    assert_eq!(show(a).must(200).json(), known);
    for (body, code) in [
        (json!({ "basis": "because" }), "CEL3331"),
        (json!({ "contract": "ab" }), "CEL3332"),
        (json!({ "subjects": ["a,b"] }), "CEL3335"),
        (json!({ "who": "ana" }), "CEL2101"),
        (json!([]), "CEL2101"),
    ] {
        assert_eq!(put(&body).must(400).header("celosia-error"), Some(code), "{body}");
    }
    let nowhere = Request::get(&format!("/tags/{}", escaped(&BASE64.encode(&[7; 64])))).send(&a.application);
    assert_eq!((nowhere.must(404).header("celosia-error"), show(a).status), (Some("CEL2001"), 200));
    // By the command line, through the same surface.
    let config = a.folder.join("celosia.toml").display().to_string();
    let set = celosia(&["tag", "set", &item, "--config", &config, "--subject", "bea", "--basis", "contract"]);
    assert!(set.status.success(), "{}", err(&set));
    let shown = celosia(&["tag", "show", &item, "--config", &config]);
    assert!(out(&shown).contains("bea") && !out(&shown).contains("nóminas"), "{}{}", out(&shown), err(&shown));
    let wrong = celosia(&["tag", "set", &item, "--config", &config, "--basis", "because"]);
    assert!(!wrong.status.success() && err(&wrong).contains("legitimate-interests"), "{}", err(&wrong));
}

#[test]
fn an_officer_exports_what_is_kept_of_a_person_and_nobody_else_does() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut net = Net::prepare(&["a", "b"]);
    net.members[0].extra = access(&issuer, "");
    net.members.iter_mut().for_each(Member::start);
    let (a, b) = (net.at(0), net.at(1));
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let declared = [("celosia-subject", "ana.torres"), ("celosia-basis", "contract"), ("celosia-purpose", "nóminas")];
    let first = id(&send(a, &[b], b"salary of Ana", &declared));
    let special = [("celosia-subject", "ana.torres,bea"), ("celosia-class", "special")];
    let second = id(&send(a, &[b], b"health of Ana", &special));
    send(a, &[b], b"of Bea", &[("celosia-subject", "bea")]).must(201);
    assert!(a.receive(&second).is_some(), "read by an application: this class journals each read");

    let body = json!({ "subject": "ana.torres", "payloads": true });
    let export = |name: &str| as_one(a, "POST", "/subjects/export", &token(name), Some(&body));
    for name in ["bea", "gov", "oto", "aud"] {
        assert_eq!(export(name).must(403).header("celosia-error"), Some("CEL2315"), "{name}");
    }
    // Acknowledgements are on the disk a moment after the send has answered.
    let told = |all: &[Value]| all.iter().filter(|line| line["what"] == "acknowledged").count() >= 2;
    let mut all = lines(&export("ana"));
    for _ in 0..100 {
        if told(&all) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        all = lines(&export("ana"));
    }
    let head = &all[0];
    assert_eq!(fields(head), set(&["kind", "format", "subject", "made", "controller", "items", "with-payloads"]));
    assert_eq!((&head["controller"]["legal-name"], &head["items"]), (&json!("a S.A."), &json!(2)));
    assert_eq!(all.last().unwrap(), &json!({ "kind": "end", "items": 2 }));
    let item = |id: &str| all.iter().find(|line| line["kind"] == "item" && line["id"] == *id).unwrap();
    let shape = set(&[
        "kind",
        "id",
        "type",
        "stored",
        "direction",
        "suite",
        "class",
        "purpose",
        "basis",
        "contract",
        "kept-until",
        "portable",
        "sender",
        "recipients",
        "made",
        "policy",
        "payload",
    ]);
    assert_eq!(fields(item(&first)), shape);
    assert_eq!((&item(&first)["purpose"], &item(&first)["portable"]), (&json!("nóminas"), &json!(true)));
    assert_eq!((&item(&second)["class"], &item(&second)["portable"]), (&json!("special"), &json!(false)));
    assert_eq!(item(&first)["recipients"][0]["legal-name"], "b S.A.");
    assert_eq!(item(&first)["recipients"][0]["legal-id"], "ES-b");
    assert_eq!(item(&first)["payload"], BASE64.encode(b"salary of Ana"));
    let used = |what: &str, id: &str| all.iter().any(|line| line["what"] == *what && line["id"] == *id);
    assert!(used("stored", &first) && used("acknowledged", &first) && used("read", &second) && !used("read", &first), "{all:?}");
    assert!(!all.iter().any(|line| line.get("actor").is_some()), "no employee is named");

    // The journal knows that an officer exported two items, and a token instead of a name.
    let journal = as_one(a, "GET", "/journal/export", &token("ana"), None).text();
    let done = journal.lines().find(|line| line.contains("export-subject") && line.contains("done")).expect("journalled");
    assert!(done.contains("subject-token") && !journal.contains("ana.torres"), "{done}");
    assert!(!a.log().contains("ana.torres"), "no name in the log");

    // As files.
    let jwt = net.folder.path().join("ana.jwt");
    fs::write(&jwt, token("ana")).unwrap();
    let folder = net.folder.path().join("export");
    let url = format!("http://127.0.0.1:{}", port(a));
    let arguments = [
        "subject",
        "export",
        "--subject",
        "ana.torres",
        "--plaintext",
        "--admin",
        &url,
        "--token-file",
        jwt.to_str().unwrap(),
        "--out",
    ];
    let run = |out: &str| celosia(&[&arguments[..], &[out]].concat());
    let made = run(folder.to_str().unwrap());
    assert!(made.status.success() && out(&made).starts_with("2 items"), "{}{}", out(&made), err(&made));
    let text = fs::read_to_string(folder.join("export.jsonl")).unwrap();
    assert!(text.contains("payload-000001.bin") && !text.contains(&BASE64.encode(b"salary of Ana")));
    let files: BTreeSet<Vec<u8>> = (1..=2).map(|n| fs::read(folder.join(format!("payload-{n:06}.bin"))).unwrap()).collect();
    assert_eq!(files, BTreeSet::from([b"salary of Ana".to_vec(), b"health of Ana".to_vec()]));
    let again = run(folder.to_str().unwrap());
    assert!(!again.status.success() && err(&again).contains("not empty"), "{}", err(&again));
    assert_eq!(out(&run("-")).lines().count(), all.len());
}

#[test]
fn records_and_the_radius_of_a_breach_name_members_and_nobody_else() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut net = Net::prepare(&["a", "b", "c"]);
    net.members[0].extra = access(&issuer, "");
    net.members.iter_mut().for_each(Member::start);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let declared =
        [("celosia-subject", "ana"), ("celosia-purpose", "nóminas"), ("celosia-basis", "contract"), ("celosia-retention", "P5Y")];
    let to_b = id(&send(a, &[b], b"x", &declared));
    send(a, &[b, c], b"x", &declared).must(201);
    let ours = id(&send(a, &[], b"x", &[("celosia-class", "business")]));
    let put = Request::post("/documents", "application/octet-stream", b"a letter").header("celosia-to", &b.keys.public);
    let document = put.send(&a.application).must(201).json()["id"].as_str().unwrap().to_owned();

    let ropa = as_one(a, "GET", "/ropa", &token("aud"), None).must(200).json();
    assert_eq!(fields(&ropa), set(&["format", "made", "controller", "activities", "safeguards"]));
    let payroll = ropa["activities"].as_array().unwrap().iter().find(|one| one["purpose"] == "nóminas").unwrap();
    assert_eq!((&payroll["items"], &payroll["bases"], &payroll["class"]), (&json!(2), &json!(["contract"]), &json!("personal")));
    let names: Vec<_> = payroll["recipients"].as_array().unwrap().iter().map(|one| (&one["legal-name"], &one["items"])).collect();
    assert!(names.contains(&(&json!("b S.A."), &json!(2))) && names.contains(&(&json!("c S.A."), &json!(1))), "{names:?}");
    assert!(payroll["retention"]["ends"]["last"].is_string() && !ropa.to_string().contains("\"ana\""));
    assert_eq!(ropa["safeguards"]["classes"]["personal"]["padding"], "padme-1k");
    assert_eq!(as_one(a, "GET", "/ropa", &token("gov"), None).status, 403);

    let letters =
        ropa["activities"].as_array().unwrap().iter().find(|one| one["purpose"].is_null() && one["class"] == "personal");
    let letters = letters.unwrap();
    assert_eq!((&letters["items"], &letters["documents"], &letters["sent"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&letters["recipients"][0]["legal-name"], &payroll["documents"]), (&json!("b S.A."), &json!(0)));

    let radius = |who: &str, query: &str| lines(&as_one(a, "GET", &format!("/breach-radius?{query}"), &token(who), None));
    let of_b = radius("ana", "member=b");
    let summary = of_b.last().unwrap();
    assert_eq!(
        (&summary["touched"], &summary["documents"], &summary["exposed-subjects"]),
        (&json!(3), &json!(1), &json!(["ana"]))
    );
    assert!(of_b.iter().any(|line| line["id"] == *document && line["type"] == "document"), "{of_b:?}");
    assert!(of_b.iter().any(|line| line["id"] == *to_b) && !of_b.iter().any(|line| line["id"] == *ours));
    let blind = radius("bea", "member=b");
    assert!(
        blind.last().unwrap().get("exposed-subjects").is_none()
            && !blind.iter().any(|line| line["kind"] == "item" && line.get("subjects").is_some())
    );
    assert_eq!(blind.last().unwrap()["subjects"], 1, "their number");
    let key = radius("ana", &format!("key={}", escaped(&a.keys.public)));
    assert_eq!((&key.last().unwrap()["touched"], &key.last().unwrap()["exposed"]), (&json!(4), &json!(0)), "epoch keys: {key:?}");
    assert_eq!(radius("ana", "disk=true").last().unwrap()["exposed"], 4);
    for query in ["", "disk=true&member=b", "key=zz", "member=nobody"] {
        let answer = as_one(a, "GET", &format!("/breach-radius?{query}"), &token("ana"), None);
        assert!(matches!(answer.status, 400 | 404), "{query}: {}", answer.status);
    }
    let jwt = net.folder.path().join("bea.jwt");
    fs::write(&jwt, token("bea")).unwrap();
    let url = format!("http://127.0.0.1:{}", port(a));
    let shown = celosia(&["breach-radius", "--member", "b", "--admin", &url, "--token-file", jwt.to_str().unwrap()]);
    assert_eq!(out(&shown).lines().count(), 4, "{}", err(&shown));
    let neither = celosia(&["breach-radius", "--admin", &url]);
    assert_eq!(neither.status.code(), Some(4), "{}", err(&neither));
}

#[test]
fn what_the_policy_keeps_for_a_second_is_due_a_second_later_at_both_ends() {
    let classes = CLASSES.replace("personal = {", "personal = { retention = \"1s\",");
    let mut net = Net::with(&["a", "b"], &classes);
    net.members.iter_mut().for_each(Member::start);
    let (a, b) = (net.at(0), net.at(1));
    let short = id(&send(a, &[b], b"x", &[]));
    let business = id(&send(a, &[b], b"x", &[("celosia-class", "business")]));
    let legal = [("celosia-basis", "legal-obligation"), ("celosia-retention", "P10Y")];
    let kept = id(&send(a, &[b], b"x", &legal));
    let due = |member: &Member| -> BTreeSet<String> {
        let shown = celosia(&["retention", "due", "--admin", &format!("http://127.0.0.1:{}", port(member))]);
        assert!(shown.status.success(), "{}", err(&shown));
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        out(&shown).lines().map(id).collect()
    };
    // Due, or erased already: the node looks for it every minute.
    let over = |member: &Member, id: &String| due(member).contains(id) || member.receive(id).is_none();
    let deadline = Instant::now() + Duration::from_secs(30);
    while ![(a, &short), (b, &short), (b, &kept)].into_iter().all(|(member, id)| over(member, id)) {
        assert!(Instant::now() < deadline, "not due: {:?} {:?}", due(a), due(b));
        std::thread::sleep(Duration::from_millis(200));
    }
    // The recipient does not know of the sender's obligation: its own policy decides.
    assert!(!over(a, &kept) && !over(a, &business) && !over(b, &business));
    let _ = Request::new("DELETE", &format!("/transaction/{}", escaped(&short))).send(&a.node);
    assert!(!due(a).contains(&short) && a.receive(&short).is_none());
}

#[test]
fn without_people_nobody_is_told_of_people() {
    let node = Node::start("");
    let call = |request: Request| request.header("Content-Type", JSON).send(&Target::Tcp(node.admin));
    let body = json!({ "subject": "ana" }).to_string();
    let closed = call(Request::new("POST", "/subjects/export").body(body.as_bytes()));
    assert_eq!((closed.status, closed.header("celosia-error")), (403, Some("CEL2318")));
    let item = node.payload();
    assert_eq!(call(Request::get(&format!("/tags/{}", escaped(&item)))).header("celosia-error"), Some("CEL2318"));
    // Without a directory there are no legal names, and what needs none works.
    let ropa = call(Request::get("/ropa")).must(200).json();
    assert_eq!((&ropa["controller"], &ropa["activities"][0]["items"]), (&Value::Null, &json!(1)));
    let disk = call(Request::get("/breach-radius?disk=true")).must(200);
    assert_eq!(lines(&disk).last().unwrap()["exposed"], 1);
    assert!(call(Request::get("/retention/due")).must(200).text().is_empty());
}
