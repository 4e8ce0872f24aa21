use bytes::Bytes;
use proptest::prelude::*;

use super::parcel::{Route, Unpacked};
use super::*;
use crate::crypto::padme::Padding;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::crypto::threshold::{GroupKey, KeyShare, Prepared, combine};
use crate::crypto::{hash, random};
use crate::seal::escrow::{Carried, Label};
use crate::types::{Address, Affected, Class, GroupId, MemberId, NetworkId, PayloadId, Privacy, PrivacyFlag};
use crate::wire::header::{self, Header};
use crate::wire::{Delivery, Opening};

const NETWORK: NetworkId = NetworkId::new([7; 32]);
const DAY: u32 = 20_000;
const TIME: u64 = 20_000 * 86_400_000 + 5;

fn member(name: &str) -> MemberId {
    name.parse().expect("a name")
}

struct Node {
    member: MemberId,
    signing: SigningKey,
    epoch: Secret<32>,
    address: Address,
}

impl Node {
    fn new(name: &str) -> Self {
        let address = Address::new(random());
        Self { member: member(name), signing: SigningKey::from_seed(&Secret::random()), epoch: Secret::random(), address }
    }

    fn public(&self) -> [u8; 32] {
        pair::public(self.epoch.expose())
    }

    fn pair(&self, peer: &Self) -> Pair {
        Pair::agree(&NETWORK, self.epoch.expose(), &self.public(), &peer.public()).expect("usable")
    }
}

/// A delivery in the making: each part may be altered before the next is made of it.
struct Making {
    content: Content,
    header: Header,
    openings: Vec<Opening>,
    sigma: Option<Secret<32>>,
}

fn begin(from: &Node, to: &[Address], privacy: &Privacy) -> Making {
    begin_with(from, to, privacy, None)
}

/// The same with a capsule for a committee's key of an epoch.
fn begin_with(from: &Node, to: &[Address], privacy: &Privacy, escrow: Option<(u64, &Prepared)>) -> Making {
    let sigma = escrow.map(|_| Secret::random());
    let sealing = escrow.zip(sigma.as_ref()).map(|((epoch, key), sigma)| Sealing { epoch, key, sigma });
    let content = Content::seal(&NETWORK, &from.member, Padding::Padme, b"payload");
    let statement = Statement {
        network: &NETWORK,
        member: &from.member,
        sender: from.address,
        policy: 3,
        class: Class::Business,
        time: TIME,
        privacy,
        recipients: to,
        escrow: sealing,
    };
    let (header, audience, _) = statement.about(&content, &Secret::random()).expect("few recipients");
    let openings = to.iter().filter_map(|address| audience.opening(address)).take(1).collect();
    Making { content, header: Header::decode(&header).expect("own header"), openings, sigma }
}

impl Making {
    fn send(&self, from: &Node, to: &Node) -> Delivery {
        let bytes = self.header.encode();
        let signature = from.signing.sign(&header::signed(&NETWORK, &bytes));
        self.send_signed(from, to, &bytes, &signature)
    }

    fn send_signed(&self, from: &Node, to: &Node, header: &[u8], signature: &[u8; 64]) -> Delivery {
        let Making { content, openings, sigma, .. } = self;
        let (public, box_nonce) = (to.public(), random());
        let own = from.public();
        let route = Route { from: &own, to: &public, day: DAY, id: &content.id };
        let parcel = Parcel { data_key: &content.data_key, sigma: sigma.as_ref(), openings, signature, header };
        let sealed = parcel.seal(from.pair(to).sending.expose(), &box_nonce, route).expect("small");
        Delivery {
            member: from.member.clone(),
            from: own,
            day: DAY,
            to: public,
            box_nonce,
            sealed,
            nonce: content.nonce,
            ciphertext: content.ciphertext.clone(),
        }
    }
}

