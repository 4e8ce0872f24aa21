use super::super::sample::*;
use super::super::*;
use super::*;
use crate::types::Coded;

fn accept(charter: &mut Charter, document: &Document, names: &[&str]) -> Result<Accepted, Refusal> {
    charter.accept(&signed(document, names), minutes(60))
}

/// Version 2: one member; version 3: a policy with other grace.
fn grown() -> Charter {
    let mut charter = begun();
    let directory = Document::Directory(directory(&charter, vec![member("azul")]));
    assert_eq!(accept(&mut charter, &directory, &["a", "c"]), Ok(Accepted::New { ignored: Vec::new() }));
    let policy = Document::Policy(Policy { grace: "2h".parse().expect("a span"), ..policy(&charter) });
    assert_eq!(accept(&mut charter, &policy, &["b", "c"]), Ok(Accepted::New { ignored: Vec::new() }));
    charter
}

#[test]
fn a_network_begins_and_grows() {
    let charter = grown();
    assert_eq!((charter.version(), charter.policy_version(), charter.members().version()), (3, 3, 2));
    let azul = charter.members().by_id(&"azul".parse().expect("an id")).expect("azul");
    for found in [
        charter.members().by_address(&azul.addresses[0]),
        charter.members().by_pin(&azul.tls_pin.expect("a pin")),
        charter.members().by_signing_key(&azul.signing_key.expect("a key")),
    ] {
        assert_eq!(found, Some(azul));
    }
    assert_eq!(charter.after(0).len(), 3);
    assert_eq!(charter.after(2).len(), 1);
    let mut again = Charter::begin(charter.after(0)[0]).expect("version 1");
    for note in charter.after(1) {
        again.accept(note, minutes(60)).expect("the same documents");
    }
    assert_eq!(again.newest(), charter.newest());
}

#[test]
fn what_is_known_is_known_and_more_signatures_are_merged() {
    let mut charter = grown();
    let notes: Vec<Note> = charter.after(0).into_iter().cloned().collect();
    for (note, fresh) in notes.iter().zip(["c", "b", "a"]) {
        assert_eq!(charter.accept(note, minutes(60)), Ok(Accepted::Known));
        let mut more = note.clone();
        more.sign(fresh, &key(fresh));
        more.sign("stranger", &key("stranger"));
        assert_eq!(charter.accept(&more, minutes(60)), Ok(Accepted::Merged));
        assert_eq!(charter.accept(&more, minutes(60)), Ok(Accepted::Known));
    }
    assert!(charter.after(0).iter().all(|note| note.signatures().len() == 3), "strangers' lines are not kept");
}

#[test]
fn strangers_do_not_count_and_are_named() {
    let mut charter = begun();
    let document = Document::Directory(directory(&charter, Vec::new()));
    let mut forged = signed(&document, &["a", "stranger"]);
    forged.sign("b", &key("not b"));
    let ignored = vec!["stranger".to_owned(), "b".to_owned()];
    let refused = charter.accept(&forged, minutes(60));
    assert_eq!(refused, Err(Refusal::TooFewSignatures { need: 2, valid: 1, of: 3, ignored: ignored.clone() }));
    forged.sign("c", &key("c"));
    assert_eq!(charter.accept(&forged, minutes(60)), Ok(Accepted::New { ignored }));
}

#[test]
fn a_node_may_miss_directories_and_needs_every_policy() {
    let mut far = grown();
    let lagging = far.clone();
    for id in ["azul", "rojo", "verde"] {
        let mut members = far.members().all().to_vec();
        members.retain(|known| known.id.as_str() != id);
        members.push(member(id));
        let document = Document::Directory(directory(&far, members));
        accept(&mut far, &document, &["a", "b"]).expect("a directory");
    }
    let mut jumping = lagging.clone();
    assert!(matches!(jumping.accept(far.after(3)[0], minutes(60)), Ok(Accepted::New { .. })));
    assert_eq!((jumping.version(), jumping.members().all().len()), (6, 3));
    let next_policy = Document::Policy(policy(&far));
    accept(&mut far, &next_policy, &["a", "b"]).expect("a policy");
    let last = Document::Directory(directory(&far, far.members().all().to_vec()));
    accept(&mut far, &last, &["a", "b"]).expect("a directory");
    assert_eq!(lagging.clone().accept(far.after(7)[0], minutes(60)), Err(Refusal::MissingPolicy(7)));
    // A directory in between that was jumped over is no longer taken.
    let middle =
        Document::Directory(Directory { head: Head { version: 5, ..next(&lagging) }, members: far.members().all().to_vec() });
    assert_eq!(accept(&mut jumping, &middle, &["a", "b"]), Err(Refusal::Rollback { have: 6, got: 5 }));
}

