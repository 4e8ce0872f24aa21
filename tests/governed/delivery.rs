//! Payloads between Celosias of one directory.

use crate::http::Request;
use crate::keys::random_bytes;
use crate::member::percent;
use crate::net::Net;

#[test]
fn payloads_go_to_their_recipients_and_a_receipt_is_kept() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    for length in [1, 100, 5_000, 70_000, 1_100_000, 5_000_000] {
        let payload = random_bytes(length);
        let id = a.sent(&payload, &[b]);
        assert_eq!(a.receive(&id).as_ref(), Some(&payload), "{length}");
        assert_eq!(b.receive(&id).as_ref(), Some(&payload), "{length}");
        assert_eq!(c.receive(&id), None);
    }
    let id = b.sent(b"to both", &[a, c]);
    assert_eq!((a.receive(&id), c.receive(&id)), (Some(b"to both".to_vec()), Some(b"to both".to_vec())));
    let receipt = Request::get(&format!("/receipts/{}", percent(&id))).send(&b.admin).must(200);
    assert!(receipt.body.len() > 500);
}