fn open_box(at: &Node, delivery: &Delivery) -> Result<Unpacked, Refused> {
    let id = hash::payload_id(&delivery.ciphertext);
    let route = Route { from: &delivery.from, to: &delivery.to, day: delivery.day, id: &id };
    let pair = Pair::agree(&NETWORK, at.epoch.expose(), &at.public(), &delivery.from)?;
    parcel::open(pair.receiving.expose(), &delivery.box_nonce, route, &delivery.sealed)
}

fn receive(at: &Node, from: &Node, delivery: &Delivery) -> Result<Taken, Refused> {
    receive_with(at, from, delivery, &[])
}

fn receive_with(at: &Node, from: &Node, delivery: &Delivery, escrows: &[(u64, Prepared)]) -> Result<Taken, Refused> {
    let unpacked = open_box(at, delivery)?;
    let expected = Expected {
        network: &NETWORK,
        member: &at.member,
        own_key: &at.signing.verify_key(),
        sender_key: &from.signing.verify_key(),
        id: hash::payload_id(&delivery.ciphertext),
        escrows,
    };
    take(&expected, delivery, unpacked, |address| *address == at.address)
}

#[test]
fn what_is_sent_is_taken_and_opens() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let delivery = begin(&a, &[b.address, a.address], &Privacy::default()).send(&a, &b);
    let taken = receive(&b, &a, &delivery).expect("intact");
    assert_eq!((taken.recipients.as_slice(), taken.returned), (&[b.address][..], false));
    assert_eq!((taken.header.sender, taken.header.recipients), (a.address, None));
    let opened = content::open(&NETWORK, &a.member, &taken.data_key, &delivery.nonce, &delivery.ciphertext).expect("opens");
    assert_eq!(opened.as_slice(), b"payload");
    assert_eq!(delivery.sealed.len(), 512 + 16);
}

#[test]
fn state_validation_names_everyone() {
    let (a, b, c) = (Node::new("a"), Node::new("b"), Node::new("c"));
    let privacy = Privacy { flag: PrivacyFlag::StateValidation, exec_hash: b"root".to_vec(), ..Privacy::default() };
    let all = [b.address, c.address, a.address];
    let taken = receive(&b, &a, &begin(&a, &all, &privacy).send(&a, &b)).expect("intact");
    assert_eq!(taken.recipients, all);
}

#[test]
fn each_check_has_its_own_answer() {
    let (a, b, c) = (Node::new("a"), Node::new("b"), Node::new("c"));
    let refused = |alter: &dyn Fn(&mut Making)| {
        let mut making = begin(&a, &[b.address], &Privacy::default());
        alter(&mut making);
        receive(&b, &a, &making.send(&a, &b)).expect_err("refused")
    };
    assert_eq!(refused(&|m| m.header.suite = 2), Refused::Suite);
    assert_eq!(refused(&|m| m.header.network = NetworkId::new([8; 32])), Refused::Network);
    assert_eq!(refused(&|m| m.header.id = PayloadId::new([8; 64])), Refused::Id);
    assert_eq!(refused(&|m| m.header.day += 1), Refused::Day);
    assert_eq!(refused(&|m| (m.header.day, m.header.time) = (DAY + 2, TIME + 2 * 86_400_000)), Refused::Day);
    assert_eq!(refused(&|m| m.header.member = member("c")), Refused::Sender);
    assert_eq!(refused(&|m| m.header.audience[0] ^= 1), Refused::Audience);
    assert_eq!(refused(&|m| m.openings.clear()), Refused::Audience);
    assert_eq!(refused(&|m| m.openings[0].salt[0] ^= 1), Refused::Audience);
    assert_eq!(refused(&|m| m.content.nonce[0] ^= 1), Refused::Ciphertext);
    assert_eq!(refused(&|m| m.content.data_key = Secret::random()), Refused::Commitment);
    let making = begin(&a, &[b.address], &Privacy::default());
    let bytes = making.header.encode();
    assert_eq!(receive(&b, &a, &making.send_signed(&a, &b, &bytes, &[1; 64])).err(), Some(Refused::Signature));
    let garbage = making.send_signed(&a, &b, b"\x80", &[1; 64]);
    assert_eq!(receive(&b, &a, &garbage).err(), Some(Refused::Header));
    // Surreptitious forwarding: B passes on to C what A sent to B, in a box of its own, under A's signature.
    let signature = a.signing.sign(&header::signed(&NETWORK, &bytes));
    let mut forwarded = making.send_signed(&b, &c, &bytes, &signature);
    assert_eq!(receive(&c, &b, &forwarded).err(), Some(Refused::Sender));
    // And with A's name on it: the proof is B's.
    forwarded.member = a.member.clone();
    assert_eq!(receive(&c, &a, &forwarded).err(), Some(Refused::Audience));
    assert_eq!(receive(&c, &a, &making.send(&a, &c)).err(), Some(Refused::Audience));
}

