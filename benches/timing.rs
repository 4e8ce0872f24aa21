//! Whether what is computed with secrets takes the same time for all of them: `cargo bench --bench timing`, or with `-- 30 open` for half
//! a minute each of those with `open` in their name. Two classes of inputs in random order, and dudect's statistics; see [`welch`]. |t|
//! above 10 is a leak, below 4.5 none was found. A comparison that leaks on purpose shows that the machine is quiet enough for the method,
//! one class against itself what its noise makes of nothing. The figures stand in the document of the capsule; nothing here passes or fails.

#![allow(missing_docs, reason = "a benchmark")]

#[path = "timing/welch.rs"]
mod welch;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::{Duration, Instant};

use celosia::crypto::padme::Padding;
use celosia::crypto::random;
use celosia::crypto::secret::Secret;
use celosia::crypto::threshold::reshare::Resharing;
use celosia::crypto::threshold::{Capsule, KeyShare, Partial, Prepared, combine, dkg};
use celosia::crypto::{aead, threshold::GroupKey};
use celosia::seal::celosia1::{Content, content};
use celosia::types::{MemberId, NetworkId};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::scalar::Scalar;

/// Inputs of one batch: made before its clock runs.
const BATCH: usize = 256;
/// About as long as the label of a payload.
const LABEL: [u8; 230] = [0x5a; 230];
/// Above it is a leak.
const LEAK: f64 = 10.0;
/// Below it none was found.
const NOTHING: f64 = 4.5;

/// Which class an input is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Class {
    Fixed,
    Random,
}

struct Bench {
    time: Duration,
    /// What is measured has this in its name.
    only: String,
}

