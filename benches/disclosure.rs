//! What a bulk disclosure costs: `cargo bench --bench disclosure`. An officer's check and its shares, and what the auditor does, for each payload
//! of a KiB in Tessera's suite; the auditor on one core and on all. Nothing here passes or fails.

#![allow(missing_docs, dead_code, unreachable_pub, clippy::unwrap_used, reason = "a benchmark, and helpers of tests")]

#[path = "../tests/governed/charter.rs"]
mod charter;

use std::thread;
use std::time::{Duration, Instant};

use celosia::crypto::hash::payload_id;
use celosia::crypto::hpke::{self, BoxKey};
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::{Capsule, KeyShare, Prepared};
use celosia::crypto::{nacl, random};
use celosia::disclosure::{
    By, Docket, Found, GrantId, Item, Opener, Provenance, Released, Request, Scope, SignedDocket, SignedRequest, case_digest,
    make_shares, root, sigma_info,
};
use celosia::governance::{Committee, Officer, Purpose};
use celosia::seal::escrow::{Label, TESSERA};
use celosia::types::{Address, Class, NetworkId};
use curve25519_dalek::scalar::Scalar;

use self::charter::{CLASSES, Governors};

const COUNT: usize = 1_000;
const EPOCH: u64 = 1;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::from_slice(&[seed; 32]).unwrap())
}

/// Five officers, three of whom open.
fn committee() -> (Committee, Vec<KeyShare>) {
    let secrets: [Scalar; 3] = [3_u64, 5, 7].map(|c| Scalar::from(c).invert());
    let value = |x: u16| secrets.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(x) + c);
    let share = |x: u16| KeyShare::new(x.max(1), Secret::take(&mut value(x).to_bytes())).unwrap();
    let shares: Vec<KeyShare> = (1..=5).map(share).collect();
    let officers = shares.iter().map(|share| Officer {
        index: share.index(),
        name: format!("Officer {}", share.index()),
        entity: format!("Entity {}", share.index()),
        signing_key: key(share.index().to_be_bytes()[1]).verify_key(),
        box_key: BoxKey::of(&Secret::random()),
        share: share.verifying(),
    });
    let (officers, key) = (officers.collect(), share(0).verifying());
    (Committee { purpose: Purpose::Escrow, epoch: EPOCH, generation: 1, threshold: 3, key, officers }, shares)
}

fn asked(network: NetworkId, auditor: &SigningKey, private: &Secret<32>, now: u64) -> SignedRequest {
    let words = || "x".to_owned();
    let request = Request {
        network,
        grant: GrantId([1; 16]),
        name: words(),
        entity: words(),
        mandate: words(),
        purpose: words(),
        basis: words(),
        scope: Scope { by: By::Class(Class::Business), made: None },
        from: now,
        until: now + 3_600_000,
        views: 1,
        secrecy: None,
        renews: None,
        key: auditor.verify_key(),
        box_key: BoxKey::of(private),
        time: now,
    };
    request.sign(auditor)
}

