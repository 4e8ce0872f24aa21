//! `tests/vectors/celosia-1.json`: made of fixed keys, nonces and salts, so that it is the same on every machine.
//! `CELOSIA_WRITE_VECTORS=1 cargo test --test suite vectors` writes it anew after a change of the specification.

use celosia::crypto::aead;
use celosia::crypto::hash::{payload_id, sha256};
use celosia::crypto::kdf;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::{Capsule, KeyShare, Prepared};
use celosia::seal::celosia1::{Content, Pair, Parcel, Statement, pair, parcel};
use celosia::seal::escrow::{Carried, Label};
use celosia::types::{Address, Class, NetworkId, PayloadId, Privacy, PrivacyFlag};
use celosia::wire::{Delivery, Header, Opening, header};

use crate::case::{Case, File, Hex};

pub const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/celosia-1.json");
const DAY: u32 = 20_781;
const TIME: u64 = 20_781 * 86_400_000 + 43_200_123;

/// Bytes that everybody can compute: SHA-256 of a label.
fn known(label: &str) -> [u8; 32] {
    sha256(&[label.as_bytes()])
}

/// A delivery in the making: a refused case alters one part, and all that follows is made of it.
struct Making {
    case: Case,
    content: Content,
    header: Header,
    openings: Vec<Opening>,
    signing: SigningKey,
    sigma: Option<Secret<32>>,
}

fn begin(name: &str, padding: Padding, payload: &[u8], recipients: usize, ours: usize, flag: PrivacyFlag) -> Making {
    let network = NetworkId::new(known("network"));
    let key = |what: &str| known(&format!("{name}/{what}"));
    let nonce = |what: &str| std::array::from_fn(|i| key(what)[i]);
    let signing_seed = key("signing seed");
    let signing = SigningKey::from_seed(&Secret::init_with(|bytes| *bytes = signing_seed));
    let data_key = Secret::init_with(|bytes| *bytes = key("data key"));
    let member = "sender".parse().unwrap();
    let content = Content::seal_under((&network, &member), padding, payload, data_key, nonce("nonce"));
    let addresses: Vec<Address> = (0..recipients).map(|i| Address::new(key(&format!("recipient {i}")))).collect();
    let exec_hash = if flag == PrivacyFlag::StateValidation { b"cm9vdA==".to_vec() } else { Vec::new() };
    let privacy = Privacy { flag, exec_hash, ..Privacy::default() };
    let sender = Address::new(key("sender"));
    let statement = Statement {
        network: &network,
        member: &member,
        sender,
        policy: 7,
        class: Class::Business,
        time: TIME,
        privacy: &privacy,
        recipients: &addresses,
        escrow: None,
    };
    let seed = Secret::init_with(|bytes| *bytes = key("audience seed"));
    let (bytes, audience, _) = statement.about(&content, &seed).unwrap();
    let openings = addresses[..ours].iter().map(|address| audience.opening(address).unwrap()).collect();
    let list = |addresses: &[Address]| addresses.iter().map(|address| address.as_bytes().as_slice().into()).collect();
    let case = Case {
        name: name.to_owned(),
        network: network.as_bytes().as_slice().into(),
        sender: "sender".to_owned(),
        sender_address: sender.as_bytes().as_slice().into(),
        signing_seed: signing_seed.as_slice().into(),
        verify_key: signing.verify_key().as_bytes().as_slice().into(),
        sender_epoch_private: key("sender's epoch key").as_slice().into(),
        recipient_epoch_private: key("recipient's epoch key").as_slice().into(),
        day: DAY,
        time: TIME,
        policy: 7,
        class: Class::Business.number(),
        padding: padding.name().to_owned(),
        recipients: list(&addresses),
        ours: list(&addresses[..ours]),
        data_key: content.data_key.expose().as_slice().into(),
        nonce: content.nonce.as_slice().into(),
        box_nonce: nonce("nonce of the box").as_slice().into(),
        payload: payload.into(),
        outcome: "ok".to_owned(),
        ..Case::default()
    };
    Making { case, content, header: Header::decode(&bytes).unwrap(), openings, signing, sigma: None }
}

