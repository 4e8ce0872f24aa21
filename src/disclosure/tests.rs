//! The attacks that a disclosure must refuse, each for its own reason.

mod former;
mod forms;
mod life;
mod limits;
mod provenance;
mod record;
mod report;

use super::sample::{NOW, World, by_id, key};
use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::KeyShare;
use crate::types::Coded as _;

struct Case {
    world: World,
    kept: Vec<sample::Kept>,
    items: Vec<Item>,
    request: SignedRequest,
    docket: SignedDocket,
}

fn case(texts: &[&str]) -> Case {
    let world = World::new();
    let kept: Vec<_> = texts.iter().map(|text| world.kept(text)).collect();
    let items: Vec<_> = kept.iter().map(|kept| kept.item.clone()).collect();
    let request = world.request(by_id(&items.iter().map(|item| item.id).collect::<Vec<_>>()));
    let docket = world.docket(&request, &items);
    Case { world, kept, items, request, docket }
}

impl Case {
    /// What a member is told of its first item.
    fn notice(&self, verdicts: Vec<SignedVerdict>) -> Notice {
        Notice {
            network: self.world.network,
            to: "otro".parse().expect("a name"),
            stage: Stage::Viewed,
            page: 0,
            time: NOW,
            request: self.request.clone(),
            docket: self.docket.clone(),
            verdicts,
            view: None,
            items: vec![Told { item: self.items[0].clone(), index: 0, path: Vec::new() }],
        }
    }

    fn epochs(&self) -> Result<Epochs, Refused> {
        let key = self.world.committee().key;
        self.docket.check_items(
            &self.request,
            &self.items,
            |epoch| {
                if epoch == 1 { Ok(key) } else { Err(Refused::NoCommittee(epoch)) }
            },
        )
    }

    fn tally(&self, verdicts: &[SignedVerdict], time: u64) -> Result<Tally, Refused> {
        let (case, request) = (case_digest(&self.docket.docket), &self.request.request);
        tally(&self.world.charter, request, &self.epochs()?, &case, verdicts, time)
    }

    fn verdicts(&self, officers: &[u16]) -> Vec<SignedVerdict> {
        officers.iter().map(|officer| self.world.verdict(&self.docket, *officer, true)).collect()
    }

    fn bundle(&self, verdicts: &[SignedVerdict]) -> Bundle {
        let view = (!verdicts.is_empty()).then(|| self.world.view(&self.docket.docket, verdicts));
        let (request, docket) = (self.request.clone(), self.docket.clone());
        let documents = self.world.charter.documents(0);
        Bundle { request, docket, verdicts: verdicts.to_vec(), view, documents }
    }

    fn open_with(&self, officers: &[u16], at: usize) -> Result<Opened, Refused> {
        let mut opener = self.world.opener(&self.request, &self.docket);
        for officer in officers {
            let (signed, chunks) = self.world.shares_of(&self.request, &self.docket, &self.items, *officer);
            opener.add(&signed, &chunks)?;
        }
        opener.open(&self.items[at], &self.world.released(&self.docket, &self.kept[at]))
    }
}

#[test]
fn three_officers_open_exactly_what_was_granted_and_everything_is_proved() {
    let case = case(&["one payload", "another"]);
    case.request.verify(&case.world.network).expect("a request");
    case.docket.verify(&case.request, &key("banco").verify_key()).expect("a docket");
    case.docket.is_of(&case.items.iter().map(Item::leaf).collect::<Vec<_>>()).expect("its list");
    let verdicts = case.verdicts(&[1, 3, 5]);
    case.tally(&verdicts, NOW).expect("a tally").is_enough().expect("k of k entities");
    let view = case.world.view(&case.docket.docket, &verdicts);
    let checked = view.check(&case.world.charter, &case.docket.docket, &verdicts).expect("on record");
    assert_eq!((checked.view, checked.at, checked.index, checked.size), (1, NOW, 0, 1));
    for at in 0..2 {
        let opened = case.open_with(&[1, 3, 5], at).expect("it opens");
        assert_eq!(opened.payload.as_slice(), case.kept[at].payload);
        assert_eq!((opened.provenance.acks.len(), opened.wrong.len()), (1, 0));
        assert_eq!(opened.header.expect("a header").member, case.world.member);
    }
    assert_eq!(case.open_with(&[2, 3, 4, 5], 0).expect("any three").payload.as_slice(), b"one payload");
}

