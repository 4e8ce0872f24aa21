//! What a member that keeps no rule, and officers that cheat, do to ceremonies that nodes relay.

use celosia::ceremony::{Card, Carried, Message, Numbers, Opening, Plan};
use celosia::crypto::hpke::BoxKey;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::{SigningKey, statement};
use celosia::governance::Purpose;
use celosia::officer::Folder;
use celosia::services::{PeerError, native_path as path};
use celosia::types::NetworkId;
use celosia::wire::native::{CeremoniesAfter, CeremonyPage, Message as _};
use zeroize::Zeroizing;

use crate::ceremonies::figure;
use crate::member::Member;
use crate::officers::Officers;
use crate::outsider::{Outsider, now, rows};

fn plan_of_friends(network: NetworkId) -> Plan {
    let card = |at: u8| {
        let (key, private) = (SigningKey::from_seed(&Secret::random()), Secret::random());
        Card::make(&format!("Friend {at}"), &format!("Front {at}"), &key, BoxKey::of(&private)).unwrap()
    };
    Plan::generate(network, Purpose::Escrow, 1, 2, (1..=3).map(card).collect()).unwrap()
}

fn opening(plan: Plan, member: &str, by: &Member, opened: u64) -> Vec<u8> {
    let mut opening = Opening { plan, member: member.parse().unwrap(), opened, signature: [0; 64] };
    opening.signature = by.signing().sign(&opening.statement());
    Carried::Opening(Box::new(opening)).encode()
}

#[track_caller]
fn declined(answer: Result<bytes::Bytes, PeerError>, status: u16, words: &str) {
    match answer {
        Err(PeerError::Refused { status: found, message, .. }) => {
            assert!(found == status && message.contains(words), "{found} {message}");
        }
        other => panic!("{other:?}"),
    }
}

/// A member's node that alters, makes up, replays, withholds and floods. The ceremony goes on by the others.
#[test]
fn a_member_that_alters_drops_replays_and_floods_changes_nothing() {
    let officers = Officers::begin(&["a", "b", "m"], 2, 3);
    let (b, m) = (officers.net.at(1), officers.net.at(2));
    let network = officers.net.governors.network();
    let outsider = Outsider::of(&officers.net, m);
    let tell = |bytes: Vec<u8>| outsider.call_bytes(b, path::CEREMONY_TELL, bytes);
    let id = officers.opens_key(0, &[1, 2, 3], "2");
    officers.step("dkg", 1, 0).well();
    let said = officers.messages(0, &id).remove(0);
    let good = Message::parse(said.as_bytes()).unwrap();
    b.wait_until(|| officers.messages(1, &id).len() == 1, "it is not told");

    // Altered, made up, of another ceremony, in another spelling.
    let mut altered = good.clone();
    altered.body[5] ^= 1;
    declined(tell(Carried::Message(altered).encode()), 403, "refused as officers refuse it");
    let stranger = SigningKey::from_seed(&Secret::random()).verify_key();
    declined(tell(Carried::Message(Message { from: stranger, ..good.clone() }).encode()), 403, "refused as officers refuse it");
    let elsewhere = Message { ceremony: plan_of_friends(network).id(), ..good.clone() };
    declined(tell(Carried::Message(elsewhere).encode()), 404, "there is no ceremony");
    declined(tell([&[1], said.replace("  ", " ").as_bytes()].concat()), 403, "refused as officers refuse it");
    let long = Message { body: vec![0; 20_000], ..good.clone() };
    declined(tell(Carried::Message(long).encode()), 400, "has at most");
    declined(tell(vec![9; 100_000]), 403, "refused as officers refuse it");
    // Replayed: nothing happens.
    for _ in 0..3 {
        tell(Carried::Message(good.clone()).encode()).unwrap();
    }
    assert_eq!(officers.messages(1, &id), [said]);
    b.wait_until(|| rows(b, "CEL7093") > 0, "it is not journalled");

    // In another's name, of another network, of another day.
    let plan = || plan_of_friends(network);
    declined(tell(opening(plan(), "a", m, now())), 403, "is no active member");
    declined(tell(opening(plan(), "nobody", m, now())), 403, "is no active member");
    declined(tell(opening(plan_of_friends(NetworkId::new([9; 32])), "m", m, now())), 400, "is not taken");
    declined(tell(opening(plan(), "m", m, now() + 86_400_000)), 400, "is not taken");
    declined(tell(opening(plan(), "m", m, now() - 31 * 86_400_000)), 400, "is not taken");
    // Flooded: its own room is full, and an old date makes no new room. Nobody else's is less.
    for number in 0..16 {
        tell(opening(plan(), "m", m, now() - number * 86_400_000)).unwrap();
    }
    declined(tell(opening(plan(), "m", m, now())), 429, "as many ceremonies");
    let refused = rows(b, "\"refused\"");
    for _ in 0..100 {
        let _ = tell(opening(plan(), "m", m, now()));
    }
    assert!(rows(b, "\"refused\"") <= refused + 16, "it fills the journal");
    let second = officers.opens_key(0, &[1, 2, 3], "3");
    b.wait_until(|| officers.status(1).contains(&second), "another member finds no room");

    assert!(figure(b, "celosia_ceremony_messages_refused_total") >= 110);
    // It takes part in the exchange and gives nothing on; the others are told by each other.
    let asked = CeremoniesAfter { known: Vec::new().into(), after: Vec::new().into() };
    let page = CeremonyPage::from_bytes(&outsider.call(b, path::CEREMONY_COMPARE, &asked).unwrap()).unwrap();
    let items: Vec<_> = page.items.iter().map(|item| Carried::decode(item).unwrap()).collect();
    assert!(items.iter().any(|item| matches!(item, Carried::Message(message) if *message == good)), "{items:?}");
    assert_eq!(items.iter().filter(|item| matches!(item, Carried::Opening(_))).count(), 18);
    // Two wait for o1: it is to say which.
    officers.step("dkg", 2, 1).refused("CEL7046");
    for _ in 0..8 {
        for (at, member) in [(1, 0), (2, 1), (3, 1)] {
            officers.step_with("dkg", at, member, &["--id", &id]).well();
        }
    }
    assert!(officers.step_with("dkg", 3, 0, &["--id", &id]).well().contains("complete: "));
}