fn main() {
    let (committee, shares) = committee();
    let mut governors = Governors::begin(CLASSES);
    governors.policy(|policy| policy.committees.push(committee.clone()));
    let (network, private, auditor) = (governors.network(), Secret::random(), key(99));
    let (prepared, now) = (Prepared::new(&committee.key), u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap());
    let kept: Vec<_> = (0..COUNT)
        .map(|_| {
            let (data_key, sigma, nonce) = (Secret::random(), Secret::<32>::random(), random::<24>());
            let ciphertext = nacl::seal(data_key.expose(), &nonce, &[7; 1024]);
            let id = payload_id(&ciphertext);
            let (sender, day) = (Address::new([8; 32]), 20_000);
            let label =
                Label { network, suite: TESSERA, policy: 1, epoch: EPOCH, class: Class::Business, member: None, sender, day, id };
            let label = label.encode();
            let capsule = Box::new(Capsule::make(&prepared, &data_key, &sigma, &label));
            (Item { id, found: Found::Escrowed { label, capsule } }, sigma, nonce, ciphertext)
        })
        .collect();
    let items: Vec<Item> = kept.iter().map(|(item, ..)| item.clone()).collect();
    let request = asked(network, &auditor, &private, now);
    let docket = Docket {
        network,
        grant: GrantId([1; 16]),
        request: request.digest(),
        member: "a".parse().unwrap(),
        policy: 1,
        time: now,
        items: items.len() as u64,
        root: root(&items.iter().map(Item::leaf).collect::<Vec<_>>()),
        epochs: items.iter().filter_map(|item| item.label()?.ok()).map(|label| label.epoch).collect(),
    };
    let docket = SignedDocket { docket, signature: [0; 64] };
    line("officer: checks an item", timed(|| drop(docket.check_items(&request, &items, |_| Ok(committee.key)).unwrap())));
    let mut opener = Opener::new(&governors.charter, &request, &docket, 1, private.duplicate()).unwrap();
    for share in &shares[..3] {
        let signing = key(share.index().to_be_bytes()[1]);
        let of = (&committee.key, share, EPOCH, 1);
        let mut made = None;
        let time =
            timed(|| made = Some(make_shares(&request, &docket.docket, &items, of, |message| signing.sign(message)).unwrap()));
        let (head, chunks) = made.unwrap();
        if share.index() == 1 {
            line("officer: makes a share", time);
        }
        opener.add(&head, &chunks).unwrap();
    }
    let info = sigma_info(&case_digest(&docket.docket));
    let released: Vec<Released> = kept
        .iter()
        .map(|(item, sigma, nonce, ciphertext)| {
            let Found::Escrowed { label, .. } = &item.found else { unreachable!() };
            let plain = [&sigma.expose()[..], nonce].concat();
            let sealed = hpke::seal(&request.request.box_key, &info, label, &plain).unwrap();
            let case = case_digest(&docket.docket);
            let provenance = Provenance::default().seal(&request.request.box_key, &case, &item.id).unwrap();
            Released::Given { id: item.id, sealed, ciphertext: ciphertext.clone(), provenance }
        })
        .collect();
    let open = |items: &[Item], released: &[Released]| {
        items.iter().zip(released).for_each(|(item, released)| drop(opener.open(item, released).unwrap()));
    };
    line("auditor: opens, one core", timed(|| open(&items, &released)));
    // What is not looked at where the capsule can be made again: its own proof, and those of three shares.
    let partials: Vec<Vec<_>> = kept
        .iter()
        .map(|(item, ..)| {
            let Found::Escrowed { label, capsule } = &item.found else { unreachable!() };
            shares[..3].iter().map(|share| share.partial(&committee.key, capsule, label).unwrap()).collect()
        })
        .collect();
    let proofs = timed(|| {
        for ((item, ..), partials) in kept.iter().zip(&partials) {
            let Found::Escrowed { label, capsule } = &item.found else { unreachable!() };
            assert!(capsule.is_sound(&committee.key, label));
            assert!(partials.iter().zip(&shares).all(|(partial, share)| partial.verify(&share.verifying(), capsule, label)));
        }
    });
    line("auditor: proofs alone", proofs);
    let cores = thread::available_parallelism().unwrap().get();
    let each = COUNT.div_ceil(cores);
    let all = timed(|| {
        thread::scope(|scope| {
            let parts = items.chunks(each).zip(released.chunks(each));
            parts.for_each(|(items, released)| drop(scope.spawn(move || open(items, released))));
        });
    });
    line(&format!("auditor: opens, {cores} cores"), all);
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn line(name: &str, time: Duration) {
    let each = time.as_secs_f64() * 1e6 / COUNT as f64;
    println!("{name:<28} {each:>9.1} µs a payload {:>9.0} payloads/s", 1e6 / each);
}