#[test]
fn a_payload_in_tesseras_suite_opens_too_and_has_no_header() {
    let world = World::new();
    let kept = world.kept_of_a_tessera("from a Tessera");
    let items = vec![kept.item.clone()];
    let request = world.request(by_id(&[kept.item.id]));
    let docket = world.docket(&request, &items);
    let mut opener = world.opener(&request, &docket);
    for officer in 1..=3 {
        let (signed, chunks) = world.shares_of(&request, &docket, &items, officer);
        opener.add(&signed, &chunks).expect("taken");
    }
    let Released::Given { id, sealed, ciphertext, .. } = world.released(&docket, &kept) else { panic!("given") };
    let provenance = world.provenance(&docket, &kept, None, Vec::new());
    let released = Released::Given { id, sealed, ciphertext, provenance };
    let opened = opener.open(&items[0], &released).expect("it opens");
    assert_eq!((opened.payload.as_slice(), opened.header), (&b"from a Tessera"[..], None));
    // One of the suite celosia-1 has a header, or it is not opened.
    let case = case(&["x"]);
    let mut opener = case.world.opener(&case.request, &case.docket);
    for officer in 1..=3 {
        let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, officer);
        opener.add(&signed, &chunks).expect("taken");
    }
    let Released::Given { id, sealed, ciphertext, .. } = case.world.released(&case.docket, &case.kept[0]) else {
        panic!("given")
    };
    let provenance = case.world.provenance(&case.docket, &case.kept[0], None, Vec::new());
    let bare = Released::Given { id, sealed, ciphertext, provenance };
    assert_eq!(opener.open(&case.items[0], &bare).expect_err("no header"), Refused::Header(id, "it is missing"));
}

#[test]
fn fewer_than_k_officers_are_not_enough() {
    let case = case(&["x"]);
    let two = case.tally(&case.verdicts(&[1, 2]), NOW).expect("a tally");
    assert_eq!(two.is_enough(), Err(Refused::TooFew { have: 2, need: 3, epoch: 1 }));
    let id = case.items[0].id;
    assert_eq!(case.open_with(&[1, 2], 0).expect_err("two"), Refused::TooFewShares { have: 2, need: 3, id });
    assert_eq!(case.open_with(&[], 0).expect_err("none"), Refused::TooFewShares { have: 0, need: 0, id });
    assert_eq!(case.open_with(&[1, 1, 1], 0).expect_err("one, three times"), Refused::TooFewShares { have: 1, need: 3, id });
}

#[test]
fn the_requesters_entity_and_a_second_of_one_entity_do_not_approve() {
    let mut case = case(&["x"]);
    let twice = case.verdicts(&[1, 2, 1]);
    assert_eq!(case.tally(&twice, NOW), Err(Refused::SameEntity("Entity 1".into())));
    let mut own = case.request.request.clone();
    own.entity = "entity  3".into();
    case.request = own.sign(&key("auditor"));
    case.docket = case.world.docket(&case.request, &case.items);
    assert_eq!(case.tally(&case.verdicts(&[1, 2, 3]), NOW), Err(Refused::OwnEntity("Entity 3".into())));
    assert!(case.tally(&case.verdicts(&[1, 2, 4]), NOW).expect("others").is_enough().is_ok());
    let stranger = Verdict { officer: key("stranger").verify_key(), ..case.verdicts(&[1])[0].verdict.clone() };
    assert_eq!(case.tally(&[stranger.sign(|message| key("stranger").sign(message))], NOW), Err(Refused::NotOfficer));
    let mut forged = case.verdicts(&[1]);
    forged[0].verdict.text = "another text".into();
    assert_eq!(case.tally(&forged, NOW), Err(Refused::VerdictSignature));
}

#[test]
fn an_approval_is_for_one_list_and_for_its_time() {
    let (one, other) = (case(&["x"]), case(&["y"]));
    assert_eq!(one.tally(&other.verdicts(&[1, 2, 3]), NOW), Err(Refused::OtherCase("verdict")));
    let late = one.tally(&one.verdicts(&[1, 2, 3]), NOW + 40 * 60 * 1000).expect("a tally");
    assert_eq!(late.is_enough(), Err(Refused::TooFew { have: 0, need: 3, epoch: 1 }));
    assert_eq!(one.request.request.is_open(NOW), Ok(()));
    assert_eq!(one.request.request.is_open(NOW + 60 * 60 * 1000), Err(Refused::Expired));
    assert!(matches!(one.request.request.is_open(NOW - 2 * 60 * 60 * 1000), Err(Refused::Window(_))));
    let refusals: Vec<_> = [1, 2].map(|officer| one.world.verdict(&one.docket, officer, false)).into();
    assert!(one.tally(&refusals, NOW).expect("a tally").is_possible, "three can still approve");
    let refusals: Vec<_> = [1, 2, 3].map(|officer| one.world.verdict(&one.docket, officer, false)).into();
    assert!(!one.tally(&refusals, NOW).expect("a tally").is_possible);
}

