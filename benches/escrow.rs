//! What the capsule costs: `cargo bench --bench escrow`. Microseconds on one core, and how many of one X25519 and one Ed25519 signature of
//! the same run that is. The figures stand in the performance document; nothing here passes or fails.

#![allow(missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::{Capsule, KeyShare, Partial, Prepared, combine};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::scalar::Scalar;
use x25519_dalek::{PublicKey, StaticSecret};

/// Calls of one round, short enough that the scheduler seldom cuts in, and rounds: the best one counts.
const CALLS: u32 = 5;
const ROUNDS: u32 = 1_000;
/// About as long as the label of a payload.
const LABEL: [u8; 230] = [0x5a; 230];

fn main() {
    let (data_key, sigma) = (Secret::random(), Secret::random());
    let secrets: [Scalar; 3] = [3_u64, 5, 7].map(|c| Scalar::from(c).invert());
    let value = |x: u16| secrets.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(x) + c);
    let share = |x: u16| KeyShare::new(x, Secret::take(&mut value(x).to_bytes())).expect("a share");
    let shares: Vec<KeyShare> = (1..=5).map(share).collect();
    let key = (&value(0) * G).compress().to_bytes().as_slice().try_into().expect("a key");
    let prepared = Prepared::new(&key);
    let capsule = Capsule::make(&prepared, &data_key, &sigma, &LABEL);
    let bytes = capsule.to_bytes();
    let partials: Vec<Partial> =
        [0, 2, 4].iter().map(|i: &usize| shares[*i].partial(&key, &capsule, &LABEL).expect("sound")).collect();
    let verifying = shares[0].verifying();
    let (ours, theirs) = (StaticSecret::from(*data_key.expose()), PublicKey::from(*sigma.expose()));
    let signer = SigningKey::from_seed(&data_key);

    let x25519 = best(|| ours.diffie_hellman(&theirs));
    let ed25519 = best(|| signer.sign(&LABEL));
    println!("{:<28} {:>9} {:>10} {:>10}", "", "µs", "× X25519", "× Ed25519");
    let line = |name: &str, time: f64| println!("{name:<28} {time:>9.1} {:>10.2} {:>10.2}", time / x25519, time / ed25519);
    line("X25519", x25519);
    line("Ed25519 signature", ed25519);
    line("table of a committee's key", best(|| Prepared::new(&key)));
    line("capsule decoded", best(|| Capsule::try_from(bytes.as_slice())));
    line("make", best(|| Capsule::make(&prepared, &data_key, &sigma, &LABEL)));
    line("matches", best(|| capsule.matches(&prepared, &data_key, &sigma, &LABEL)));
    line("is_sound", best(|| capsule.is_sound(&key, &LABEL)));
    line("partial, proof and check", best(|| shares[0].partial(&key, &capsule, &LABEL)));
    line("verify", best(|| partials[0].verify(&verifying, &capsule, &LABEL)));
    line("combine 3 of 5 and open", best(|| combine(3, &partials).map(|combined| capsule.open(&combined, &sigma, &LABEL))));
}

/// Microseconds of one call.
fn best<T>(work: impl Fn() -> T) -> f64 {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        start.elapsed() / CALLS
    };
    (0..ROUNDS).map(round).min().unwrap_or(Duration::ZERO).as_secs_f64() * 1e6
}
