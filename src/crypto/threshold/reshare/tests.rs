use proptest::prelude::*;

use super::super::dkg::tests::generated;
use super::*;

type Shares = BTreeMap<u16, Secret<32>>;
/// What dealers say to all, and what each receiver is dealt, by dealer.
type Dealt = (BTreeMap<u16, Vec<u8>>, BTreeMap<u16, Shares>);

/// Every dealer's commitments, and what each receiver is dealt.
fn dealt(resharing: &Resharing, shares: &Shares) -> Dealt {
    let (mut broadcasts, mut to) = (BTreeMap::new(), BTreeMap::<u16, Shares>::new());
    for dealer in resharing.dealers.keys() {
        let seed = Secret::random();
        broadcasts.insert(*dealer, resharing.commit(*dealer, &shares[dealer], &seed).unwrap());
        for (receiver, number) in resharing.deal(*dealer, &shares[dealer], &seed).unwrap() {
            to.entry(receiver).or_default().insert(*dealer, number);
        }
    }
    (broadcasts, to)
}

fn reshared(resharing: &Resharing, shares: &Shares) -> (Shares, Public) {
    let (broadcasts, to) = dealt(resharing, shares);
    let public = resharing.public(&broadcasts).unwrap();
    let finish = |me: &u16| {
        let outcome = resharing.finish(*me, &broadcasts, &to[me]).unwrap();
        assert_eq!(outcome.public, public);
        (*me, outcome.share)
    };
    (resharing.receivers.iter().map(finish).collect(), public)
}

/// The key that shares interpolate to.
fn interpolated(shares: &[(u16, &Secret<32>)]) -> [u8; 32] {
    let set: BTreeSet<u16> = shares.iter().map(|(index, _)| *index).collect();
    assert_eq!(set.len(), shares.len());
    let sum: Scalar = shares.iter().map(|(index, share)| scalar(share).unwrap() * weight(&set, *index)).sum();
    RistrettoPoint::mul_base(&sum).compress().to_bytes()
}