/// A committee of one, whose share is the key: the arithmetic of many is `crypto::threshold`'s.
fn committee() -> (KeyShare, GroupKey) {
    let share = KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(3))).expect("a share");
    let key = share.verifying();
    (share, key)
}

#[test]
fn a_capsule_is_taken_and_opens_with_sigma() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let (share, key) = committee();
    let escrows = [(1, Prepared::new(&GroupKey::from_bytes(key_of(9)).expect("a key"))), (2, Prepared::new(&key))];
    let making = begin_with(&a, &[b.address], &Privacy::default(), Some((2, &escrows[1].1)));
    let taken = receive_with(&b, &a, &making.send(&a, &b), &escrows).expect("it matches");
    let (header, sigma) = (taken.header, taken.held.expect("a capsule").sigma);
    let carried = Carried::from_bytes(header.escrow.as_ref().expect("a capsule")).expect("a capsule");
    assert_eq!(carried.epoch, 2);
    let label = Label::of(&header, 2).encode();
    let combined = combine(1, &[share.partial(&key, &carried.capsule, &label).expect("sound")]).expect("enough");
    assert!(carried.capsule.open(&combined, &sigma, &label).expect("it opens") == taken.data_key);
    assert!(carried.capsule.open(&combined, &Secret::random(), &label).is_err(), "without sigma it opens for nobody");
    // Given back to its sender it is compared, too.
    let bytes = making.header.encode();
    let signature = a.signing.sign(&header::signed(&NETWORK, &bytes));
    assert!(receive_with(&a, &b, &making.send_signed(&b, &a, &bytes, &signature), &escrows).expect("our own").returned);
}

fn key_of(scalar: u8) -> [u8; 32] {
    *KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(scalar))).expect("a share").verifying().as_bytes()
}

/// What a sender may do to a capsule, each with its answer. The header is signed after it was altered: its sender means it.
#[test]
fn a_capsule_that_the_committee_could_not_open_is_refused() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let (_, key) = committee();
    let escrows = [(2, Prepared::new(&key))];
    let refused = |alter: &dyn Fn(&mut Making)| {
        let mut making = begin_with(&a, &[b.address], &Privacy::default(), Some((2, &escrows[0].1)));
        alter(&mut making);
        receive_with(&b, &a, &making.send(&a, &b), &escrows).expect_err("refused")
    };
    let other = begin_with(&a, &[b.address], &Privacy::default(), Some((2, &escrows[0].1)));
    assert_eq!(refused(&|m| m.header.escrow = Some(vec![7; Carried::LEN])), Refused::CapsuleForm);
    assert_eq!(refused(&|m| m.header.escrow = Some(vec![7; 10])), Refused::CapsuleForm);
    assert_eq!(refused(&|m| m.header.escrow.clone_from(&other.header.escrow)), Refused::Capsule);
    assert_eq!(refused(&|m| m.sigma = Some(Secret::random())), Refused::Capsule);
    assert_eq!(refused(&|m| m.header.escrow.as_mut().expect("a capsule")[7] = 3), Refused::CapsuleEpoch);
    assert_eq!(refused(&|m| m.header.escrow = None), Refused::Sigma);
    assert_eq!(refused(&|m| m.sigma = None), Refused::Sigma);
    assert_eq!(refused(&|m| m.header.class = Class::Public), Refused::Capsule, "the label names the class");
    let of_another = Prepared::new(&GroupKey::from_bytes(key_of(9)).expect("a key"));
    let making = begin_with(&a, &[b.address], &Privacy::default(), Some((2, &of_another)));
    assert_eq!(receive_with(&b, &a, &making.send(&a, &b), &escrows).err(), Some(Refused::Capsule), "another key");
    let making = begin(&a, &[b.address], &Privacy::default());
    assert!(receive_with(&b, &a, &making.send(&a, &b), &escrows).is_ok(), "whether there must be one is the policy's to say");
}