impl Bench {
    /// Measures `work` on what `input` makes of a class; prints and returns the largest |t|.
    fn measure<I, O>(&self, name: &str, mut input: impl FnMut(Class) -> I, work: impl Fn(&I) -> O) -> f64 {
        if !name.contains(&self.only) && !name.starts_with("CONTROL") {
            return 0.0;
        }
        let (end, mut classes) = (Instant::now() + self.time, [Vec::new(), Vec::new()]);
        let mut is_warm = false;
        while Instant::now() < end {
            let order: [u8; BATCH] = random();
            let order = order.map(|byte| if byte & 1 == 0 { Class::Fixed } else { Class::Random });
            let inputs: Vec<I> = order.iter().map(|class| input(*class)).collect();
            for (class, input) in order.iter().zip(&inputs) {
                let start = Instant::now();
                black_box(work(black_box(input)));
                let taken = start.elapsed().as_secs_f64() * 1e9;
                if is_warm {
                    classes[usize::from(*class == Class::Random)].push(taken);
                }
            }
            is_warm = true;
        }
        let t = welch::largest(&classes);
        let count = classes[0].len() + classes[1].len();
        let middle = median(classes.concat()) / 1e3;
        let said = if t > LEAK {
            "LEAKS"
        } else if t > NOTHING {
            "unclear"
        } else {
            "nothing found"
        };
        println!("{name:<56} {count:>9} {middle:>10.2} {t:>9.1}  {said}");
        t
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The fixed secret, or another each time.
fn secret(fixed: &Secret<32>, class: Class) -> Secret<32> {
    match class {
        Class::Fixed => fixed.duplicate(),
        Class::Random => Secret::random(),
    }
}

/// The same for a scalar.
fn scalar(fixed: Scalar, class: Class) -> Scalar {
    let random = Scalar::from_bytes_mod_order(random());
    if class == Class::Fixed { fixed } else { random }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let time = Duration::from_secs(words.iter().find_map(|word| word.parse().ok()).unwrap_or(10));
    let only = words.into_iter().find(|word| word.parse::<u64>().is_err()).unwrap_or_default();
    let bench = Bench { time, only };
    println!("{:<56} {:>9} {:>10} {:>9}", "", "measured", "median µs", "|t|");
    let leak = controls(&bench);
    let committee = Committee::new();
    capsules(&bench, &committee);
    answers(&bench, &committee);
    dealing(&bench);
    comparisons(&bench);
    if leak < LEAK {
        println!(
            "The comparison that leaks on purpose was not found: this machine is too noisy, and the figures above say nothing."
        );
    }
}

/// What must be found, and what must not. The |t| of the former.
fn controls(bench: &Bench) -> f64 {
    let (own, mut other) = ([0x5a_u8; 176], [0x5a_u8; 176]);
    other[0] = 0;
    let early = |a: &[u8; 176]| a.iter().zip(&own).all(|(a, b)| black_box(a) == black_box(b));
    let leak = bench.measure(
        "CONTROL: comparison that stops at the first difference",
        |c| if c == Class::Fixed { own } else { other },
        early,
    );
    let (sigma, key) = (Secret::random(), Committee::new().prepared);
    bench.measure(
        "CONTROL: make, random against random",
        |_| Secret::random(),
        |data_key| Capsule::make(&key, data_key, &sigma, &LABEL),
    );
    leak
}

/// Two of three.
struct Committee {
    shares: Vec<KeyShare>,
    key: GroupKey,
    prepared: Prepared,
}

impl Committee {
    fn new() -> Self {
        let (constant, slope) = (Scalar::from_bytes_mod_order(random()), Scalar::from_bytes_mod_order(random()));
        let value = |x: u16| constant + slope * Scalar::from(x);
        let share = |x: u16| KeyShare::new(x, Secret::take(&mut value(x).to_bytes())).expect("a share");
        let key = GroupKey::from_bytes((&constant * G).compress().to_bytes()).expect("a key");
        Self { shares: (1..=3).map(share).collect(), key, prepared: Prepared::new(&key) }
    }

    fn answers(&self, capsule: &Capsule) -> Vec<Partial> {
        self.shares[..2].iter().map(|share| share.partial(&self.key, capsule, &LABEL).expect("sound")).collect()
    }
}

fn capsules(bench: &Bench, committee: &Committee) {
    let (key, data_key, sigma) = (&committee.prepared, Secret::random(), Secret::random());
    let make = |data_key: &_, sigma: &_| Capsule::make(key, data_key, sigma, &LABEL);
    bench.measure("make: data key fixed or random", |class| secret(&data_key, class), |data_key| make(data_key, &sigma));
    bench.measure("make: sigma fixed or random", |class| secret(&sigma, class), |sigma| make(&data_key, sigma));
    let right = make(&data_key, &sigma);
    for (place, wrong) in [("first", altered(&right, 0)), ("last", altered(&right, Capsule::LEN - 1))] {
        let name = format!("matches: equal, or different in the {place} byte");
        let pick = |class| if class == Class::Fixed { right.clone() } else { wrong.clone() };
        bench.measure(&name, pick, |capsule: &Capsule| capsule.matches(key, &data_key, &sigma, &LABEL));
    }
    let of = |data_key: Secret<32>, sigma: Secret<32>| {
        let capsule = make(&data_key, &sigma);
        (committee.answers(&capsule), capsule, sigma)
    };
    let fixed = of(data_key.duplicate(), sigma.duplicate());
    let others: Vec<_> = (0..BATCH).map(|_| of(Secret::random(), Secret::random())).collect();
    let mut next = 0;
    // Made anew for either class, so that neither lies elsewhere in memory than the other.
    let mut pick = |class: Class| {
        next += 1;
        let (answers, capsule, sigma) = if class == Class::Fixed { &fixed } else { &others[next % BATCH] };
        (answers.clone(), combine(2, answers).expect("two of them"), capsule.clone(), sigma.duplicate())
    };
    bench.measure("combine 2: answers fixed or random", &mut pick, |(answers, ..)| combine(2, answers));
    bench.measure("open: key, sigma and capsule fixed or random", pick, |(_, combined, capsule, sigma)| {
        capsule.open(combined, sigma, &LABEL).expect("opens")
    });
}

/// The capsule with another byte at a place, such that it is still read as one.
fn altered(capsule: &Capsule, place: usize) -> Capsule {
    let bytes = capsule.to_bytes();
    let turned = (1..=u8::MAX).find_map(|turn| {
        let mut other = bytes;
        other[place] ^= turn;
        Capsule::try_from(other.as_slice()).ok()
    });
    turned.expect("every other byte is a point's")
}

fn answers(bench: &Bench, committee: &Committee) {
    let capsule = Capsule::make(&committee.prepared, &Secret::random(), &Secret::random(), &LABEL);
    let fixed = Scalar::from_bytes_mod_order(random());
    let share = |class| KeyShare::new(1, Secret::take(&mut scalar(fixed, class).to_bytes())).expect("a share");
    bench.measure("partial: share fixed or random", share, |share| share.partial(&committee.key, &capsule, &LABEL));
    let bytes = |class| Secret::take(&mut scalar(fixed, class).to_bytes());
    bench.measure("a share's public half: fixed or random", bytes, |bytes| KeyShare::new(1, bytes.duplicate()));
}

fn dealing(bench: &Bench) {
    let shape = dkg::Shape { officers: 3, threshold: 2 };
    let seeds: BTreeMap<u16, Secret<32>> = (1..=3).map(|me| (me, Secret::random())).collect();
    bench.measure(
        "key generation, commit: seed fixed or random",
        |class| secret(&seeds[&1], class),
        |seed| dkg::commit(shape, 1, seed),
    );
    let said: BTreeMap<u16, Vec<u8>> =
        seeds.iter().map(|(me, seed)| (*me, dkg::commit(shape, *me, seed).expect("it commits"))).collect();
    let deal = |me: u16, seed: &Secret<32>| dkg::deal(shape, me, seed, &said).expect("it deals");
    bench.measure("key generation, deal: seed fixed or random", |class| secret(&seeds[&1], class), |seed| deal(1, seed));
    let dealt = [2, 3].map(|from| (from, deal(from, &seeds[&from])[&1].duplicate()));
    let outcome = dkg::finish(shape, 1, &seeds[&1], &said, &dealt.into_iter().collect()).expect("a share");
    let resharing = Resharing::new(outcome.public, 2, &BTreeSet::from([1, 2]), BTreeSet::from([1, 2, 3]), 2).expect("a shape");
    // The share is not held against the public half where numbers are dealt.
    let fixed = Scalar::from_bytes_mod_order(random());
    let share = |class| Secret::take(&mut scalar(fixed, class).to_bytes());
    bench.measure("resharing, deal: share fixed or random", share, |share| resharing.deal(1, share, &seeds[&1]));
    let seed = |class| secret(&seeds[&2], class);
    bench.measure("resharing, commit: seed fixed or random", seed, |seed| resharing.commit(1, &outcome.share, seed));
}

fn comparisons(bench: &Bench) {
    let own = Secret::<32>::random();
    let turned = |place: usize| {
        Secret::init_with(|bytes| {
            *bytes = *own.expose();
            bytes[place] ^= 1;
        })
    };
    // One comparison is shorter than the clock's step.
    let places = |class| if class == Class::Fixed { turned(0) } else { turned(31) };
    bench.measure("64 secrets compared: first or last byte different", places, |other| {
        (0..64).filter(|_| black_box(&own) == other).count()
    });
    let (key, nonce, plain) = (Secret::<32>::random(), random(), [7_u8; 32]);
    let sealed = |place: usize| {
        let mut body = plain;
        let tag = aead::seal_in_place(key.expose(), &nonce, &LABEL, &mut body);
        let mut sealed = [body.as_slice(), &tag].concat();
        sealed[place] ^= 1;
        sealed
    };
    let tags = |class| sealed(if class == Class::Fixed { 32 } else { 47 });
    let open = |sealed: &Vec<u8>| aead::open_detached(key.expose(), &nonce, &LABEL, sealed).is_ok();
    bench.measure("AEAD: authenticator wrong in the first or last byte", tags, open);
    let (network, sender): (_, MemberId) = (NetworkId::new([7; 32]), "banco".parse().expect("a name"));
    let Content { data_key, nonce, ciphertext, .. } = Content::seal(&network, &sender, Padding::None, b"an offer");
    let turned = |class| {
        let mut bytes = ciphertext.to_vec();
        bytes[if class == Class::Fixed { 1 } else { 32 }] ^= 1;
        bytes
    };
    let verify = |bytes: &Vec<u8>| content::verify(&network, &sender, &data_key, &nonce, bytes).is_ok();
    bench.measure("commitment to the key: wrong in the first or last byte", turned, verify);
}