fn some<'a>(shares: &'a Shares, indexes: &[u16]) -> Vec<(u16, &'a Secret<32>)> {
    indexes.iter().map(|index| (*index, &shares[index])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any dealers, any receivers, any threshold not below the old one: any k' new shares are the old key, and no mix is.
    #[test]
    fn the_key_stays_and_generations_do_not_mix(
        dealers in prop::sample::subsequence(vec![1_u16, 2, 3, 4, 5], 3..=5),
        receivers in prop::sample::subsequence((1_u16..=8).collect::<Vec<_>>(), 4..=7),
        threshold in 3_u16..=4,
        order in Just((0_usize..8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let (old_shares, old) = generated();
        let dealers: BTreeSet<u16> = dealers.into_iter().collect();
        let receivers: BTreeSet<u16> = receivers.into_iter().collect();
        let resharing = Resharing::new(old.clone(), 3, &dealers, receivers.clone(), threshold).unwrap();
        let (new_shares, new) = reshared(&resharing, &old_shares);
        prop_assert_eq!(new.key, old.key);
        let all: Vec<u16> = receivers.iter().copied().collect();
        let shuffled: Vec<u16> = order.iter().filter_map(|at| all.get(*at).copied()).collect();
        let k = usize::from(threshold);
        prop_assert_eq!(interpolated(&some(&new_shares, &shuffled[..k])), old.key);
        prop_assert_ne!(interpolated(&some(&new_shares, &shuffled[..k - 1])), old.key);
        for (index, share) in &new_shares {
            prop_assert_eq!(RistrettoPoint::mul_base(&scalar(share).unwrap()).compress().to_bytes(), new.verifying[index]);
        }
        // k-1 old ones and k'-1 new ones of other numbers.
        let old_part = some(&old_shares, &[1, 2]);
        let new_part = shuffled.iter().filter(|index| **index > 2).take(k - 1).copied().collect::<Vec<_>>();
        let mixed: Vec<_> = old_part.into_iter().chain(some(&new_shares, &new_part)).collect();
        for few in 2..=mixed.len() {
            prop_assert_ne!(interpolated(&mixed[..few]), old.key);
        }
    }
}

#[test]
fn a_refresh_again_and_again_keeps_the_key() {
    let (mut shares, mut public) = generated();
    let key = public.key;
    for round in 0..4_u16 {
        let dealers: BTreeSet<u16> = (1..=5).filter(|index| *index != round + 1).collect();
        let resharing = Resharing::new(public, 3, &dealers, (1..=5).collect(), 3).unwrap();
        let fresh;
        (fresh, public) = reshared(&resharing, &shares);
        assert!(fresh.iter().all(|(index, share)| *share != shares[index]));
        shares = fresh;
    }
    assert_eq!(public.key, key);
    assert_eq!(interpolated(&some(&shares, &[2, 4, 5])), key);
}

#[test]
fn who_cheats_is_named() {
    let (shares, old) = generated();
    let resharing = Resharing::new(old, 3, &BTreeSet::from([1, 2, 4]), (1..=4).collect(), 3).unwrap();
    let (honest, mut to) = dealt(&resharing, &shares);
    // Deals another share than its own: an old one from a backup, or another's.
    assert_eq!(resharing.commit(2, &shares[&1], &Secret::random()), Err(Fault::Proof(2)));
    let mut broadcasts = honest.clone();
    broadcasts.insert(2, honest[&1].clone());
    assert_eq!(resharing.public(&broadcasts), Err(Fault::Proof(2)));
    // Missing or malformed commitments.
    for wrong in [vec![], honest[&2][..64].to_vec(), [honest[&2].as_slice(), &[0; 32]].concat(), vec![0xff; 96]] {
        broadcasts.insert(2, wrong);
        assert_eq!(resharing.public(&broadcasts), Err(Fault::Commitments(2)));
    }
    broadcasts.remove(&2);
    assert_eq!(resharing.public(&broadcasts), Err(Fault::Commitments(2)));
    // A number that does not fit, or none.
    let mut numbers = to.remove(&3).unwrap();
    numbers.insert(4, Secret::from_slice(&[7, 0].iter().chain(&[0; 30]).copied().collect::<Vec<_>>()).unwrap());
    assert_eq!(resharing.finish(3, &honest, &numbers).err(), Some(Fault::Share(4)));
    numbers.insert(4, Secret::from_slice(&[0xff; 32]).unwrap());
    assert_eq!(resharing.finish(3, &honest, &numbers).err(), Some(Fault::Share(4)));
    numbers.remove(&4);
    assert_eq!(resharing.finish(3, &honest, &numbers).err(), Some(Fault::Share(4)));
}

#[test]
fn fewer_dealers_or_a_lower_threshold_are_refused() {
    let (_, old) = generated();
    let new = |dealers: &[u16], receivers: u16, threshold| {
        let dealers = dealers.iter().copied().collect();
        Resharing::new(old.clone(), 3, &dealers, (1..=receivers).collect(), threshold).map(drop)
    };
    assert_eq!(new(&[1, 2, 3], 5, 3), Ok(()));
    assert_eq!(new(&[1, 2, 3, 4, 5], 7, 5), Ok(()));
    for (dealers, receivers, threshold) in [
        (&[1, 2][..], 5, 3),
        (&[1, 2, 3], 5, 2),
        (&[1, 2, 6], 5, 3),
        (&[1, 2, 3], 2, 3),
        (&[0, 1, 2, 3], 5, 3),
        (&[1, 2, 3], 33, 3),
    ] {
        assert_eq!(new(dealers, receivers, threshold), Err(Fault::Shape), "{dealers:?} {receivers} {threshold}");
    }
    // A committee whose shares are not of its key.
    let mut forged = old.clone();
    forged.key = forged.verifying[&1];
    assert!(Resharing::new(forged, 3, &BTreeSet::from([1, 2, 3]), (1..=5).collect(), 3).is_err());
}
