//! Keys that were replaced: what was signed in their time, and what is signed with them later.

use jiff::{SignedDuration, Timestamp};

use super::super::sample::{NOW, signed};
use super::*;
use crate::crypto::hash::sha256;
use crate::governance::{Charter, Directory, Document, Head, Member};
use crate::wire::SignedAck;
use crate::wire::ack::{Ack, join, root as ack_root, root_statement};
use crate::wire::header::{self, Header};

const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_second(i64::try_from(millis / 1000).expect("a time")).expect("a time")
}

/// The next directory, with other signing keys.
fn replace(charter: &mut Charter, keys: &[(&str, &str)], issued: Timestamp) {
    let (newest, hash) = charter.newest();
    let version = newest.version + 1;
    let head = Head { network: newest.network, version, previous: Some(hash), policy: Some(1), issued };
    let changed = |member: &Member| {
        let key_of = keys.iter().find(|(id, _)| *id == member.id.as_str()).map(|(_, name)| key(name).verify_key());
        Member { signing_key: key_of.or(member.signing_key), ..member.clone() }
    };
    let members = charter.members().all().iter().map(changed).collect();
    let note = signed(&Document::Directory(Directory { head, members }));
    charter.accept(&note, issued).expect("a directory");
}

/// The payload's header and acknowledgement at other times, signed with the keys of then.
fn dated(kept: &mut sample::Kept, made: u64, acknowledged: u64) {
    let header = Header { time: made, ..Header::decode(&kept.header.0).expect("a header") };
    let bytes = header.encode();
    let ack = Ack { header: sha256(&[&bytes]), time: acknowledged, ..kept.acks[0].ack.clone() };
    let root = ack_root(std::slice::from_ref(&ack));
    kept.acks = join(vec![ack], &root, key("otro").sign(&root_statement(&header.network, &root)));
    let signature = key("banco").sign(&header::signed(&header.network, &bytes));
    kept.header = (bytes, signature);
}

/// Opens the one payload of a case as an auditor with the documents that the case file brings.
fn opened(case: &Case, charter: &Charter) -> Result<Vec<SignedAck>, Refused> {
    let mut opener = Opener::new(charter, &case.request, &case.docket, 1, case.world.private.duplicate())?;
    for officer in [1, 2, 3] {
        let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, officer);
        opener.add(&signed, &chunks)?;
    }
    Ok(opener.open(&case.items[0], &case.world.released(&case.docket, &case.kept[0]))?.provenance.acks)
}

#[test]
fn what_was_signed_in_a_keys_time_opens_after_many_changes_and_what_is_later_does_not() {
    let mut case = case(&["of before"]);
    let (first, late) = (at(NOW + 2 * MINUTE), at(NOW + 400 * DAY));
    for turn in 0..70_u32 {
        let (banco, otro) = (format!("banco {turn}"), format!("otro {turn}"));
        let issued = first + SignedDuration::from_hours(48 * i64::from(turn));
        replace(&mut case.world.charter, &[("banco", &banco), ("otro", &otro)], issued);
    }
    let bundle = case.bundle(&[]);
    let text = bundle.write();
    let charter = Bundle::read(&text).expect("a case file").charter(&case.world.network, late).expect("a chain");
    assert_eq!(opened(&case, &charter).expect("both keys were their members' then").len(), 1);
    bundle.check_list(&charter, &case.items, NOW).expect("the docket was signed then");
    let replaced = u64::try_from(first.as_millisecond()).expect("a time");
    for (made, acknowledged, code) in [
        // Governors sign for a while: a day of grace is what the policy says.
        (replaced + DAY - 1, replaced + DAY - 1, None),
        (replaced + DAY, replaced, Some(Refused::Header(case.items[0].id, "its member did not sign it"))),
        (replaced, replaced + DAY, Some(Refused::Ack(case.items[0].id, "otro".parse().expect("a name")))),
    ] {
        dated(&mut case.kept[0], made, acknowledged);
        assert_eq!(opened(&case, &charter).err(), code, "{made} {acknowledged}");
    }
}

#[test]
fn a_case_file_of_the_first_form_is_read() {
    let case = case(&["x"]);
    let text = case.bundle(&[]).write();
    let former = text.replacen("celosia-disclosure-case-2", "celosia-disclosure-case-1", 1);
    assert_ne!(former, text);
    assert_eq!(Bundle::read(&former), Bundle::read(&text));
    assert!(Bundle::read(&text.replacen("celosia-disclosure-case-2", "celosia-disclosure-case-3", 1)).is_err());
}