#[test]
fn proofs_for_others_are_taken_beside_our_own() {
    let (a, b, c) = (Node::new("a"), Node::new("b"), Node::new("c"));
    let mut making = begin(&a, &[b.address, c.address], &Privacy::default());
    let statement_of_c = {
        // The second opening of the same audience: begun again with the same seed it would differ, so both are taken at once.
        let content = Content::seal(&NETWORK, &a.member, Padding::Padme, b"payload");
        let privacy = Privacy::default();
        let to = [b.address, c.address];
        let statement = Statement {
            network: &NETWORK,
            member: &a.member,
            sender: a.address,
            policy: 3,
            class: Class::Business,
            time: TIME,
            privacy: &privacy,
            recipients: &to,
            escrow: None,
        };
        let (header, audience, _) = statement.about(&content, &Secret::random()).expect("few");
        making.content = content;
        making.header = Header::decode(&header).expect("own header");
        making.openings = vec![audience.opening(&b.address).expect("b's")];
        audience.opening(&c.address).expect("c's")
    };
    making.openings.push(statement_of_c);
    let taken = receive(&b, &a, &making.send(&a, &b)).expect("intact");
    assert_eq!((taken.recipients.as_slice(), taken.openings.len()), (&[b.address][..], 2));
    making.openings[1].salt[0] ^= 1;
    assert_eq!(receive(&b, &a, &making.send(&a, &b)).err(), Some(Refused::Audience), "one that proves nothing");
}

#[test]
fn a_recipient_returns_it_to_its_sender_alone() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let making = begin(&a, &[b.address], &Privacy::default());
    let bytes = making.header.encode();
    let signature = a.signing.sign(&header::signed(&NETWORK, &bytes));
    let returned = receive(&a, &b, &making.send_signed(&b, &a, &bytes, &signature)).expect("our own");
    assert!(returned.returned);
    assert_eq!(returned.recipients, [b.address]);
    let forged = b.signing.sign(&header::signed(&NETWORK, &bytes));
    assert_eq!(receive(&a, &b, &making.send_signed(&b, &a, &bytes, &forged)).err(), Some(Refused::Signature));
}

#[test]
fn a_box_goes_one_way() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let delivery = begin(&a, &[b.address], &Privacy::default()).send(&a, &b);
    let mirrored = Delivery { from: delivery.to, to: delivery.from, ..delivery.clone() };
    assert_eq!(open_box(&a, &mirrored).err(), Some(Refused::Box));
    assert_eq!(open_box(&a, &delivery).err(), Some(Refused::EpochKey));
    assert!(open_box(&b, &delivery).is_ok());
}

#[test]
fn unusable_epoch_keys_are_refused() {
    let a = Node::new("a");
    for peer in [[0; 32], a.public()] {
        assert_eq!(Pair::agree(&NETWORK, a.epoch.expose(), &a.public(), &peer).err(), Some(Refused::EpochKey));
    }
}

