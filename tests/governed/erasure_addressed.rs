//! Certificates against a controller that leaves somebody out.

use celosia::erasure::Certificate;
use serde_json::{Value, json};

use crate::documents::{base64, putted};
use crate::erasure::{celosia, certificate, erase, must, quick, wait_for};
use crate::member::Member;

/// What a controller does to its certificate, and what that is found out by.
type Change<'a> = (&'a dyn Fn(&mut Value), &'a str);

/// The file with another body, signed by the controller, who may write what it likes.
fn signed(controller: &Member, network: &str, body: &Value) -> String {
    let body = serde_json::to_string(body).unwrap();
    let signature = controller.signing().sign(&Certificate::statement(&network.parse().unwrap(), &body));
    Certificate::file(&body, &signature)
}

#[test]
fn a_controller_that_leaves_a_recipient_out_is_found_out() {
    let net = quick(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let network = net.governors.network().to_string();
    let id = a.sent(b"about a person", &[b, c]);
    let name = erase(a, &["--id", &id, "--urgent"]);
    wait_for(a, &name, "backup-safe");
    let path = a.folder.join("certificate");
    let file = certificate(a, &name, &path);
    let good = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(good.contains("of 1 of 1 item(s) the signed header names 3 address(es) of 3 member(s)"), "{good}");
    assert!(!good.contains("nothing shows"), "{good}");
    let page = a.folder.join("certificate.html").to_str().unwrap().to_owned();
    must(&["certificate", "page", "--network", &network, &file, "--out", &page]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("3 address(es) of 3 member(s)"));

    let text = std::fs::read_to_string(&path).unwrap();
    let body: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let verify = |body: &Value| {
        std::fs::write(&path, signed(a, &network, body)).unwrap();
        celosia(&["certificate", "verify", "--network", &network, &file])
    };
    assert!(verify(&body).0, "the control: signed anew as it was");
    let without_c = |body: &mut Value| body["holders"].as_array_mut().unwrap().retain(|holder| holder["member"] != "c");
    let recipients = |body: &mut Value| body["addressed"][0]["recipients"].as_array_mut().unwrap().clone();
    let changes: [Change<'_>; 6] = [
        // c's orders go, the list of recipients stays.
        (&without_c, "CEL3395"),
        // c goes from the list, too: the root is another.
        (
            &|body| {
                without_c(body);
                let left: Vec<Value> = recipients(body).into_iter().filter(|one| one["member"] != "c").collect();
                body["addressed"][0]["recipients"] = left.into();
            },
            "CEL3394",
        ),
        // c's address is said to be b's.
        (
            &|body| {
                without_c(body);
                for one in body["addressed"][0]["recipients"].as_array_mut().unwrap() {
                    if one["member"] == "c" {
                        one["member"] = "b".into();
                    }
                }
            },
            "CEL3394",
        ),
        (&|body| body["addressed"][0]["seed"] = data_encoding::BASE64.encode(&[7; 32]).into(), "CEL3394"),
        (&|body| body["addressed"][0]["signature"] = data_encoding::BASE64.encode(&[7; 64]).into(), "CEL3394"),
        (
            &|body| {
                let twice = body["addressed"][0].clone();
                body["addressed"].as_array_mut().unwrap().push(twice);
            },
            "CEL3394",
        ),
    ];
    for (change, code) in changes {
        let mut changed = body.clone();
        change(&mut changed);
        let (good, why) = verify(&changed);
        assert!(!good && why.contains(code), "{code}: {why}");
    }
    // What is left out of the proof is said, and proves nothing.
    let mut silent = body.clone();
    without_c(&mut silent);
    silent.as_object_mut().unwrap().remove("addressed");
    let (good, said) = verify(&silent);
    assert!(good && said.contains("of 1 of 1 item(s) nothing shows that every recipient is named"), "{said}");
    assert_eq!(json!(body["addressed"].as_array().unwrap().len()), 1);
}

#[test]
fn of_what_it_is_not_shown_is_said() {
    let net = quick(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let network = net.governors.network().to_string();
    let payload = a.sent(b"about a person", &[b]);
    let document = base64(&putted(a, b"about a person", &[b], "now"));
    let name = erase(a, &["--id", &payload, "--id", &document, "--urgent"]);
    wait_for(a, &name, "backup-safe");
    let file = certificate(a, &name, &a.folder.join("certificate"));
    let said = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(said.contains("of 1 of 2 item(s) the signed header names 2 address(es) of 2 member(s)"), "{said}");
    assert!(said.contains("of 1 of 2 item(s) nothing shows that every recipient is named: documents"), "{said}");
}