#[test]
fn secrecy_takes_one_approval_more_and_has_an_end() {
    let mut case = case(&["x"]);
    let mut secret = case.request.request.clone();
    secret.secrecy = Some(Secrecy { reference: "Juzgado 3, 12/2026".into(), until: NOW + 1 });
    case.request = secret.clone().sign(&key("auditor"));
    case.docket = case.world.docket(&case.request, &case.items);
    let three = case.tally(&case.verdicts(&[1, 2, 3]), NOW).expect("a tally");
    assert_eq!(three.is_enough(), Err(Refused::TooFew { have: 3, need: 4, epoch: 1 }));
    assert!(case.tally(&case.verdicts(&[1, 2, 3, 4]), NOW).expect("a tally").is_enough().is_ok());
    secret.secrecy = Some(Secrecy { reference: "for ever".into(), until: u64::MAX });
    let endless = secret.sign(&key("auditor"));
    assert_eq!(SignedRequest::decode(&endless.encode()).expect_err("endless").code().to_string(), "CEL7100");
}

#[test]
fn a_wrong_or_swapped_label_and_a_replayed_point_are_seen_before_a_share_is_given() {
    let mut case = case(&["x", "y"]);
    case.epochs().expect("sound");
    let (Found::Escrowed { label: a, capsule: of_a }, Found::Escrowed { label: b, capsule: of_b }) =
        (case.items[0].found.clone(), case.items[1].found.clone())
    else {
        panic!("in escrow")
    };
    let (x, y) = (case.items[0].id, case.items[1].id);
    // The label of another payload under an approved id.
    case.items[0].found = Found::Escrowed { label: b.clone(), capsule: of_b.clone() };
    assert_eq!(case.epochs(), Err(Refused::Label(x, "it is of another payload")));
    // The point of another payload's capsule under the approved label: the proof binds the label.
    case.items[0].found = Found::Escrowed { label: a, capsule: of_b };
    assert_eq!(case.epochs(), Err(Refused::Capsule(x)));
    let request = case.request.clone();
    let share = &case.world.shares[0];
    let made = make_shares(&request, &case.docket.docket, &case.items, (&case.world.committee().key, share, 1, 1), |message| {
        key("officer 1").sign(message)
    });
    assert_eq!(made.expect_err("no share"), Refused::Capsule(x), "the device checks it again before the secret is used");
    // Swapped whole: the list is not the docket's.
    case.items[0].found = Found::Escrowed { label: b, capsule: of_a };
    let leaves: Vec<_> = case.items.iter().map(Item::leaf).collect();
    assert_eq!(case.docket.is_of(&leaves), Err(Refused::List("an item is not what was resolved")));
    assert_eq!(case.docket.is_of(&leaves[..1]), Err(Refused::List("it has another number of items")));
    // Outside what was asked for.
    case.items.swap(0, 1);
    case.items.truncate(1);
    let narrow = case.world.request(by_id(&[x]));
    let docket = case.world.docket(&narrow, &case.items);
    let key = case.world.committee().key;
    let outside = docket.check_items(&narrow, &case.items, |_| Ok(key));
    assert_eq!(outside, Err(Refused::Label(y, "it is outside the scope of the request")));
}

#[test]
fn a_corrupt_share_is_named_and_three_good_ones_still_open() {
    let case = case(&["x"]);
    let key_of = case.world.committee().key;
    let wrong = KeyShare::new(2, Secret::from_slice(&[1; 32].map(|byte: u8| byte & 0x0f)).expect("32 bytes")).expect("a share");
    let forged = make_shares(&case.request, &case.docket.docket, &case.items, (&key_of, &wrong, 1, 1), |message| {
        key("officer 2").sign(message)
    })
    .expect("shares");
    let mut opener = case.world.opener(&case.request, &case.docket);
    opener.add(&forged.0, &forged.1).expect("signed by the officer");
    for officer in [1, 3] {
        let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, officer);
        opener.add(&signed, &chunks).expect("taken");
    }
    let released = case.world.released(&case.docket, &case.kept[0]);
    let bad = Refused::BadShare { index: 2, name: "officer 2".into(), id: case.items[0].id };
    assert_eq!(opener.open(&case.items[0], &released).expect_err("two good ones"), bad);
    let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, 4);
    opener.add(&signed, &chunks).expect("taken");
    let opened = opener.open(&case.items[0], &released).expect("three good ones");
    assert_eq!((opened.payload.as_slice(), opened.wrong), (&b"x"[..], vec![bad]));
}

