use bytes::Bytes;
use celosia::crypto::secret::Secret;
use celosia::crypto::{hash, nacl};
use celosia::seal::{Addressed, Draft, NoSharedKey, Ring, Trial, open, remake_box};
use celosia::types::{Address, Codec, Privacy};
use celosia::wire::EncodedPayload;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

const MEMBERS: usize = 4;

struct Member {
    address: [Address; 1],
    private: Secret<32>,
}

impl Ring for Member {
    fn addresses(&self) -> &[Address] {
        &self.address
    }

    fn with_shared<T>(&self, own: &Address, peer: &Address, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T, NoSharedKey> {
        if !self.holds(own) {
            return Err(NoSharedKey::NotOurs(*own));
        }
        let shared = nacl::shared_key(&self.private, peer).map_err(|_| NoSharedKey::LowOrder(*peer))?;
        Ok(f(shared.expose()))
    }
}

/// What a payload goes through: who sends it to whom, the codec of each hop, and what the last hop does to its bytes.
#[derive(Clone, Debug)]
struct Journey {
    plaintext: Vec<u8>,
    sender: usize,
    recipients: Vec<usize>,
    hops: Vec<Codec>,
    damage: Option<(Index, u8)>,
}

fn journey() -> impl Strategy<Value = Journey> {
    let codec = || prop_oneof![Just(Codec::Legacy), Just(Codec::Cbor)];
    let damage = proptest::option::of((any::<Index>(), 1u8..));
    (vec(any::<u8>(), 1..100), 0..MEMBERS, btree_set(0..MEMBERS, 1..MEMBERS), vec(codec(), 1..4), damage).prop_map(
        |(plaintext, sender, recipients, hops, damage)| Journey {
            plaintext,
            sender,
            recipients: recipients.into_iter().collect(),
            hops,
            damage,
        },
    )
}

fn member() -> Member {
    let private = Secret::random();
    Member { address: [nacl::public_key(&private)], private }
}

/// The plaintext, if a box is for the member and everything verifies.
fn read(member: &Member, payload: &EncodedPayload) -> Option<Vec<u8>> {
    let Ok(Trial::Mine(unsealed)) = open(member, payload) else { return None };
    let plaintext = nacl::open(unsealed.data_key.expose(), &payload.nonce, &payload.ciphertext);
    Some(plaintext.expect("a payload that is ours verifies").to_vec())
}

proptest! {
    /// Only recipients read, whatever the codecs on the way; damaged bytes never become another payload under the same id.
    #[test]
    fn payloads_between_members(journey in journey()) {
        let members: [Member; MEMBERS] = std::array::from_fn(|_| member());
        let sender = &members[journey.sender];
        let to = journey.recipients.iter().map(|at| members[*at].address[0]).collect();
        let addressed = Draft(&journey.plaintext).close().address(sender, sender.address[0], to, Privacy::default());
        let Addressed { id, payload: sealed, data_key } = addressed.expect("keys are usable");
        let mut payload = sealed.clone();
        let mut body = Bytes::new();
        for codec in &journey.hops {
            body = payload.encode(*codec);
            payload = EncodedPayload::decode(*codec, &body).expect("what was written is read");
        }
        prop_assert_eq!(&payload, &sealed);
        for (at, member) in members.iter().enumerate() {
            let reads = journey.recipients.contains(&at) || at == journey.sender;
            prop_assert_eq!(read(member, &payload), reads.then(|| journey.plaintext.clone()));
            let remade = remake_box(sender, &payload.sender, &member.address[0], &payload.recipient_nonce, &data_key).unwrap();
            let index = payload.recipients.iter().position(|recipient| *recipient == member.address[0]);
            prop_assert!(index.is_none_or(|index| remade == Some(payload.boxes[index])), "a box is made again as it was");
        }
        let Some((at, mask)) = journey.damage else { return Ok(()) };
        let mut damaged = body.to_vec();
        let at = at.index(damaged.len());
        damaged[at] ^= mask;
        let Ok(damaged) = EncodedPayload::decode(journey.hops[journey.hops.len() - 1], &damaged.into()) else { return Ok(()) };
        for member in &members {
            let same = hash::payload_id(&damaged.ciphertext) == id;
            prop_assert!(read(member, &damaged).is_none_or(|plaintext| same && plaintext == journey.plaintext));
        }
    }
}
