//! A grant, and whatever officers, auditor and clock do with it in whatever order. Officers' words are signed, and counted as a node
//! counts them. Beside it a model that knows no signatures: who of whom said what, and until when it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use celosia::crypto::hash::sha256;
use celosia::crypto::hpke::BoxKey;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::KeyShare;
use celosia::disclosure::{
    By, Docket, Epochs, GrantId, Life, Refused, Request, Revocation, Scope, Secrecy, SignedRevocation, SignedVerdict, State,
    Step, Tally, Verdict, case_digest, tally,
};
use celosia::governance::{Charter, Committee, Document, DocumentHash, Genesis, Governor, Head, Officer, Policy, Purpose};
use celosia::types::NetworkId;

use super::filled;

const START: u64 = 1_770_000_000_000;
const MINUTE: u64 = 60_000;
/// Views of the grant.
const VIEWS: u32 = 2;
/// Most acts of one input.
const MOST: usize = 40;

/// Five officers of five houses, three of whom open; the fifth is of the house that asks. Of a second committee the first two, and two more.
struct World {
    charter: Charter,
    request: Request,
    network: NetworkId,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

fn key(who: u8) -> SigningKey {
    SigningKey::from_seed(&filled(100 + who))
}

/// Values at `index` of a polynomial with small coefficients: numbers below the order of the group.
fn share(coefficients: &[u64], index: u16) -> KeyShare {
    let value = coefficients.iter().rev().fold(0, |value, coefficient| value * u64::from(index) + coefficient);
    let secret = Secret::init_with(|bytes| bytes[..8].copy_from_slice(&value.to_le_bytes()));
    KeyShare::new(1, secret).expect("a small scalar other than 0")
}

/// `officers`: the person behind each index, from 1.
fn committee(epoch: u64, coefficients: &[u64], officers: &[u8]) -> Committee {
    let officer = |(index, who): (u16, &u8)| Officer {
        index,
        name: format!("Officer {who}"),
        entity: format!("House {who}"),
        signing_key: key(*who).verify_key(),
        box_key: BoxKey::of(&filled(150 + who)),
        share: share(coefficients, index).verifying(),
    };
    Committee {
        purpose: Purpose::Escrow,
        epoch,
        generation: 1,
        threshold: coefficients.len() as u64,
        key: share(coefficients, 0).verifying(),
        officers: (1..).zip(officers).map(officer).collect(),
    }
}

impl World {
    fn new() -> Self {
        let governor = SigningKey::from_seed(&filled(99));
        let governors = vec![Governor::new("gov", governor.verify_key()).expect("a name")];
        let nonce = DocumentHash::new([7; 32]);
        let genesis = Genesis { name: "test".into(), nonce, threshold: 1, governors: governors.clone() };
        let network = genesis.network_id();
        let issued = "2026-01-01T00:00:00Z".parse().expect("a time");
        let rule = "{ tessera = true, regions = [\"*\"], padding = \"none\", delivery = \"prompt\", log-reads = false }";
        let classes = ["public", "business", "personal", "special"].map(|class| format!("{class} = {rule}\n")).concat();
        let policy = Policy {
            head: Head { network, version: 1, previous: None, policy: None, issued },
            threshold: 1,
            governors,
            grace: "24h".parse().expect("a span"),
            genesis,
            classes: toml::from_str(&classes).expect("classes"),
            scopes: Vec::new(),
            committees: vec![committee(1, &[5, 7, 11], &[1, 2, 3, 4, 5]), committee(2, &[3, 13], &[1, 2, 6, 7])],
        };
        let mut note = Document::Policy(policy).to_note().expect("a note");
        note.sign("gov", &governor);
        let charter = Charter::begin(&note).expect("the first policy");
        let request = Request {
            network,
            grant: GrantId([9; 16]),
            name: "Ana".into(),
            entity: "house 5".into(),
            mandate: "engagement".into(),
            purpose: "audit".into(),
            basis: "contract".into(),
            scope: Scope { by: By::Time, made: None },
            from: START + 5 * MINUTE,
            until: START + 120 * MINUTE,
            views: VIEWS,
            secrecy: None,
            renews: None,
            key: key(50).verify_key(),
            box_key: BoxKey::of(&filled(51)),
            time: START,
        };
        Self { charter, request, network }
    }
}

/// How a verdict is wrong, if it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wrong {
    Nothing,
    OtherCase,
    OtherNetwork,
    Signature,
}

