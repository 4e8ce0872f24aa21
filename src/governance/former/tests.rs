use jiff::Timestamp;

use super::super::sample::*;
use super::super::*;
use super::Former;
use crate::crypto::sign::VerifyKey;
use crate::types::{Address, Coded, MemberId};

const HOUR: u64 = 60 * 60 * 1000;
const LATE: &str = "2030-01-01T00:00:00Z";

fn late() -> Timestamp {
    LATE.parse().expect("a time")
}

fn id(name: &str) -> MemberId {
    name.parse().expect("an id")
}

fn key_of(name: &str, turn: usize) -> VerifyKey {
    key(&format!("{name} {turn}")).verify_key()
}

fn address(name: &str, turn: usize) -> Address {
    Address::new(*key_of(name, turn).as_bytes())
}

/// A member with the key and the address of its turn.
fn turned(name: &str, turn: usize) -> Member {
    Member { signing_key: Some(key_of(name, turn)), addresses: vec![address(name, turn)], ..member(name) }
}

/// The next directory, issued `hours` after the newest document; its date.
fn next_directory(charter: &mut Charter, members: Vec<Member>, hours: i64) -> u64 {
    let mut document = directory(charter, members);
    document.head.issued = charter.newest().0.issued + jiff::SignedDuration::from_hours(hours);
    let at = u64::try_from(document.head.issued.as_millisecond()).expect("after 1970");
    let note = signed(&Document::Directory(document), &["a", "b", "c"]);
    charter.accept(&note, late()).expect("a directory");
    at
}

/// Twenty members, of which each turn replaces the key and the address of one; days pass between. The dates of the turns.
fn turned_network(turns: usize) -> (Charter, Vec<u64>) {
    let mut charter = begun();
    let names: Vec<String> = (0..20).map(|at| format!("m{at:02}")).collect();
    let mut members: Vec<Member> = names.iter().map(|name| turned(name, 0)).collect();
    let mut dates = vec![next_directory(&mut charter, members.clone(), 1)];
    for turn in 1..=turns {
        let at = turn % members.len();
        members[at] = turned(&names[at], turn);
        dates.push(next_directory(&mut charter, members.clone(), 48));
        if turn % 50 == 0 {
            let policy = Document::Policy(policy(&charter));
            charter.accept(&signed(&policy, &["a", "b"]), late()).expect("a policy");
        }
    }
    (charter, dates)
}

#[test]
fn no_change_of_keys_makes_an_earlier_one_unknown_and_each_counts_for_its_time_alone() {
    let turns = 130;
    let (charter, dates) = turned_network(turns);
    let documents = charter.documents(0);
    let offline = Charter::of_documents(&documents, late()).expect("a chain");
    assert_eq!(offline.newest(), charter.newest());
    for (turn, begun) in dates.iter().enumerate().take(turns - 19).skip(1) {
        let name = id(&format!("m{:02}", turn % 20));
        // Twenty turns later it is that member's again.
        let ended = dates[turn + 20];
        for charter in [&charter, &offline] {
            for (time, is_known) in [(*begun, true), (ended - 1, true), (ended + 23 * HOUR, true), (ended + 24 * HOUR, false)] {
                let keys = charter.signing_keys(&name, time);
                assert_eq!(keys.contains(&key_of(name.as_str(), turn)), is_known, "turn {turn} at {time}");
                assert_eq!(keys[0], charter.signing_keys(&name, u64::MAX)[0], "the newest comes first");
            }
            assert_eq!(charter.owner_of(&address(name.as_str(), turn), *begun), Some(&name));
            assert_eq!(charter.owner_of(&address(name.as_str(), turn), ended + 24 * HOUR), None);
            assert_eq!(charter.last_owner_of(&address(name.as_str(), turn)), Some(&name));
        }
    }
    assert_eq!(charter.signing_keys(&id("m01"), u64::MAX).len(), 1);
    assert!(charter.signing_keys(&id("nobody"), 0).is_empty());
}

#[test]
fn a_case_of_late_days_carries_no_directories_of_early_ones() {
    let (charter, dates) = turned_network(120);
    let (all, some) = (charter.documents(0), charter.documents(dates[100]));
    let offline = Charter::of_documents(&some, late()).expect("a chain");
    for turn in 81..=100 {
        // In force at that date: replaced at turn 101 or later, or never.
        let name = id(&format!("m{:02}", turn % 20));
        assert!(offline.signing_keys(&name, dates[100]).contains(&key_of(name.as_str(), turn)), "turn {turn}");
        assert_eq!(offline.owner_of(&address(name.as_str(), turn), dates[100]), Some(&name));
    }
    assert!(some.len() < 30 && all.len() > 120, "{} and {} documents", some.len(), all.len());
    assert_eq!(charter.documents(u64::MAX).len(), 1 + 2 + 1, "policies and the newest directory");
}

