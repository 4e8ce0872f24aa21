use super::*;
use crate::ceremony::Card;
use crate::crypto::hpke::BoxKey;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::governance::Purpose;
use crate::types::NetworkId;

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::from_slice(&[number; 32]).unwrap())
}

fn plan(officers: u8) -> Plan {
    let card = |number: u8| {
        let private = Secret::from_slice(&[number + 100; 32]).unwrap();
        Card::make(&format!("officer {number}"), &format!("entity {number}"), &key(number), BoxKey::of(&private)).unwrap()
    };
    Plan::generate(NetworkId::new([1; 32]), Purpose::Escrow, 1, 2, (1..=officers).map(card).collect()).unwrap()
}

fn opening() -> Opening {
    let mut opening = Opening { plan: plan(3), member: "a".parse().unwrap(), opened: 7, signature: [0; 64] };
    opening.signature = key(50).sign(&opening.statement());
    opening
}

#[test]
fn an_opening_comes_back_and_nothing_else_does() {
    let opening = opening();
    let bytes = Carried::Opening(Box::new(opening.clone())).encode();
    let Ok(Carried::Opening(read)) = Carried::decode(&bytes) else { panic!("an opening") };
    assert_eq!((read.plan.id(), &read.member, read.opened), (opening.plan.id(), &opening.member, 7));
    assert!(read.is_signed(&key(50).verify_key()) && !read.is_signed(&key(51).verify_key()));
    for altered in [
        Opening { opened: 8, ..opening.clone() },
        Opening { member: "b".parse().unwrap(), ..opening.clone() },
        Opening { plan: plan(3), ..opening },
    ] {
        assert!(!altered.is_signed(&key(50).verify_key()), "another member, day or plan");
    }
    for cut in 0..bytes.len() {
        assert!(Carried::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    assert!(Carried::decode(&[&bytes[..], &[0]].concat()).is_err());
    assert!(Carried::decode(&[&[2], &bytes[1..]].concat()).is_err());
}

#[test]
fn a_message_has_one_spelling_and_an_author_of_the_plan() {
    let plan = plan(3);
    let message = Message::sign(&plan, 1, &key(2), vec![5; 40]);
    let bytes = Carried::Message(message.clone()).encode();
    assert!(matches!(Carried::decode(&bytes), Ok(Carried::Message(read)) if read == message));
    assert_eq!(plan.author(&message).as_deref(), Ok("officer 2"));
    // The same in other spellings: spaces, and another order.
    let json = String::from_utf8(bytes[1..].to_vec()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    for other in [format!("{json}\n"), value.to_string(), json.replace(": ", ":")] {
        assert!(Message::parse(other.as_bytes()).is_ok(), "a file that officers take");
        assert!(Carried::decode(&[&[MESSAGE], other.as_bytes()].concat()).is_err(), "{other}");
    }
    let stranger = Message::sign(&plan, 1, &key(9), vec![5; 40]);
    assert_eq!(plan.author(&stranger), Err(CeremonyError::Stranger));
    let altered = Message { body: vec![6; 40], ..message.clone() };
    assert_eq!(plan.author(&altered), Err(CeremonyError::Signature("officer 2".to_owned())));
    assert_eq!(self::plan(3).author(&message), Err(CeremonyError::OtherCeremony));
}

/// What the largest ceremony's officers have to say finds room, and a file of another kind does not.
#[test]
fn the_longest_message_of_a_ceremony_is_relayed() {
    use crate::ceremony::{Numbers, Seen};
    for officers in [2, 5, 32] {
        let plan = plan(officers);
        let seen = vec![Seen { digest: [255; 32], signature: [255; 64] }; usize::from(officers)];
        let numbers = Numbers { seen, sealed: vec![vec![255; 80]; usize::from(officers)] };
        let message = Message::sign(&plan, 2, &key(1), numbers.encode());
        let length = message.to_json().len();
        assert!(length <= plan.longest(), "{officers}: {length} of {}", plan.longest());
        // Commitments: a point of 32 bytes for each coefficient, and a proof.
        let commitments = Message::sign(&plan, 1, &key(1), vec![255; 100 + 34 * usize::from(officers)]);
        assert!(commitments.to_json().len() <= plan.longest(), "{officers}");
    }
}
