use super::*;
use crate::ceremony::Card;
use crate::crypto::hpke::BoxKey;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::governance::Purpose;
use crate::types::NetworkId;

fn plan(officers: usize) -> (Plan, Vec<SigningKey>) {
    let keys: Vec<_> = (0..officers).map(|_| SigningKey::from_seed(&Secret::random())).collect();
    let card = |(at, key): (usize, &SigningKey)| {
        Card::make(&format!("officer {at}"), &format!("entity {at}"), key, BoxKey::of(&Secret::random())).unwrap()
    };
    let cards = keys.iter().enumerate().map(card).collect();
    (Plan::generate(NetworkId::new([1; 32]), Purpose::Escrow, 1, 2, cards).unwrap(), keys)
}

fn member(name: &str) -> MemberId {
    name.parse().unwrap()
}

fn open(known: &mut Known, name: &str, plan: Plan, taken: u64) -> CeremonyId {
    let id = plan.id();
    known.open(Opening { plan, member: member(name), opened: taken, signature: [0; 64] }, taken);
    id
}

fn say(kept: &mut Kept, message: &Message) {
    let place = kept.next();
    kept.add(message.round, message.from, Said { digest: message.digest(), place });
}

#[test]
fn a_member_fills_its_own_room_and_nobody_elses() {
    let mut known = Known::default();
    for _ in 0..MOST {
        let (plan, _) = plan(3);
        known.has_room(&member("m"), &plan, 3).unwrap();
        open(&mut known, "m", plan, 0);
    }
    let (next, _) = plan(3);
    assert_eq!(known.has_room(&member("m"), &next, 3), Err(RelayError::Full(member("m"))));
    assert_eq!(known.has_room(&member("a"), &next, 3), Ok(()), "another member's room is its own");
    // Large ones take the bytes before the number.
    let (mut known, mut count) = (Known::default(), 0);
    loop {
        let (plan, _) = plan(32);
        if known.has_room(&member("m"), &plan, 3).is_err() {
            break;
        }
        open(&mut known, "m", plan, 0);
        count += 1;
    }
    assert!((1..MOST).contains(&count), "{count}");
    // Of very many members each has its part of the whole, and a small ceremony still finds room.
    let empty = Known::default();
    assert_eq!(empty.has_room(&member("m"), &plan(32).0, 4_000), Err(RelayError::Full(member("m"))));
    assert_eq!(empty.has_room(&member("m"), &plan(5).0, 4_000), Ok(()));
}

#[test]
fn two_words_of_one_officer_are_kept_and_a_third_is_not() {
    let (plan, keys) = plan(3);
    let mut known = Known::default();
    let id = open(&mut known, "a", plan.clone(), 0);
    let word = |at: usize, byte: u8| Message::sign(&plan, 1, &keys[at], vec![byte; 8]);
    let kept = known.0.get_mut(&id).unwrap();
    let length = word(0, 1).to_json().len();
    assert_eq!(kept.is_news(&word(0, 1), length), Ok(true));
    say(kept, &word(0, 1));
    assert_eq!(kept.is_news(&word(0, 1), length), Ok(false), "said again");
    assert_eq!(kept.two_tongued(), [""; 0]);
    assert_eq!(kept.is_news(&word(0, 2), length), Ok(true));
    say(kept, &word(0, 2));
    assert_eq!(kept.is_news(&word(0, 3), length), Err(RelayError::Third));
    assert_eq!(kept.is_news(&word(1, 1), length), Ok(true), "another officer's room is its own");
    assert_eq!(kept.two_tongued(), ["officer 0"]);
    assert_eq!(kept.missing(1), ["officer 1", "officer 2"]);
    let longest = plan.longest();
    assert_eq!(kept.is_news(&word(1, 1), longest + 1), Err(RelayError::Long(longest)));
}

#[test]
fn fingerprints_are_equal_where_the_same_is_known() {
    let (plan, keys) = plan(3);
    let word = |at: usize, byte: u8| Message::sign(&plan, 1, &keys[at], vec![byte; 8]);
    let print = |words: &[Message]| {
        let mut known = Known::default();
        let id = open(&mut known, "a", plan.clone(), 0);
        for word in words {
            say(known.0.get_mut(&id).unwrap(), word);
        }
        known.fingerprints()
    };
    assert_eq!(print(&[word(0, 1), word(1, 1)]), print(&[word(1, 1), word(0, 1)]), "the order does not count");
    assert_ne!(print(&[word(0, 1)]), print(&[word(0, 2)]));
    assert_ne!(print(&[word(0, 1)]), print(&[word(0, 1), word(0, 2)]));
    // Two nodes that caught one officer with different words have nothing to tell each other.
    assert_eq!(print(&[word(0, 1), word(0, 2)]), print(&[word(0, 3), word(0, 1)]));
    assert_eq!(print(&[]).len(), 64);
}

#[test]
fn a_ceremony_ends_after_its_time_and_is_not_given_on_when_it_is_old() {
    let mut known = Known::default();
    let id = open(&mut known, "a", plan(3).0, 1_000);
    assert!(known.over(1_000 + LIFETIME).is_empty() && known.over(1_001 + LIFETIME) == [id]);
    let kept = &known.0[&id];
    assert!(kept.is_young(999 + LIFETIME) && !kept.is_young(1_000 + LIFETIME));
}
