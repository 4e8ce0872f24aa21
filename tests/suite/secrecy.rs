//! What a recorded week of traffic is worth to whoever seizes a node at its end: its identity keys, its signing seed, its key folder and
//! everything that lies in locked memory. The attacker is written from `docs/celosia-1.md` over the bare primitives.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt as _;

use celosia::crypto::padme::Padding;
use celosia::enclave::{Draft, Enclave as _, NativeIngest};
use celosia::shred::{FileRoot, Forest};
use celosia::types::Privacy;
use celosia::wire::{Delivery, EncodedPayload};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use dryoc::classic::crypto_box::crypto_box_open_easy;
use dryoc::classic::crypto_secretbox::crypto_secretbox_open_easy;
use hkdf::Hkdf;
use sha2::Sha256;
use sha3::{Digest as _, Sha3_512};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use crate::week::{Days, NETWORK, Node};

type Key = [u8; 32];

fn aead_open(key: &Key, nonce: &[u8; 24], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
}

fn hkdf64(ikm: &[u8], info: &[u8]) -> [Key; 2] {
    let mut out = [0; 64];
    Hkdf::<Sha256>::new(Some(NETWORK.as_bytes()), ikm).expand(info, &mut out).unwrap();
    [out[..32].try_into().unwrap(), out[32..].try_into().unwrap()]
}

/// The payload, if `key` is the data key.
fn with_data_key(key: &Key, delivery: &Delivery) -> Option<Vec<u8>> {
    let [encryption, commitment] = hkdf64(key, &[b"celosia-1 payload", delivery.member.as_str().as_bytes()].concat());
    let (prefix, body) = delivery.ciphertext.split_at(33);
    let aad = [prefix, NETWORK.as_bytes()].concat();
    let padded = aead_open(&encryption, &delivery.nonce, &aad, body).filter(|_| prefix[1..] == commitment)?;
    let length = usize::try_from(u64::from_be_bytes(padded[..8].try_into().unwrap())).unwrap();
    Some(padded[8..8 + length].to_vec())
}

/// The payload, if `key` opens the box.
fn with_box_key(key: &Key, delivery: &Delivery) -> Option<Vec<u8>> {
    let id = Sha3_512::digest(&delivery.ciphertext);
    let aad = [b"celosia-1 box".as_slice(), &delivery.from, &delivery.to, &delivery.day.to_be_bytes(), &id].concat();
    let parcel = aead_open(key, &delivery.box_nonce, &aad, &delivery.sealed)?;
    with_data_key(&parcel[8..40].try_into().unwrap(), delivery)
}

/// The payload, whatever `key` is a key of.
fn open(key: &Key, delivery: &Delivery) -> Option<Vec<u8>> {
    let (lower, higher) = (delivery.from.min(delivery.to), delivery.from.max(delivery.to));
    let agreed = [delivery.from, delivery.to]
        .into_iter()
        .flat_map(|peer| hkdf64(&x25519(*key, peer), &[b"celosia-1 pair".as_slice(), &lower, &higher].concat()));
    agreed.chain([*key]).find_map(|key| with_box_key(&key, delivery)).or_else(|| with_data_key(key, delivery))
}

/// Every 32 bytes of the process's locked memory that hold something: its slots, read as a debugger reads them.
fn locked_memory() -> BTreeSet<Key> {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut range = None;
    let mut found = BTreeSet::new();
    for line in maps.lines() {
        if let Some((start, end)) = line.split(' ').next().and_then(|range| range.split_once('-')) {
            let bound = |text| u64::from_str_radix(text, 16);
            range = bound(start).ok().zip(bound(end).ok()).or(range);
        }
        // Left out of core dumps: this program's sign for pages with keys.
        if let (true, Some((start, end))) = (line.starts_with("VmFlags:") && line.contains(" dd"), range) {
            let mut pages = vec![0; usize::try_from(end - start).unwrap()];
            if memory.read_exact_at(&mut pages, start).is_ok() {
                found.extend(pages.as_chunks::<32>().0.iter().filter(|slot| **slot != [0; 32]));
            }
        }
    }
    found
}

/// Every 32 bytes, at every place, of every file of a folder.
fn windows(folder: &std::path::Path) -> BTreeSet<Key> {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.flat_map(|file| file.windows(32).map(|window| window.try_into().unwrap()).collect::<Vec<Key>>()).collect()
}