impl Making {
    fn finish(self) -> Case {
        let bytes = self.header.encode();
        let signature = self.signing.sign(&header::signed(&self.case.network(), &bytes));
        self.finish_with(&bytes, signature)
    }

    fn finish_with(mut self, header: &[u8], signature: [u8; 64]) -> Case {
        let (case, content) = (&mut self.case, &self.content);
        let private: [u8; 32] = case.sender_epoch_private.array();
        let (from, to) = (pair::public(&private), pair::public(&case.recipient_epoch_private.array()));
        let keys = Pair::agree(&case.network(), &private, &from, &to).unwrap();
        let route = parcel::Route { from: &from, to: &to, day: DAY, id: &content.id };
        let box_nonce = case.box_nonce.array();
        let parcel = Parcel {
            data_key: &content.data_key,
            sigma: self.sigma.as_ref(),
            openings: &self.openings,
            signature: &signature,
            header,
        };
        let sealed = parcel.seal(keys.sending.expose(), &box_nonce, route).unwrap();
        let (nonce, ciphertext) = (content.nonce, content.ciphertext.clone());
        let member = case.sender.parse().unwrap();
        let delivery = Delivery { member, from, day: DAY, to, box_nonce, sealed, nonce, ciphertext };
        case.id = content.id.as_bytes().as_slice().into();
        case.delivery = Hex(delivery.encode().to_vec());
        self.case
    }
}

/// The same with a capsule for a committee whose key everybody can compute.
fn with_capsule(name: &str) -> Making {
    let mut making = begin(name, Padding::Padme, b"payload", 2, 1, PrivacyFlag::Standard);
    let scalar = Secret::init_with(|bytes| bytes[..16].copy_from_slice(&known("committee")[..16]));
    let key = KeyShare::new(1, scalar).unwrap().verifying();
    let sigma = Secret::init_with(|bytes| *bytes = known(&format!("{name}/sigma")));
    let label = Label::of(&making.header, 3).encode();
    let capsule = Capsule::make(&Prepared::new(&key), &making.content.data_key, &sigma, &label);
    making.header.escrow = Some(Carried { epoch: 3, capsule }.to_bytes());
    making.case.escrow_key = key.as_bytes().as_slice().into();
    making.case.escrow_epoch = 3;
    making.case.sigma = sigma.expose().as_slice().into();
    Making { sigma: Some(sigma), ..making }
}

/// A case that is refused for its capsule alone.
fn bad_capsule(outcome: &str, alter: impl FnOnce(&mut Making)) -> Case {
    let mut making = with_capsule(&format!("refused: {outcome}"));
    alter(&mut making);
    Case { outcome: outcome.to_owned(), ..making.finish() }
}

/// A case that is refused for one reason alone.
fn refused(outcome: &str, alter: impl FnOnce(&mut Making)) -> Case {
    let mut making = begin(&format!("refused: {outcome}"), Padding::Padme, b"payload", 1, 1, PrivacyFlag::Standard);
    alter(&mut making);
    Case { outcome: outcome.to_owned(), ..making.finish() }
}

/// After the delivery is made, a byte of it is altered.
fn tampered(outcome: &str, name: &str, alter: impl FnOnce(&mut Delivery)) -> Case {
    let mut case = begin(name, Padding::Padme, b"payload", 1, 1, PrivacyFlag::Standard).finish();
    let mut delivery = Delivery::decode(&case.delivery.0.clone().into()).unwrap();
    alter(&mut delivery);
    case.delivery = Hex(delivery.encode().to_vec());
    Case { outcome: outcome.to_owned(), ..case }
}

/// A ciphertext whose fill is not zero, under its right key: only the padding is wrong.
fn with_bad_fill(making: &mut Making) {
    let network = making.case.network();
    let keys: Secret<64> = kdf::expand(network.as_bytes(), making.content.data_key.expose(), &[b"celosia-1 payload", b"sender"]);
    let (encryption, commitment) = keys.expose().split_at(32);
    let mut body = [&7_u64.to_be_bytes()[..], b"payload", &[1]].concat();
    let prefix = [&[1], commitment].concat();
    let aad = [prefix.as_slice(), network.as_bytes()].concat();
    let tag = aead::seal_in_place(encryption.try_into().unwrap(), &making.content.nonce, &aad, &mut body);
    making.content.ciphertext = [prefix.as_slice(), &body, &tag].concat().into();
    making.content.id = payload_id(&making.content.ciphertext);
    making.header.id = making.content.id;
}

