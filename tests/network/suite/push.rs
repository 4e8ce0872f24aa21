//! What peers push, taken from what a member hands out on `/resend`.

use super::resend::individual;
use super::{Check, table};
use crate::http::{BYTES, Request};
use crate::keys::random_bytes;
use crate::member::Member;
use crate::net::{Net, holds, lacks, path_of, private_request, request, send};

pub(super) const CHECKS: &[Check] = table![
    pushed_twice_it_is_the_same,
    a_lost_payload_is_pushed_again,
    enhanced_payloads_are_not_handed_out,
    bytes_that_are_no_payload_are_500,
    party_info_that_is_none_is_refused,
];

/// A push as a peer of the first versions makes it.
fn push(member: &Member, payload: &[u8]) -> crate::http::Answer {
    let versions = "tesseraSupportedApiVersions";
    Request::new("POST", "/push").header("Content-Type", BYTES).header(versions, "v1,v2,2.1").body(payload).send(&member.p2p)
}

fn pushed_twice_it_is_the_same(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        let id = send(from, &request);
        let payload = individual(from, to.key(), &id).must(200).body;
        for _ in 0..2 {
            assert_eq!(push(to, &payload).must(201).text(), id);
        }
        holds(to, &id, &request);
        assert_eq!(to.get_text(&format!("{}/participants", path_of(&id))).must(200).text(), to.key());
    }
}

fn a_lost_payload_is_pushed_again(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        let id = send(from, &request);
        let payload = individual(from, to.key(), &id).must(200).body;
        Request::new("DELETE", &path_of(&id)).send(&to.q2t).must(204);
        lacks(to, &id);
        let status = push(to, &payload).status;
        if to.maker == crate::member::Maker::Tessera {
            assert_eq!(status, 201);
            holds(to, &id, &request);
        } else {
            // Erased means erased: nobody brings it back.
            println!("push of an erased payload: {status}");
            lacks(to, &id);
        }
    }
}

fn enhanced_payloads_are_not_handed_out(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = send(from, &private_request(from, &[net.c()], 1, &[]));
        let answer = individual(from, net.c().key(), &id).must(403);
        assert_eq!(answer.text(), "Cannot resend enhanced privacy transaction in legacy resend");
    }
}

fn bytes_that_are_no_payload_are_500(net: &Net) {
    for member in &net.members {
        for bytes in [b"x".to_vec(), random_bytes(100), vec![0; 500]] {
            let answer = push(member, &bytes);
            assert!(answer.status == 500, "{} {}", answer.status, answer.text());
        }
        push(member, b"").must(500);
    }
}

fn party_info_that_is_none_is_refused(net: &Net) {
    for member in &net.members {
        let known = member.known_keys().len();
        for bytes in [b"x".to_vec(), random_bytes(100)] {
            let call = Request::new("POST", "/partyinfo").header("Content-Type", BYTES).body(&bytes).send(&member.p2p);
            assert!(call.status >= 400, "{} {}", call.status, call.text());
        }
        assert_eq!(member.known_keys().len(), known);
    }
}