/// A word of an officer: who, whether it approves, from when until when it stands.
type Word = (u8, bool, u64, u64);

struct Play {
    request: Request,
    epochs: Epochs,
    case: [u8; 32],
    now: u64,
    life: Life,
    verdicts: Vec<SignedVerdict>,
    /// The same for the model.
    words: Vec<Word>,
    seen: u32,
    granted: Option<u64>,
    is_over: bool,
}

/// Verdicts, revocations, views and time on one grant.
pub fn disclosure_acts(input: &[u8]) {
    let Some((kind, acts)) = input.split_first() else { return };
    let mut play = Play::begin(*kind);
    for act in acts.as_chunks::<2>().0.iter().take(MOST) {
        match act[0] % 8 {
            0..=3 => play.say(act[0] / 8 % 9, act[1]),
            4 => play.revoke(act[0] / 8 % 9, act[1]),
            5 | 6 => play.view(),
            _ => play.now += u64::from(act[1]) * MINUTE / 4,
        }
        play.check();
    }
}

impl Play {
    fn begin(kind: u8) -> Self {
        let (network, mut request) = (WORLD.network, WORLD.request.clone());
        if kind & 1 == 1 {
            request.secrecy = Some(Secrecy { reference: "order".into(), until: START + 1_000 * MINUTE });
        }
        let epochs: Epochs = [&[1][..], &[2], &[1, 2], &[]][usize::from(kind / 2 % 4)].iter().copied().collect();
        let docket = Docket {
            network,
            grant: request.grant,
            request: [1; 32],
            member: "banco".parse().expect("a name"),
            policy: 1,
            time: START,
            items: 0,
            root: [0; 32],
            epochs: epochs.clone(),
        };
        let life = Life::begin(request.from, request.until, request.views);
        let case = case_digest(&docket);
        Self { request, epochs, case, now: START, life, verdicts: vec![], words: vec![], seen: 0, granted: None, is_over: false }
    }

