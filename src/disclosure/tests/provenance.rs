//! Who sent and who acknowledged is for the auditor alone.

use super::super::*;
use super::case;
use crate::crypto::hpke::BoxKey;
use crate::crypto::secret::Secret;

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_carrier_of_a_release_learns_nobodys_name_and_puts_nothing_in_its_place() {
    let case = case(&["x", "y"]);
    let (docket, id) = (&case.docket.docket, case.items[0].id);
    let released = case.world.released(&case.docket, &case.kept[0]);
    let file = released.encode();
    for name in [&b"banco"[..], b"otro", &case.kept[0].header.0, &case.kept[0].acks[0].encode()] {
        assert!(!holds(&file, name), "{}", String::from_utf8_lossy(name));
    }
    let Released::Given { provenance, .. } = &released else { panic!("given") };
    let of_case = case_digest(docket);
    let open =
        |case: &[u8; 32], id: &crate::types::PayloadId, private: &Secret<32>| Provenance::open(private, case, id, provenance);
    let opened = open(&of_case, &id, &case.world.private).expect("the auditor's");
    assert_eq!((opened.header.as_ref(), &opened.acks), (Some(&case.kept[0].header), &case.kept[0].acks));
    let altered = Err(Refused::Provenance(id));
    assert_eq!(open(&[0; 32], &id, &case.world.private), altered, "of another case");
    assert_eq!(open(&of_case, &id, &Secret::random()), altered, "for another auditor");
    let other = case.items[1].id;
    assert_eq!(open(&of_case, &other, &case.world.private), Err(Refused::Provenance(other)), "of another payload");
    // Whoever has no key finds a foreign ciphertext and a foreign reason all the same.
    let keys = case.world.charter.signing_keys(&docket.member, docket.time);
    assert_eq!(released.check(docket, 1, &keys), Ok(()));
    let mut foreign = released.clone();
    let Released::Given { ciphertext, .. } = &mut foreign else { panic!("given") };
    ciphertext.clone_from(&case.kept[1].ciphertext);
    assert_eq!(foreign.check(docket, 1, &keys), Err(Refused::Ciphertext(id)));
    let withheld = Released::Withheld { id, why: "erased since".into(), signature: [7; 64] };
    assert_eq!(withheld.check(docket, 1, &keys), Err(Refused::Signature("reason")));
}

#[test]
fn its_length_does_not_count_recipients_and_it_has_one_encoding() {
    let case = case(&["x"]);
    let (of_case, id, to) = (case_digest(&case.docket.docket), case.items[0].id, BoxKey::of(&case.world.private));
    let with = |acks: usize| {
        let acks = case.kept[0].acks.iter().cycle().take(acks).cloned().collect();
        Provenance { header: Some(case.kept[0].header.clone()), acks }
    };
    let length = |acks| with(acks).seal(&to, &of_case, &id).expect("seals").len();
    assert_eq!((length(0), length(1)), (length(2), length(2)));
    assert!(length(40) > length(1));
    let bytes = with(1).encode();
    assert_eq!(Provenance::decode(&bytes), Ok(with(1)));
    for cut in 0..bytes.len() {
        assert!(Provenance::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(Provenance::decode(&[&bytes[..], &[0]].concat()).is_err());
    // Bytes behind the end are zeros.
    let mut plain = frame(&bytes);
    plain.resize(plain.len().next_multiple_of(2_048), 0);
    *plain.last_mut().expect("padded") = 1;
    let aad = [&of_case[..], id.as_bytes()].concat();
    let sealed = crate::crypto::hpke::seal(&to, b"celosia disclosure provenance 1\0", &aad, &plain).expect("seals");
    assert_eq!(Provenance::open(&case.world.private, &of_case, &id, &sealed), Err(Refused::Provenance(id)));
}