#[test]
fn each_rule_refuses_with_its_reason_and_code() {
    let charter = grown();
    let listed = charter.members().all().to_vec();
    let fine = || directory(&charter, listed.clone());
    let head = |change: &dyn Fn(&mut Head)| {
        let mut document = fine();
        change(&mut document.head);
        Document::Directory(document)
    };
    let with = |change: &dyn Fn(&mut Policy)| {
        let mut document = policy(&charter);
        change(&mut document);
        document.normalise();
        Document::Policy(document)
    };
    let quorum: &[&str] = &["a", "b"];
    let cases: Vec<(&str, Document, &[&str], u16)> = vec![
        ("another network", head(&|head| head.network = other_network()), quorum, 6012),
        ("a second version 2", head(&|head| (head.version, head.policy) = (2, Some(1))), quorum, 6014),
        ("a second version 2 that few signed", head(&|head| (head.version, head.policy) = (2, Some(1))), &["a"], 6015),
        ("it follows another version 3", head(&|head| head.previous = Some(DocumentHash::new([1; 32]))), quorum, 6014),
        ("one signature", Document::Directory(fine()), &["a"], 6015),
        ("no signature that counts", Document::Directory(fine()), &["x", "y"], 6015),
        ("a superseded policy", head(&|head| head.policy = Some(1)), quorum, 6018),
        ("a policy that is a directory", head(&|head| head.policy = Some(2)), quorum, 6018),
        ("a policy in between", head(&|head| (head.version, head.policy) = (9, Some(7))), quorum, 6019),
        ("before version 3", head(&|head| head.issued = noon()), quorum, 6020),
        ("an hour ahead", head(&|head| head.issued = minutes(120)), quorum, 6021),
        ("no azul", Document::Directory(directory(&charter, vec![member("rojo")])), quorum, 6023),
        ("few of the new", with(&|policy| policy.governors = governors(&["a", "b", "d", "e"])), quorum, 6008),
        ("a lowered threshold", with(&|policy| policy.threshold = 1), &["a"], 6008),
        ("a takeover", with(&|policy| (policy.governors, policy.threshold) = (governors(&["c", "x"]), 2)), &["c", "x"], 6016),
        ("no new ones", with(&|policy| policy.governors = governors(&["a", "x", "y"])), quorum, 6017),
        ("neither", with(&|policy| policy.governors = governors(&["a", "x", "y"])), &["a"], 6015),
        ("a renamed genesis", with(&|policy| policy.genesis.name = "otra".into()), quorum, 6010),
    ];
    for (what, document, names, code) in cases {
        let mut charter = charter.clone();
        let refused = accept(&mut charter, &document, names).expect_err(what);
        assert_eq!(refused.code().0, code, "{what}: {refused}");
        assert_eq!(charter.version(), 3, "{what}");
    }
}

#[test]
fn ten_minutes_ahead_are_taken_and_a_second_more_is_not() {
    let charter = begun();
    let document = Document::Directory(directory(&charter, Vec::new()));
    let note = signed(&document, &["a", "b"]);
    let early = document.head().issued - SignedDuration::from_secs(CLOCK_SKEW);
    assert!(charter.clone().accept(&note, early).is_ok());
    let refused = charter.clone().accept(&note, early - SignedDuration::from_secs(1)).expect_err("too early");
    assert!(refused.to_string().contains("this clock or the governors' is wrong"), "{refused}");
}

#[test]
fn governors_are_replaced_by_those_that_remain() {
    let mut charter = grown();
    let replaced = Document::Policy(Policy { governors: governors(&["a", "b", "d"]), ..policy(&charter) });
    accept(&mut charter, &replaced, &["a", "b"]).expect("a and b are two of both");
    let next = Document::Directory(directory(&charter, charter.members().all().to_vec()));
    let lost = accept(&mut charter, &next, &["a", "c"]).expect_err("c governs no more");
    assert!(matches!(lost, Refusal::TooFewSignatures { valid: 1, .. }));
    assert!(accept(&mut charter, &next, &["a", "d"]).is_ok());
}

#[test]
fn states_change_back_and_forth() {
    let mut charter = grown();
    for state in [State::Suspended, State::Active, State::Expelled, State::Active] {
        let document = Document::Directory(directory(&charter, vec![Member { state, ..member("azul") }]));
        accept(&mut charter, &document, &["a", "b"]).expect("a state");
        assert_eq!(charter.members().all()[0].state, state);
    }
}

#[test]
fn a_member_that_changed_for_ever_is_refused_a_further_change() {
    let mut charter = grown();
    let azul = charter.members().all()[0].clone();
    Arc::make_mut(&mut charter.former).changes.insert(azul.id.clone(), MAX_CHANGES);
    let changed = Member { signing_key: Some(key("another").verify_key()), ..azul.clone() };
    let document = Document::Directory(directory(&charter, vec![changed]));
    assert_eq!(accept(&mut charter, &document, &["a", "b"]).map_err(|refused| refused.code().0), Err(6027));
    assert_eq!(charter.fits(&document, minutes(60)).map_err(|refused| refused.code().0), Err(6027));
    let same = Document::Directory(directory(&charter, vec![Member { state: State::Suspended, ..azul }]));
    assert!(accept(&mut charter, &same, &["a", "b"]).is_ok());
}

#[test]
fn only_a_signed_version_1_policy_begins_a_network() {
    let charter = grown();
    let refused = |note: &Note| Charter::begin(note).expect_err("refused").code().0;
    assert_eq!(refused(charter.after(1)[0]), 6011);
    assert_eq!(refused(charter.after(2)[0]), 6011);
    assert_eq!(refused(&signed(&Document::Policy(genesis()), &["a"])), 6015);
    let other = Policy { threshold: 3, ..genesis() };
    assert_eq!(refused(&signed(&Document::Policy(other), &["a", "b", "c"])), 6006);
}
