//! A network of three governors for the tests of this floor.

use curve25519_dalek::{RistrettoPoint, Scalar};
use jiff::{SignedDuration, Timestamp};

use super::{Charter, Committee, Directory, Document, DocumentHash, Genesis, Governor, Head, Member, Officer, Policy, Purpose};
use crate::crypto::hash::sha256;
use crate::crypto::hpke::BoxKey;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{SigningKey, VerifyKey};
use crate::crypto::threshold::GroupKey;
use crate::translog::note::Note;
use crate::types::NetworkId;

/// Noon of the day on which the network begins.
pub(super) fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().expect("a time")
}

/// A time some minutes after noon.
pub(super) fn minutes(count: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(count)
}

/// The key of a governor: the same name, the same key.
pub(super) fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&Secret::from_slice(&sha256(&[name.as_bytes()])).expect("32 bytes"))
}

pub(super) fn governor(name: &str) -> Governor {
    Governor::new(name, key(name).verify_key()).expect("a name")
}

pub(super) fn governors(names: &[&str]) -> Vec<Governor> {
    names.iter().map(|name| governor(name)).collect()
}

const CLASSES: &str = r#"
public = { tessera = true, regions = ["*"], padding = "none", delivery = "prompt", log-reads = false }
business = { tessera = true, regions = ["*"], padding = "padme", delivery = "prompt", retention = "3650d", log-reads = false }
personal = { tessera = false, regions = ["ES", "DE-BE"], padding = "padme-1k", delivery = "quiet", batch = "5s", jitter = "2s", log-reads = false }
special = { tessera = false, regions = ["ES"], padding = "bucket", delivery = "quiet", batch = "5s", jitter = "2s", log-reads = true }
"#;

/// Version 1: a, b and c, two of them sign.
pub(super) fn genesis() -> Policy {
    let nonce = DocumentHash::new([7; 32]);
    let genesis = Genesis { name: "red \"prueba\" ñ".into(), nonce, threshold: 2, governors: governors(&["a", "b", "c"]) };
    let head = Head { network: genesis.network_id(), version: 1, previous: None, policy: None, issued: noon() };
    let (classes, grace) = (toml::from_str(CLASSES).expect("classes"), "24h".parse().expect("a span"));
    let mut policy = Policy {
        head,
        threshold: 2,
        governors: genesis.governors.clone(),
        grace,
        genesis,
        classes,
        scopes: Vec::new(),
        committees: Vec::new(),
    };
    policy.normalise();
    policy
}

/// The head of what follows the newest document.
pub(super) fn next(charter: &Charter) -> Head {
    let (newest, hash) = charter.newest();
    let version = newest.version + 1;
    let issued = newest.issued + SignedDuration::from_mins(1);
    Head { network: newest.network, version, previous: Some(hash), policy: Some(charter.policy_version()), issued }
}

/// The network on its version 1.
pub(super) fn begun() -> Charter {
    Charter::begin(&signed(&Document::Policy(genesis()), &["a", "b"])).expect("version 1")
}

pub(super) fn signed(document: &Document, names: &[&str]) -> Note {
    let mut note = document.to_note().expect("a note");
    for name in names {
        note.sign(name, &key(name));
    }
    note
}

/// A Celosia in Madrid.
pub(super) fn member(id: &str) -> Member {
    let key = key(id).verify_key();
    let text = format!(
        r#"
id = "{id}"
legal-name = "{id}, \"S.A.\" \\ ñ"
legal-id = "ES-{id}"
region = "ES-MD"
state = "active"
software = "celosia"
roles = ["member", "witness"]
addresses = ["{key}"]
signing-key = "{key}"
tls-pin = "{}"
native = "https://{id}.example:9443/"
"#,
        DocumentHash::new(sha256(&[id.as_bytes()])),
    );
    toml::from_str(&text).expect("a member")
}

/// The next directory of some members.
pub(super) fn directory(charter: &Charter, members: Vec<Member>) -> Directory {
    let mut directory = Directory { head: next(charter), members };
    directory.normalise();
    directory
}

/// The next policy, before it is changed.
pub(super) fn policy(charter: &Charter) -> Policy {
    Policy { head: next(charter), ..charter.policy().clone() }
}

/// Another network of the same governors.
pub(super) fn other_network() -> NetworkId {
    Genesis { nonce: DocumentHash::new([8; 32]), ..genesis().genesis }.network_id()
}

/// A committee over a polynomial whose coefficients everybody knows.
pub(super) fn committee(purpose: Purpose, epoch: u64, generation: u64, threshold: u64, of: u16) -> Committee {
    let at = |name: String| Scalar::from_bytes_mod_order(sha256(&[name.as_bytes()]));
    let constant = at(format!("{purpose} {epoch}"));
    let coefficients: Vec<Scalar> = (1..threshold).map(|power| at(format!("{purpose} {epoch} {generation} {power}"))).collect();
    let share = |x: u16| coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| (sum + c) * Scalar::from(x)) + constant;
    let key = |scalar: Scalar| GroupKey::from_bytes(RistrettoPoint::mul_base(&scalar).compress().to_bytes()).expect("a key");
    let officer = |index: u16| Officer {
        index,
        name: format!("Officer \"{index}\" ñ"),
        entity: format!("Entity {index}"),
        signing_key: VerifyKey::new(sha256(&[b"sign", &index.to_be_bytes()])),
        box_key: BoxKey::new(sha256(&[b"box", &index.to_be_bytes()])),
        share: key(share(index)),
    };
    let officers = (1..=of).map(officer).collect();
    Committee { purpose, epoch, generation, threshold, key: key(constant), officers }
}

/// Three of five officers for the escrow.
pub(super) fn escrow(epoch: u64, generation: u64) -> Committee {
    committee(Purpose::Escrow, epoch, generation, 3, 5)
}
