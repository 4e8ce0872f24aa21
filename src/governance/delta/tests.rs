use std::sync::Arc;

use super::super::sample::*;
use super::super::*;
use super::*;
use crate::types::PeerUrl;

fn signed_directory(charter: &mut Charter, members: Vec<Member>) -> Arc<Signed<Directory>> {
    let document = Document::Directory(directory(charter, members));
    charter.accept(&signed(&document, &["a", "b"]), minutes(60)).expect("a directory");
    Arc::clone(charter.directory().expect("the directory"))
}

#[test]
fn a_delta_gives_the_next_directory_to_the_byte() {
    let mut charter = begun();
    let old = signed_directory(&mut charter, (0..200).map(|at| member(&format!("m{at}"))).collect());
    let lagging = charter.clone();
    let mut members = old.content.members.clone();
    members[17].state = State::Suspended;
    members[40].compatible = Some("http://m40.example:9000/".parse::<PeerUrl>().expect("a URL"));
    members.push(Member { software: Software::Tessera, signing_key: None, native: None, tls_pin: None, ..members[40].clone() });
    let last = members.last_mut().expect("one");
    (last.id, last.addresses) = ("vieja".parse().expect("an id"), member("vieja").addresses);
    last.compatible = Some("http://vieja.example:9000/".parse().expect("a URL"));
    let new = signed_directory(&mut charter, members);

    let delta = Delta::between(&old, &new);
    let bytes = delta.encode();
    assert!(bytes.len() < 1500, "{} bytes for three entries", bytes.len());
    let read = Delta::decode(&bytes).expect("a delta");
    assert_eq!((&read, read.version()), (&delta, 3));
    let note = read.apply(&old).expect("the directory");
    assert_eq!(note, new.note);
    assert!(lagging.clone().accept(&note, minutes(60)).is_ok());

    assert_eq!(delta.apply(&new).map_err(|error| error.code().0), Err(6041));
    let forged = Delta { version: 4, ..delta };
    assert_eq!(forged.apply(&old), Err(DeltaError::Target));
}

#[test]
fn what_is_no_delta_is_refused() {
    let mut charter = begun();
    let old = signed_directory(&mut charter, vec![member("azul")]);
    let new = signed_directory(&mut charter, vec![member("azul"), member("rojo")]);
    let bytes = Delta::between(&old, &new).encode();
    for end in 0..bytes.len() {
        assert!(Delta::decode(&bytes[..end]).is_err(), "{end}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Delta::decode(&longer).is_err());
    // A list that claims more than there may be.
    assert!(Delta::decode(&[0x89, 1]).is_err());
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        if let Ok(delta) = Delta::decode(&flipped) {
            // It may still be one; then it does not give what the governors signed.
            let taken = delta.apply(&old).is_ok_and(|note| note == new.note);
            assert!(!taken, "byte {at}");
        }
    }
}
