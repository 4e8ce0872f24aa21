use std::collections::BTreeMap;

use super::*;
use crate::crypto::threshold::dkg::{self, Shape};
use crate::governance::{Committee, Officer, Purpose};
use crate::types::NetworkId;

/// A hold committee of three, two of whom open.
pub(crate) struct Sample {
    pub(crate) committee: Committee,
    officers: Vec<(SigningKey, KeyShare)>,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let shape = Shape { officers: 3, threshold: 2 };
        let seeds: BTreeMap<u16, Secret<32>> = (1..=3).map(|index| (index, Secret::random())).collect();
        let said: BTreeMap<u16, Vec<u8>> =
            seeds.iter().map(|(index, seed)| (*index, dkg::commit(shape, *index, seed).expect("a committee"))).collect();
        let mut dealt: BTreeMap<u16, BTreeMap<u16, Secret<32>>> = BTreeMap::new();
        for (from, seed) in &seeds {
            for (to, number) in dkg::deal(shape, *from, seed, &said).expect("honest") {
                dealt.entry(to).or_default().insert(*from, number);
            }
        }
        let (mut officers, mut listed, mut key) = (Vec::new(), Vec::new(), None);
        for (index, seed) in &seeds {
            let outcome = dkg::finish(shape, *index, seed, &said, &dealt[index]).expect("honest");
            key = GroupKey::from_bytes(outcome.public.key).ok();
            let share = KeyShare::new(*index, outcome.share).expect("a share");
            let signing = SigningKey::from_seed(&Secret::random());
            listed.push(Officer {
                index: *index,
                name: format!("officer {index}"),
                entity: format!("entity {index}"),
                signing_key: signing.verify_key(),
                box_key: BoxKey::of(&Secret::random()),
                share: share.verifying(),
            });
            officers.push((signing, share));
        }
        let key = key.expect("three officers");
        let committee = Committee { purpose: Purpose::Hold, epoch: 1, generation: 1, threshold: 2, key, officers: listed };
        committee.verify().expect("a committee");
        Self { committee, officers }
    }

    /// The answer of the officer at a place, from 0.
    pub(crate) fn answer(&self, request: &HoldRequest, at: usize) -> HoldAnswer {
        self.try_answer(request, at).expect("a sound request")
    }

    pub(crate) fn try_answer(&self, request: &HoldRequest, at: usize) -> Result<HoldAnswer, Broken> {
        let (key, share) = &self.officers[at];
        answer(request, key, |_| Some(share))
    }

    /// Of the first two: enough.
    pub(crate) fn answers(&self, request: &HoldRequest) -> Vec<HoldAnswer> {
        vec![self.answer(request, 0), self.answer(request, 1)]
    }

    pub(crate) fn partial(&self, at: usize, capsule: &Capsule, label: &[u8]) -> Partial {
        self.officers[at].1.partial(&self.committee.key, capsule, label).expect("sound")
    }

    /// An officer's key, for answers that are altered and signed again.
    pub(crate) fn sign(&self, at: usize, answer: &mut HoldAnswer, network: &NetworkId) {
        answer.signature = self.officers[at].0.sign(&answer.statement(network)).to_vec();
    }
}

#[test]
fn an_envelope_opens_with_two_of_three_for_its_label_alone() {
    let sample = Sample::new();
    let envelope = seal(&sample.committee.key, b"label", b"content");
    let lock = lock_of(&envelope).expect("an envelope");
    assert_eq!(lock.committee, sample.committee.key);
    let partial = |at| sample.partial(at, &lock.capsule, b"label");
    for pair in [[0, 1], [2, 0], [1, 2]] {
        let opened = open(&envelope, &pair.map(partial), b"label").expect("opens");
        assert_eq!(opened.as_slice(), b"content");
    }
    assert!(open(&envelope, &[partial(1)], b"label").is_err() && open(&envelope, &[], b"label").is_err());
    assert!(open(&envelope, &[partial(1), partial(1)], b"label").is_err());
    assert!(open(&envelope, &[0, 1].map(partial), b"lable").is_err());
    // Shown another label, an officer answers nothing at all.
    assert!(sample.officers[0].1.partial(&sample.committee.key, &lock.capsule, b"lable").is_err());
    let stranger = Sample::new();
    assert!(stranger.officers[0].1.partial(&stranger.committee.key, &lock.capsule, b"label").is_err());
    for at in (0..33).chain(33 + Capsule::LEN..envelope.len()) {
        let mut changed = envelope.clone();
        changed[at] ^= 1;
        // The committee's key is for finding the officers; with another one there are none.
        let found = lock_of(&changed).is_ok_and(|lock| lock.committee == sample.committee.key);
        assert!(!found || open(&changed, &[0, 1].map(partial), b"label").is_err(), "byte {at}");
    }
    assert!((0..envelope.len()).all(|cut| open(&envelope[..cut], &[0, 1].map(partial), b"label").is_err()));
}

#[test]
fn an_answer_is_for_one_key_and_one_label() {
    let sample = Sample::new();
    let envelope = seal(&sample.committee.key, b"label", b"content");
    let partial = sample.partial(0, &lock_of(&envelope).expect("an envelope").capsule, b"label");
    let private = Secret::random();
    let sealed = hpke::seal(&one_time_key(&private), ANSWER, b"label", &partial.to_bytes()).expect("sealed");
    assert_eq!(open_answer(&private, b"label", &sealed).expect("opens").to_bytes(), partial.to_bytes());
    assert!(open_answer(&private, b"other", &sealed).is_err());
    assert!(open_answer(&Secret::random(), b"label", &sealed).is_err());
    assert!(open_answer(&private, b"label", &sealed[1..]).is_err());
}