#[test]
fn what_changed_is_sent_and_not_the_whole() {
    let (charter, _) = turned_network(60);
    let (least, all): (usize, usize) =
        (charter.documents(u64::MAX).iter().map(String::len).sum(), charter.documents(0).iter().map(String::len).sum());
    // Each change of a key with its address, with three governors' signatures, in base64. The first directory is as long as the newest.
    let each = (all - least) / 60;
    println!("{each} bytes for each change");
    assert!((300..1_000).contains(&each), "{each} bytes for each change");
}

#[test]
fn a_change_that_is_forged_or_out_of_place_is_no_chain() {
    let (charter, _) = turned_network(5);
    let documents = charter.documents(0);
    let refused = |documents: &[String]| Charter::of_documents(documents, late()).expect_err("refused").code().0;
    assert_eq!(refused(&[]), 6026);
    let mut without = documents.clone();
    without.remove(3);
    assert_eq!(refused(&without), 6041);
    let mut early = documents.clone();
    early.remove(1);
    assert_eq!(refused(&early), 6042, "no directory yet");
    // What too few governors signed.
    let (base, _) = turned_network(4);
    let old = base.directory().expect("a directory");
    let mut other = old.content.members.clone();
    other[7] = turned("m07", 99);
    let forged_note = signed(&Document::Directory(directory(&base, other)), &["a"]);
    let mut forged = documents[..documents.len() - 1].to_vec();
    forged.push(forged_note.to_string());
    assert_eq!(refused(&forged), 6015);
}

#[test]
fn an_address_that_moved_is_each_owners_in_its_time() {
    let mut charter = begun();
    next_directory(&mut charter, vec![turned("azul", 1), turned("rojo", 1)], 1);
    let moved = next_directory(&mut charter, vec![turned("azul", 2), turned("rojo", 1)], 100);
    let rojo = Member { addresses: vec![address("rojo", 1), address("azul", 1)], ..turned("rojo", 1) };
    let taken = next_directory(&mut charter, vec![turned("azul", 2), rojo], 100);
    let offline = Charter::of_documents(&charter.documents(0), late()).expect("a chain");
    for charter in [charter, offline] {
        let owner = |time| charter.owner_of(&address("azul", 1), time).map(MemberId::as_str);
        assert_eq!((owner(0), owner(moved - 1), owner(taken)), (Some("azul"), Some("azul"), Some("rojo")));
        assert_eq!(charter.last_owner_of(&address("azul", 1)).map(MemberId::as_str), Some("rojo"));
    }
}

#[test]
fn a_key_that_comes_back_is_its_members_again() {
    let mut charter = begun();
    next_directory(&mut charter, vec![turned("azul", 1)], 1);
    next_directory(&mut charter, vec![turned("azul", 2)], 100);
    next_directory(&mut charter, vec![turned("azul", 1)], 100);
    let ended = next_directory(&mut charter, vec![turned("azul", 3)], 100);
    assert!(charter.signing_keys(&id("azul"), ended - 1).contains(&key_of("azul", 1)));
    assert_eq!(charter.signing_keys(&id("azul"), ended + 24 * HOUR), [key_of("azul", 3)]);
}

#[test]
fn changes_have_an_end_and_nothing_is_dropped() {
    let mut former = Former::default();
    let mut charter = begun();
    let mut last = None;
    for turn in 0..4 {
        next_directory(&mut charter, vec![turned("azul", turn), turned("rojo", 1)], 1);
        let newest = std::sync::Arc::clone(charter.directory().expect("a directory"));
        if let Some(old) = last.replace(std::sync::Arc::clone(&newest)) {
            former.note(&old, &newest, HOUR);
        }
    }
    let (old, next) = (last.expect("one"), |members| directory(&charter, members));
    former.changes.insert(id("azul"), MAX_CHANGES - 1);
    let once_more = next(vec![turned("azul", 9), turned("rojo", 1)]);
    assert_eq!(former.too_often(&old.content, &once_more), None);
    former.changes.insert(id("azul"), MAX_CHANGES);
    assert_eq!(former.too_often(&old.content, &once_more), Some(&id("azul")));
    // Whatever takes nothing away goes on, and so do others.
    let more = Member { addresses: vec![address("azul", 3), address("azul", 9)], ..turned("azul", 3) };
    assert_eq!(former.too_often(&old.content, &next(vec![more, turned("rojo", 2)])), None);
}