#[test]
fn every_bit_of_a_small_delivery_counts() {
    let (a, b) = (Node::new("a"), Node::new("b"));
    let bytes = begin(&a, &[b.address], &Privacy::default()).send(&a, &b).encode();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1 << bit;
            let Ok(delivery) = Delivery::decode(&flipped.into()) else { continue };
            assert!(receive(&b, &a, &delivery).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_ciphertext_is_of_its_network_and_version() {
    let (a, b): (MemberId, MemberId) = ("a".parse().expect("a name"), "b".parse().expect("a name"));
    let content = Content::seal(&NETWORK, &a, Padding::None, b"x");
    let open =
        |network: &NetworkId, bytes: &[u8]| content::open(network, &a, &content.data_key, &content.nonce, bytes).map(|_| ());
    assert_eq!(open(&NETWORK, &content.ciphertext), Ok(()));
    assert_eq!(open(&NetworkId::new([8; 32]), &content.ciphertext), Err(Refused::Commitment));
    let of_b = content::verify(&NETWORK, &b, &content.data_key, &content.nonce, &content.ciphertext);
    assert_eq!(of_b, Err(Refused::Commitment), "another sender's");
    let mut other = content.ciphertext.to_vec();
    other[0] = 2;
    assert_eq!(open(&NETWORK, &other), Err(Refused::Suite));
    for cut in 0..other.len() {
        assert!(open(&NETWORK, &content.ciphertext[..cut]).is_err(), "{cut}");
    }
}

fn privacies() -> impl Strategy<Value = Privacy> {
    let half = || proptest::collection::vec(any::<u8>(), 64).prop_map(|v| <[u8; 64]>::try_from(v).expect("64"));
    let affected = (half(), half()).prop_map(|(id, hash)| Affected { id: PayloadId::new(id), hash });
    let group = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40).prop_map(GroupId));
    (0..4_i64, proptest::collection::vec(affected, 0..4), group).prop_map(|(flag, affected, group)| {
        let flag = PrivacyFlag::from_number(flag);
        let exec_hash = if flag == PrivacyFlag::StateValidation { b"root".to_vec() } else { Vec::new() };
        let mandatory = if flag == PrivacyFlag::MandatoryRecipients { vec![Address::new([9; 32])] } else { Vec::new() };
        Privacy { flag, affected, exec_hash, mandatory, group }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn payloads_of_every_length_and_profile_come_back(payload: Vec<u8>, number in 0_u8..4) {
        let padding = Padding::from_number(number).expect("four of them");
        let sender: MemberId = "a".parse().expect("a name");
        let content = Content::seal(&NETWORK, &sender, padding, &payload);
        prop_assert_eq!(content.ciphertext.len(), content::PREFIX + padding.padded(payload.len()) + 16);
        let opened = content::open(&NETWORK, &sender, &content.data_key, &content.nonce, &content.ciphertext).expect("opens");
        prop_assert_eq!(&*opened, &payload);
    }

    #[test]
    fn headers_and_deliveries_come_back_and_every_cut_is_refused(privacy in privacies(), others in 0_u8..12) {
        let (a, b) = (Node::new("a"), Node::new("b"));
        let mut to = vec![b.address];
        to.extend((0..others).map(|i| Address::new([i; 32])));
        let making = begin(&a, &to, &privacy);
        let header = making.header.encode();
        let read = Header::decode(&header);
        prop_assert_eq!(read.as_ref(), Ok(&making.header));
        for cut in 0..header.len() {
            prop_assert!(Header::decode(&header[..cut]).is_err());
        }
        prop_assert!(Header::decode(&[&header[..], &[0]].concat()).is_err());
        let delivery = making.send(&a, &b);
        let bytes = delivery.encode();
        let again = Delivery::decode(&bytes);
        prop_assert_eq!(again.as_ref(), Ok(&delivery));
        for cut in 0..bytes.len() {
            prop_assert!(Delivery::decode(&bytes.slice(..cut)).is_err());
        }
        prop_assert!(Delivery::decode(&Bytes::from([&bytes[..], &[0]].concat())).is_err());
        prop_assert_eq!(receive(&b, &a, &delivery).expect("intact").header.privacy, privacy);
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let _ = (Header::decode(&bytes), Delivery::decode(&Bytes::from(bytes)));
    }
}