#[test]
fn a_relay_that_alters_drops_or_replays_is_caught() {
    let (case, other) = (case(&["x", "y"]), case(&["z"]));
    let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, 1);
    let mut opener = case.world.opener(&case.request, &case.docket);
    for at in [0, 40, chunks[0].len() - 1] {
        let mut altered = chunks.clone();
        altered[0][at] ^= 1;
        assert_eq!(opener.add(&signed, &altered), Err(Refused::SharesSignature(1)));
    }
    assert_eq!(opener.add(&signed, &[]), Err(Refused::SharesSignature(1)), "dropped");
    let doubled = [chunks.clone(), chunks.clone()].concat();
    assert_eq!(opener.add(&signed, &doubled), Err(Refused::SharesSignature(1)), "doubled");
    let mut posing = signed.clone();
    posing.shares.index = 2;
    assert_eq!(opener.add(&posing, &chunks), Err(Refused::SharesSignature(2)), "under another officer's name");
    let (foreign, of_other) = other.world.shares_of(&other.request, &other.docket, &other.items, 1);
    assert_eq!(opener.add(&foreign, &of_other), Err(Refused::OtherCase("shares")), "of another grant");
    // Sealed to somebody else, by an officer that does not look.
    let mut stolen = case.request.request.clone();
    stolen.box_key = crate::crypto::hpke::BoxKey::of(&Secret::random());
    let stolen = stolen.sign(&key("auditor"));
    let (astray, sealed) = case.world.shares_of(&stolen, &case.docket, &case.items, 1);
    assert_eq!(opener.add(&astray, &sealed), Err(Refused::SharesSealed(1)));
    // What the holder released for another grant.
    let released = other.world.released(&other.docket, &case.kept[0]);
    let mut opener = case.world.opener(&case.request, &case.docket);
    for officer in 1..=3 {
        let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, officer);
        opener.add(&signed, &chunks).expect("taken");
    }
    assert_eq!(opener.open(&case.items[0], &released).expect_err("replayed"), Refused::Sigma(case.items[0].id));
}

#[test]
fn a_sender_that_shows_another_plaintext_is_caught() {
    let case = case(&["what was sent", "what is shown"]);
    let id = case.items[0].id;
    let shown = |change: &dyn Fn(&mut Released)| {
        let mut opener = case.world.opener(&case.request, &case.docket);
        for officer in 1..=3 {
            let (signed, chunks) = case.world.shares_of(&case.request, &case.docket, &case.items, officer);
            opener.add(&signed, &chunks).expect("taken");
        }
        let mut released = case.world.released(&case.docket, &case.kept[0]);
        change(&mut released);
        opener.open(&case.items[0], &released).expect_err("it was changed")
    };
    // Another ciphertext than the chain's.
    let other = shown(&|released| {
        let Released::Given { ciphertext, .. } = released else { return };
        ciphertext.clone_from(&case.kept[1].ciphertext);
    });
    assert_eq!(other, Refused::Ciphertext(id));
    let (kept, foreign) = (&case.kept[0], &case.kept[1]);
    let with = |header: &(Vec<u8>, [u8; 64]), acks: &[crate::wire::SignedAck]| {
        let sealed = case.world.provenance(&case.docket, kept, Some(header.clone()), acks.to_vec());
        shown(&|released| {
            let Released::Given { provenance, .. } = released else { return };
            provenance.clone_from(&sealed);
        })
    };
    assert_eq!(with(&foreign.header, &kept.acks), Refused::Header(id, "it is of another payload than its label"));
    let mut unsigned = kept.header.clone();
    unsigned.1[0] ^= 1;
    assert_eq!(with(&unsigned, &kept.acks), Refused::Header(id, "its member did not sign it"));
    assert_eq!(with(&kept.header, &foreign.acks), Refused::Ack(id, "otro".parse().expect("a name")));
    // A reason is the holder's word on this view, and nobody else's.
    let withheld = |who: &str, view, why: &str| {
        let signature = key(who).sign(&Released::reason(&case.docket.docket, view, &id, "erased since"));
        shown(&|released| *released = Released::Withheld { id, why: why.into(), signature })
    };
    assert_eq!(withheld("banco", 1, "erased since"), Refused::NotReleased(id, "erased since".into()));
    for (who, view, why) in [("otro", 1, "erased since"), ("banco", 2, "erased since"), ("banco", 1, "by court order")] {
        assert_eq!(withheld(who, view, why), Refused::Signature("reason"), "{who} {view} {why}");
    }
}