    fn committees(&self) -> Vec<&'static Committee> {
        let of_epoch = |epoch: &u64| WORLD.charter.policy().committee(Purpose::Escrow, *epoch).expect("a committee");
        self.epochs.iter().map(of_epoch).collect()
    }

    fn is_officer(&self, who: u8) -> bool {
        self.committees().iter().any(|committee| committee.signer(&key(who).verify_key()).is_some())
    }

    fn count(&self, verdicts: &[SignedVerdict]) -> Result<Tally, Refused> {
        tally(&WORLD.charter, &self.request, &self.epochs, &self.case, verdicts, self.now)
    }

    /// An officer says yes or no. The node takes it, or refuses it for a reason that the model knows, too.
    fn say(&mut self, who: u8, how: u8) {
        let approves = how & 1 == 1;
        let (from, until) = (self.now, self.now + u64::from(how >> 4) * 4 * MINUTE + 1);
        let wrong = [Wrong::Nothing, Wrong::Nothing, Wrong::Nothing, Wrong::OtherCase, Wrong::OtherNetwork, Wrong::Signature]
            [usize::from(how >> 1 & 7) % 6];
        let mut verdict = Verdict {
            network: WORLD.network,
            case: self.case,
            officer: key(who).verify_key(),
            approves,
            text: "seen".into(),
            time: from,
            until,
        };
        match wrong {
            Wrong::OtherCase => verdict.case = sha256(&[&self.case]),
            Wrong::OtherNetwork => verdict.network = NetworkId::new([1; 32]),
            _ => {}
        }
        let signer = if wrong == Wrong::Signature { key(who + 1) } else { key(who) };
        let signed = verdict.sign(|message| signer.sign(message));
        let read = SignedVerdict::decode(&signed.encode()).expect("what was written is read");
        let mut all = self.verdicts.clone();
        // As a node does: an approval that has ended may be made anew.
        all.retain(|old| old.verdict.officer != read.verdict.officer || !old.verdict.approves || self.now < old.verdict.until);
        let mut words = self.words.clone();
        words.retain(|old| old.0 != who || !old.1 || self.now < old.3);
        let takes =
            wrong == Wrong::Nothing && self.is_officer(who) && words.iter().all(|old| old.0 != who) && !(approves && who == 5);
        all.push(read);
        let counted = self.count(&all);
        assert_eq!(counted.is_ok(), takes, "{who} {wrong:?}: {:?}", counted.err());
        let Ok(counted) = counted else { return };
        words.push((who, approves, from, until));
        let (enough, until) = (counted.is_enough().is_ok(), counted.until());
        assert_eq!(enough, self.is_enough(&words), "{words:?}");
        let step = Step::Counted { enough, until, possible: counted.is_possible };
        let Ok(after) = self.life.step(step, self.now) else { return };
        assert!(self.granted.is_none() && !self.is_over, "counted after the decision");
        (self.life, self.verdicts, self.words) = (after, all, words);
        if enough {
            self.granted = Some(until.min(self.request.until));
        } else if !counted.is_possible {
            self.is_over = true;
        }
    }

    /// Of each committee as many houses as it asks, none of them the requester's.
    fn is_enough(&self, words: &[Word]) -> bool {
        let of = |committee: &Committee| {
            let houses = words.iter().filter(|word| word.1 && (word.2..word.3).contains(&self.now) && word.0 != 5);
            let houses = houses.filter(|word| committee.signer(&key(word.0).verify_key()).is_some()).map(|word| word.0);
            let more = u64::from(self.request.secrecy.is_some());
            houses.collect::<BTreeSet<_>>().len() as u64 >= committee.threshold + more
        };
        !self.epochs.is_empty() && self.committees().into_iter().all(of)
    }

    fn revoke(&mut self, who: u8, how: u8) {
        let network = if how & 1 == 1 { NetworkId::new([1; 32]) } else { WORLD.network };
        let grant = if how & 2 == 2 { GrantId([8; 16]) } else { self.request.grant };
        let revocation = Revocation { network, grant, officer: key(who).verify_key(), text: "over".into(), time: self.now };
        let signer = if how & 4 == 4 { key(who + 1) } else { key(who) };
        let signed = revocation.sign(|message| signer.sign(message));
        let signed = SignedRevocation::decode(&signed.encode()).expect("what was written is read");
        let committees = self.committees();
        let is_officer = |key: &_| committees.iter().any(|committee| committee.signer(key).is_some());
        let outcome = signed.verify(&WORLD.network, self.request.grant, is_officer);
        assert_eq!(outcome.is_ok(), how.is_multiple_of(8) && self.is_officer(who));
        if outcome.is_ok() {
            match self.life.step(Step::Revoke, self.now) {
                Ok(after) => (self.life, self.is_over) = (after, true),
                Err(_) => assert!(self.has_ended(), "what goes on can be taken back"),
            }
        }
    }

    fn view(&mut self) {
        if let Ok(after) = self.life.step(Step::View, self.now) {
            assert!(self.granted.is_some() && !self.has_ended() && self.now >= self.request.from && self.seen < VIEWS);
            self.life = after;
            self.seen += 1;
        }
    }

    fn has_ended(&self) -> bool {
        self.is_over || self.now >= self.granted.unwrap_or(self.request.until)
    }

    fn check(&self) {
        let life = self.life.at(self.now);
        assert_eq!(life.used, self.seen);
        assert_eq!(life.state.is_over(), self.has_ended(), "{life:?}");
        assert_eq!(life.state == State::Granted, self.granted.is_some() && !self.has_ended());
        // The order in which a relay hands verdicts on changes nothing.
        let mut turned = self.verdicts.clone();
        turned.reverse();
        let needs = |verdicts: &[SignedVerdict]| -> BTreeMap<u64, (usize, usize)> {
            self.count(verdicts).expect("they were counted").needs
        };
        assert_eq!(needs(&self.verdicts), needs(&turned));
    }
}