/// Two copies of one folder: the officer says one thing at one node, and another at another.
#[test]
fn a_dealer_that_tells_two_nodes_different_things_is_named_and_the_rest_begin_again() {
    let officers = Officers::begin(&["a", "b", "c"], 3, 4);
    let id = officers.opens_key(0, &[1, 2, 3, 4], "2");
    let password = officers.path("password");
    officers.step("dkg", 1, 0).well();
    let words = ["one", "two", "three"].map(|twin| {
        let (folder, side) = (format!("o2-{twin}"), officers.path(&format!("side-{twin}")));
        officers.copy("o2", &folder);
        std::fs::create_dir(&side).unwrap();
        std::fs::copy(officers.path(&format!("o1/relayed/{id}/plan.toml")), format!("{side}/plan.toml")).unwrap();
        let folder = officers.path(&folder);
        officers.run(&["officer", "dkg", "--ceremony", &side, "--folder", &folder, "--password-file", &password, "--yes"]).well();
        let file = std::fs::read_dir(&side).unwrap().map(|entry| entry.unwrap().path());
        std::fs::read_to_string(file.into_iter().find(|path| path.extension().unwrap() == "json").unwrap()).unwrap()
    });
    for (member, word) in [(0, &words[0]), (1, &words[1])] {
        assert_eq!(officers.hand_in(member, &id, word).0, 200);
    }
    for member in 0..3 {
        officers.net.at(member).wait_until(|| officers.messages(member, &id).len() == 3, "both are not everywhere");
        let told = officers.status(member);
        assert!(told.contains("error[CEL7020]: Officer 2 signed two different messages"), "{told}");
    }
    let (status, text) = officers.hand_in(2, &id, &words[2]);
    assert!(status == 409 && text.contains("CEL7096"), "{status} {text}");
    officers.step("dkg", 1, 0).refused("CEL7020");
    let told = officers.step("dkg", 3, 2).refused("CEL7020");
    assert!(told.contains("run the ceremony again without Officer 2"), "{told}");

    // Again, without. The ceremony with the cheater waits for nobody any more.
    officers.opens_key(2, &[1, 3, 4], "2");
    let file = officers.all("dkg", &[(1, 0), (3, 1), (4, 2)]);
    assert_eq!(file.matches("[[signatures]]").count(), 3);
}