#[test]
fn a_capsule_of_another_data_key_does_not_pass_for_the_payloads() {
    use crate::crypto::threshold::{Capsule, Prepared};
    let mut case = case(&["x"]);
    let Found::Escrowed { label, .. } = case.items[0].found.clone() else { panic!("in escrow") };
    // A sender whose recipients did not look: the capsule is sound, and of another data key than the ciphertext.
    let capsule = Capsule::make(&Prepared::new(&case.world.committee().key), &Secret::random(), &case.kept[0].sigma, &label);
    case.items[0].found = Found::Escrowed { label, capsule: Box::new(capsule) };
    case.kept[0].item = case.items[0].clone();
    case.docket = case.world.docket(&case.request, &case.items);
    case.epochs().expect("it is sound");
    let refused = case.open_with(&[1, 2, 3], 0).expect_err("the commitment");
    assert!(matches!(refused, Refused::Plaintext(..)), "{refused:?}");
    assert_eq!(refused.code().to_string(), "CEL7127");
}

#[test]
fn what_is_erased_or_held_is_answered_by_reference() {
    let mut case = case(&["x"]);
    let id = case.items[0].id;
    let released = case.world.released(&case.docket, &case.kept[0]);
    case.items[0].found = Found::Erased("erased 2026-01-01, case 00".into());
    let docket = case.world.docket(&case.request, &case.items);
    let opener = case.world.opener(&case.request, &docket);
    assert_eq!(opener.open(&case.items[0], &released).expect_err("erased").code().to_string(), "CEL7118");
    assert_eq!(Item::decode(&case.items[0].encode()), Ok(case.items[0].clone()));
    case.items[0].found = Found::Held("hold 11".into());
    assert_eq!(opener.open(&case.items[0], &released).expect_err("held"), Refused::Held(id, "hold 11".into()));
    let (shares, chunks) = case.world.shares_of(&case.request, &docket, &case.items, 1);
    assert_eq!((shares.shares.count, chunks.len()), (0, 0), "no share of it is ever made");
}

#[test]
fn a_request_says_who_it_is_or_is_none() {
    let case = case(&["x"]);
    let network = crate::types::NetworkId::new([1; 32]);
    assert_eq!(case.request.verify(&network), Err(Refused::Network("request")));
    let mut altered = case.request.clone();
    altered.request.purpose = "something else".into();
    assert_eq!(altered.verify(&case.world.network), Err(Refused::RequestSignature));
    let mut hidden = case.request.request.clone();
    hidden.purpose = "audit\u{202e}".into();
    assert!(SignedRequest::decode(&hidden.sign(&key("auditor")).encode()).is_err());
    let long = Request { until: NOW + MAX_WINDOW, ..case.request.request.clone() };
    assert!(SignedRequest::decode(&long.sign(&key("auditor")).encode()).is_err());
    assert!(key("auditor").verify_key().verify(&sample::other_statement(&case.world.network), &case.request.signature).is_err());
}

#[test]
fn only_whoever_asked_takes_and_each_part_with_a_word_of_its_own() {
    let case = case(&["x"]);
    let other = case.world.docket(&case.request, &[]);
    let (request, docket) = (&case.request.request, &case.docket.docket);
    let taking = Taking { network: case.world.network, case: case_digest(docket), part: Part::Release, time: NOW };
    let signed = taking.clone().sign(&key("auditor"));
    assert_eq!(signed.verify(request, docket, Part::Release), Ok(()));
    assert_eq!(signed.verify(request, docket, Part::Shares), Err(Refused::OtherCase("taking")));
    assert_eq!(signed.verify(request, &other.docket, Part::Release), Err(Refused::OtherCase("taking")));
    let foreign = taking.clone().sign(&key("otro"));
    assert_eq!(foreign.verify(request, docket, Part::Release), Err(Refused::Signature("taking")));
    let elsewhere = Taking { network: crate::types::NetworkId::new([1; 32]), ..taking }.sign(&key("auditor"));
    assert_eq!(elsewhere.verify(request, docket, Part::Release), Err(Refused::Network("taking")));
}