/// Sent on by a recipient, which signs in its own name: the ciphertext commits to whose it was.
fn under_another_name() -> Case {
    let mut making = begin("refused: Commitment, sent on", Padding::Padme, b"payload", 1, 1, PrivacyFlag::Standard);
    making.case.sender = "other".into();
    making.header.member = "other".parse().unwrap();
    Case { outcome: "Commitment".to_owned(), ..making.finish() }
}

fn cases() -> Vec<Case> {
    let text: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let good = |name: &str, padding, length: usize, recipients, ours, flag| {
        begin(name, padding, &text[..length], recipients, ours, flag).finish()
    };
    let standard = PrivacyFlag::Standard;
    let mut cases = vec![
        good("empty", Padding::Padme, 0, 1, 1, standard),
        good("one byte, not padded", Padding::None, 1, 1, 1, standard),
        good("a contract call", Padding::Padme, 420, 3, 1, standard),
        good("a KiB at least", Padding::PadmeKib, 100, 2, 1, standard),
        good("a bucket", Padding::Bucket, 5_000, 2, 2, standard),
        good("two addresses of ours among nine", Padding::Padme, 1_000, 9, 2, standard),
        good("private state validation", Padding::Padme, 77, 4, 1, PrivacyFlag::StateValidation),
    ];
    cases.push(with_capsule("with a capsule").finish());
    cases.extend([
        bad_capsule("Sigma", |making| making.sigma = None),
        bad_capsule("Capsule", |making| making.sigma = Some(Secret::init_with(|bytes| bytes.fill(1)))),
        bad_capsule("CapsuleEpoch", |making| making.case.escrow_epoch = 4),
        bad_capsule("CapsuleForm", |making| making.header.escrow = Some(vec![1; 7])),
    ]);
    cases.extend([
        refused("Suite", |making| making.header.suite = 2),
        refused("Network", |making| making.header.network = NetworkId::new([1; 32])),
        refused("Id", |making| making.header.id = PayloadId::new([1; 64])),
        refused("Day", |making| making.header.day += 1),
        refused("Sender", |making| making.header.member = "other".parse().unwrap()),
        refused("Audience", |making| making.openings[0].salt[0] ^= 1),
        refused("Commitment", |making| making.content.data_key = Secret::init_with(|bytes| bytes.fill(1))),
        refused("Padding", with_bad_fill),
        under_another_name(),
        tampered("Box", "refused: Box", |delivery| delivery.box_nonce[0] ^= 1),
        tampered("Ciphertext", "refused: Ciphertext", |delivery| delivery.nonce[0] ^= 1),
        tampered("EpochKey", "refused: EpochKey", |delivery| delivery.from = [0; 32]),
        tampered("UnknownEpoch", "refused: UnknownEpoch", |delivery| delivery.to[0] ^= 1),
    ]);
    let making = begin("refused: Signature", Padding::Padme, b"payload", 1, 1, standard);
    let bytes = making.header.encode();
    cases.push(Case { outcome: "Signature".to_owned(), ..making.finish_with(&bytes, [1; 64]) });
    let making = begin("refused: Header", Padding::Padme, b"payload", 1, 1, standard);
    cases.push(Case { outcome: "Header".to_owned(), ..making.finish_with(b"\x80", [1; 64]) });
    cases
}

pub fn file() -> File {
    serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap()
}

#[test]
fn vectors_are_what_this_program_makes() {
    let about = "Test vectors of the suite celosia-1: docs/celosia-1.md, section 10. Byte strings in hexadecimal.";
    let made = File { about: about.to_owned(), cases: cases() };
    if std::env::var_os("CELOSIA_WRITE_VECTORS").is_some() {
        std::fs::write(PATH, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    assert!(file() == made, "tests/vectors/celosia-1.json differs from what is made now");
}

#[test]
fn vectors_open_or_are_refused_as_they_say() {
    let file = file();
    assert_eq!(file.cases.iter().filter(|case| case.outcome == "ok").count(), 8);
    file.cases.iter().for_each(Case::check);
}