fn sign(officers: &Officers, at: usize, message: Message) -> Message {
    let password = Zeroizing::new("correct horse".to_owned());
    let folder = Folder::open(officers.path(&format!("o{at}")).as_ref(), &password).unwrap();
    let digest = celosia::crypto::hash::sha256(&[&message.body]);
    // Deterministic CBOR: an array of four.
    let mut fields = vec![0x84, 0x58, 32];
    fields.extend(message.ceremony.0);
    fields.extend([message.round, 0x58, 32]);
    fields.extend(message.from.as_bytes());
    fields.extend([0x58, 32]);
    fields.extend(digest);
    let signed = statement("celosia ceremony message 1", &officers.net.governors.network(), &fields);
    Message { signature: folder.sign(&signed), ..message }
}

/// A number that does not fit is seen by its receiver alone; its accusation goes to all by the nodes.
#[test]
fn a_dealer_of_a_wrong_number_is_accused_through_the_nodes() {
    let officers = Officers::begin(&["a", "b"], 2, 3);
    let id = officers.opens_key(0, &[1, 2, 3], "2");
    for (at, member) in [(1, 0), (2, 1)] {
        officers.step("dkg", at, member).well();
    }
    // The third works on files, and changes what it deals to the first.
    let (side, folder, password) = (officers.path("side"), officers.path("o3"), officers.path("password"));
    let admin = officers.admin(1);
    let call = ["officer", "dkg", "--ceremony", &side, "--folder", &folder, "--password-file", &password, "--yes"];
    std::fs::create_dir(&side).unwrap();
    let plan = Plan::parse(officers.shown(1, &id)["plan"].as_str().unwrap()).unwrap();
    std::fs::write(format!("{side}/plan.toml"), plan.to_toml()).unwrap();
    for (number, text) in officers.messages(1, &id).iter().enumerate() {
        std::fs::write(format!("{side}/{number}.json"), text).unwrap();
    }
    officers.run(&call).well();
    let mut own: Vec<Message> = std::fs::read_dir(&side)
        .unwrap()
        .filter_map(|entry| Message::parse(&std::fs::read(entry.unwrap().path()).unwrap()).ok())
        .filter(|message| message.from == plan.officers[&3].signing_key)
        .collect();
    own.sort_by_key(|message| message.round);
    let [commitments, numbers] = <[Message; 2]>::try_from(own).unwrap();
    let mut dealt = Numbers::decode(&numbers.body).unwrap();
    dealt.sealed[0] = dealt.sealed[1].clone();
    let forged = sign(&officers, 3, Message { body: dealt.encode(), ..numbers });
    for message in [commitments, forged] {
        let (status, text) = officers.hand_in(1, &id, &message.to_json());
        assert_eq!(status, 200, "{text}");
    }
    officers.net.at(0).wait_until(|| officers.messages(0, &id).len() >= 4, "it is not told");
    officers.step("dkg", 2, 1).well();
    let told = officers.step("dkg", 1, 0).refused("CEL7024");
    assert!(told.contains("Officer 3 dealt a share that does not fit"), "{told}");
    officers.net.at(1).wait_until(|| !officers.shown(1, &id)["trouble"].is_null(), "the accusation is not told");
    officers.step("dkg", 2, 1).refused("CEL7025");
    let told = officers.run(&["officer", "status", "--admin", &admin]).well();
    assert!(told.contains("error[CEL7025]: Officer 1 names Officer 3 as a cheater"), "{told}");
    officers.opens_key(1, &[1, 2], "2");
    officers.all("dkg", &[(1, 0), (2, 1)]);
}