#[tokio::test]
async fn a_recorded_week_opens_for_two_days_and_no_more() {
    let days = Days::new();
    let (a, b) = (Node::new("a", &days), Node::new("b", &days));
    let mut recorded = Vec::new();
    let mut heads = Vec::new();
    for day in 0..7_u8 {
        days.pass(u64::from(day > 0));
        let payload = format!("of day {day}").into_bytes();
        let sealed = a.send(&[&b], &payload, Padding::Padme, Privacy::default()).await;
        let wire = sealed.deliveries[0].encode();
        let NativeIngest::Mine { id, head, .. } = b.take(&a, &sealed.deliveries[0]).await else { panic!("of today") };
        // What is kept is readable to whoever has store and key folder: that is keeping. So b deletes what it received.
        b.enclave.erase(vec![head.leaf()]).await.unwrap();
        heads.push((id, head));
        recorded.push((payload, Delivery::decode(&wire).unwrap()));
    }
    let mut seized = locked_memory();
    assert!(seized.len() >= 4, "{} keys in locked memory: it was not found", seized.len());
    seized.extend(windows(b.folder.path()));
    seized.extend([*b.identity.expose(), *b.signing_seed.expose()]);
    seized.extend([*a.identity.expose(), *a.signing_seed.expose()]);
    let opened: Vec<_> = recorded.iter().map(|(_, delivery)| seized.iter().find_map(|key| open(key, delivery))).collect();
    for (day, ((payload, _), opened)) in recorded.iter().zip(&opened).enumerate() {
        // The control: of the last two days it opens, so the attacker knows its trade.
        assert_eq!(opened.as_ref(), (day >= 5).then_some(payload), "day {day}");
    }
    // The sealed heads that a backup of the store still has are of no use either.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(b.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let forest = Forest::open(copy.path(), Box::new(FileRoot::open(copy.path()).unwrap())).unwrap();
    assert!(heads.iter().all(|(id, head)| forest.open_head(id.as_bytes(), head).is_err()));
}

/// The other suite, for comparison: Tessera's boxes are between identity keys, which last.
#[tokio::test]
async fn a_payload_of_tesseras_suite_opens_with_an_old_identity_key() {
    let days = Days::new();
    let (a, b) = (Node::new("a", &days), Node::new("b", &days));
    let draft = Draft {
        plaintext: Zeroizing::new(b"of day 0".to_vec()),
        sender: a.address(),
        recipients: vec![b.address()],
        privacy: Privacy::default(),
        affected: Vec::new(),
        escrow: None,
    };
    let EncodedPayload { ciphertext, nonce, boxes, recipient_nonce, .. } = a.enclave.seal(draft).await.unwrap().payload;
    days.pass(7);
    let mut key = [0; 32];
    crypto_box_open_easy(&mut key, &boxes[0], &recipient_nonce, a.address().as_bytes(), b.identity.expose()).unwrap();
    let mut payload = [0; 8];
    crypto_secretbox_open_easy(&mut payload, &ciphertext, &nonce, &key).unwrap();
    assert_eq!(&payload, b"of day 0");
}

#[tokio::test]
async fn after_two_days_or_a_restart_the_peer_is_told_to_ask_anew() {
    let days = Days::new();
    let (a, b) = (Node::new("a", &days), Node::new("b", &days));
    let sealed = a.send(&[&b], b"payload", Padding::None, Privacy::default()).await;
    let delivery = &sealed.deliveries[0];
    days.pass(1);
    assert!(matches!(b.take(&a, delivery).await, NativeIngest::Mine { .. }), "yesterday's key serves");
    let restarted = Node::new("b", &days);
    assert!(matches!(restarted.take(&a, delivery).await, NativeIngest::UnknownEpoch));
    days.pass(1);
    assert!(matches!(b.take(&a, delivery).await, NativeIngest::UnknownEpoch));
    let first = b.enclave.epoch_key().await.unwrap();
    assert_eq!(x25519(*b.identity.expose(), X25519_BASEPOINT_BYTES), *b.address().as_bytes());
    assert_ne!(&first.public, b.address().as_bytes(), "an epoch key is no identity key");
    days.pass(1);
    assert_eq!(b.enclave.epoch_key().await.unwrap().day, first.day + 1);
}
