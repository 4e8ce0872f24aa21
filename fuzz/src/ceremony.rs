//! A ceremony of two of three, and whatever its officers say in whatever order. The input chooses who speaks, in which round, and whether
//! it is what an honest officer would say, something else under the officer's own signature, or somebody else's words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use celosia::ceremony::{Board, Card, CeremonyError, CommitteeFile, Message, Numbers, Plan, Round, Verdict};
use celosia::crypto::hpke::BoxKey;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::KeyShare;
use celosia::crypto::threshold::dkg::{self, Fault, Outcome, Public, Shape};
use celosia::crypto::threshold::reshare::Resharing;
use celosia::governance::Purpose;
use celosia::types::NetworkId;

use super::filled;

const SHAPE: Shape = Shape { officers: 3, threshold: 2 };
/// Most acts of one input.
const MOST: usize = 24;

struct World {
    plan: Plan,
    keys: Vec<SigningKey>,
    /// What honest officers say, by round and officer.
    honest: Vec<Vec<Vec<u8>>>,
    file: CommitteeFile,
    /// What the first officer has in the end.
    outcome: Outcome,
    broadcasts: BTreeMap<u16, Vec<u8>>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

fn seed(officer: u16) -> Secret<32> {
    filled(u8::try_from(officer).expect("1 to 3"))
}

impl World {
    fn new() -> Self {
        let keys: Vec<_> = (11..14).map(|byte| SigningKey::from_seed(&filled(byte))).collect();
        let cards = (1..).zip(&keys).map(|(n, key): (u8, _)| {
            Card::make(&format!("o{n}"), &format!("E{n}"), key, BoxKey::of(&filled(20 + n))).expect("a card")
        });
        let plan = Plan::generate(NetworkId::new([7; 32]), Purpose::Escrow, 1, 2, cards.collect()).expect("a plan");
        // The same in every run: only so is what was found found again.
        let nonce = format!("nonce = \"{}\"", "5a".repeat(32));
        let lines = plan.to_toml();
        let lines = lines.lines().map(|line| if line.starts_with("nonce = ") { nonce.as_str() } else { line });
        let plan = Plan::parse(&lines.collect::<Vec<_>>().join("\n")).expect("a plan");
        let broadcasts: BTreeMap<_, _> =
            (1..=3).map(|me| (me, dkg::commit(SHAPE, me, &seed(me)).expect("commitments"))).collect();
        let mut board = Board::new(&plan);
        for (key, body) in keys.iter().zip(broadcasts.values()) {
            board.add(Message::sign(&plan, 1, key, body.clone())).expect("a first message");
        }
        // Nobody opens them on the board.
        let sealed = |me: usize| (0..3).map(|to| if to == me { Vec::new() } else { vec![9; 80] }).collect();
        let second: Vec<_> = (0..3).map(|me| Numbers { seen: board.seen(), sealed: sealed(me) }.encode()).collect();
        let file = board.unsigned().expect("a committee");
        let third = keys.iter().map(|key| Verdict::Signed { transcript: file.transcript, signature: file.sign(key) }.encode());
        let honest = vec![broadcasts.values().cloned().collect(), second, third.collect()];
        let dealt = |to: u16| {
            let number = |from: u16| dkg::deal(SHAPE, from, &seed(from), &broadcasts).expect("numbers")[&to].duplicate();
            (1..=3).filter(|from| *from != to).map(|from| (from, number(from))).collect()
        };
        let outcome = dkg::finish(SHAPE, 1, &seed(1), &broadcasts, &dealt(1)).expect("a share");
        Self { plan, keys, honest, file, outcome, broadcasts }
    }
}

/// What is said, and whether it counts as said by that officer.
fn words(world: &World, round: u8, who: usize, how: u8, bytes: &[u8]) -> (Message, bool) {
    let honest = &world.honest[usize::from(round) - 1][who];
    let key = &world.keys[who];
    let mut message = match how {
        0..=2 => Message::sign(&world.plan, round, key, honest.clone()),
        // An officer that lies, under its own name: with words of the input, or with honest ones of another.
        3 => Message::sign(&world.plan, round, key, bytes.to_vec()),
        4 => Message::sign(&world.plan, round, key, world.honest[usize::from(round) - 1][(who + 1) % 3].clone()),
        5 => {
            let mut body = honest.clone();
            body.iter_mut().zip(bytes).for_each(|(byte, turn)| *byte ^= turn);
            Message::sign(&world.plan, round, key, body)
        }
        6 => Message::sign(&world.plan, round, key, Verdict::Accuse { dealer: world.keys[(who + 1) % 3].verify_key() }.encode()),
        // Words in another's mouth.
        _ => Message::sign(&world.plan, round, &world.keys[(who + 1) % 3], honest.clone()),
    };
    if how > 6 {
        message.from = key.verify_key();
    }
    (message, how <= 6)
}

/// Messages of officers on the board of a ceremony.
pub fn ceremony_acts(input: &[u8]) {
    let world = &*WORLD;
    let mut board = Board::new(&world.plan);
    let mut said: BTreeMap<(u8, usize), Vec<u8>> = BTreeMap::new();
    let mut rest = input;
    for _ in 0..MOST {
        let Some(([act, len], after)) = rest.split_first_chunk() else { break };
        let (bytes, after) = after.split_at(usize::from(*len).min(after.len()));
        let (round, who, how) = (act % 3 + 1, usize::from(act / 3 % 3), act / 9 % 8);
        // Only words of the input have bytes of it.
        rest = if matches!(how, 3 | 5) { after } else { &rest[2..] };
        let (message, is_own) = words(world, round, who, how, bytes);
        let body = message.body.clone();
        match (board.add(message), said.get(&(round, who))) {
            (Ok(()), None) if is_own => drop(said.insert((round, who), body)),
            (Ok(()), Some(known)) => assert!(is_own && *known == body, "a second word was taken"),
            (Err(CeremonyError::Equivocation(_)), Some(known)) => assert!(is_own && *known != body, "no second word"),
            (Err(CeremonyError::Signature(_)), _) => assert!(!is_own, "an officer's own word was refused"),
            (outcome, known) => panic!("{outcome:?} after {known:?}"),
        }
        look(world, &board, &said);
    }
}

/// Whatever is on the board, nobody is told to do anything out of turn, and a committee comes of it only where all agree.
fn look(world: &World, board: &Board<'_>, said: &BTreeMap<(u8, usize), Vec<u8>>) {
    let all = |round: u8| (0..3).all(|who| said.contains_key(&(round, who)));
    let accused =
        (0..3).any(|who| said.get(&(3, who)).is_some_and(|body| !matches!(Verdict::decode(body), Ok(Verdict::Signed { .. }))));
    for (who, key) in world.keys.iter().enumerate() {
        match board.next(&key.verify_key()) {
            Ok(Round::Commit) => assert!(!said.contains_key(&(1, who))),
            Ok(Round::Deal) => assert!(all(1) && !said.contains_key(&(2, who))),
            Ok(Round::Sign) => assert!(all(1) && all(2) && !said.contains_key(&(3, who))),
            Ok(Round::Wait(round, names)) => assert!(!all(round) && !names.is_empty()),
            Ok(Round::Done) => assert!(all(1) && all(2) && all(3)),
            Err(_) => assert!(accused, "refused, and nobody accuses"),
        }
    }
    let whole = said.len() == 9 && said.iter().all(|((round, who), body)| world.honest[usize::from(*round) - 1][*who] == *body);
    assert!(!whole || board.check_echoes().is_ok());
    match board.complete() {
        Ok(file) => {
            // Every officer signed this committee: it is that of the first round, and there is no other.
            file.check(None).expect("what is complete is signed by all");
            assert!(all(1) && all(3));
            if (0..3).all(|who| said[&(1, who)] == world.honest[0][who]) {
                assert_eq!(file.committee, world.file.committee);
            }
        }
        Err(error) => assert!(!whole, "{error}"),
    }
}

/// What honest dealers say in a key generation (to the first officer) and in a resharing by the first two (to the fourth).
struct Dealt {
    numbers: BTreeMap<u16, Secret<32>>,
    resharing: Resharing,
    reshared: BTreeMap<u16, Vec<u8>>,
    renumbers: BTreeMap<u16, Secret<32>>,
}

static DEALT: LazyLock<Dealt> = LazyLock::new(|| {
    let (said, key) = (&WORLD.broadcasts, WORLD.outcome.public.clone());
    let number = |from: u16, to: u16| dkg::deal(SHAPE, from, &seed(from), said).expect("numbers")[&to].duplicate();
    let numbers = |to: u16| (1..=3).filter(move |from| *from != to).map(move |from| (from, number(from, to)));
    let share = |me: u16| dkg::finish(SHAPE, me, &seed(me), said, &numbers(me).collect()).expect("a share").share;
    let resharing = Resharing::new(key, 2, &BTreeSet::from([1, 2]), BTreeSet::from([4, 5]), 2).expect("a shape");
    let commit = |me| (me, resharing.commit(me, &share(me), &seed(me)).expect("commitments"));
    let deal = |me| (me, resharing.deal(me, &share(me), &seed(me)).expect("numbers")[&4].duplicate());
    Dealt { numbers: numbers(1).collect(), reshared: [1, 2].map(commit).into(), renumbers: [1, 2].map(deal).into(), resharing }
});

/// One dealer that commits to, and deals, what the input says, in a key generation and in a resharing. Whoever gets a share gets one that
/// fits what all see; otherwise that dealer is named, and nobody else.
pub fn ceremony_dealing(input: &[u8]) {
    let Some(([how, number @ ..], turns)) = input.split_first_chunk::<33>() else { return };
    let turned = |honest: &BTreeMap<u16, Vec<u8>>| {
        let (mut said, mut bytes) = (honest.clone(), honest[&2].clone());
        bytes.iter_mut().zip(turns).for_each(|(byte, turn)| *byte ^= turn);
        said.insert(2, if how & 1 == 0 { turns.to_vec() } else { bytes });
        said
    };
    let dealt = |honest: &BTreeMap<u16, Secret<32>>| -> BTreeMap<u16, Secret<32>> {
        let own =
            |from: u16| if from == 2 && how & 2 == 2 { Secret::from_slice(number) } else { Some(honest[&from].duplicate()) };
        honest.keys().map(|from| (*from, own(*from).expect("32 bytes"))).collect()
    };
    let broadcasts = turned(&WORLD.broadcasts);
    drop(dkg::public(SHAPE, &broadcasts));
    judge(1, dkg::finish(SHAPE, 1, &seed(1), &broadcasts, &dealt(&DEALT.numbers)));
    let outcome = DEALT.resharing.finish(4, &turned(&DEALT.reshared), &dealt(&DEALT.renumbers));
    assert!(outcome.as_ref().map_or(true, |outcome| outcome.public.key == WORLD.outcome.public.key));
    judge(4, outcome);
}

fn judge(me: u16, outcome: Result<Outcome, Fault>) {
    match outcome {
        Ok(Outcome { share, public: Public { verifying, .. } }) => {
            let share = KeyShare::new(me, share).expect("a share");
            assert_eq!(verifying.get(&me), Some(share.verifying().as_bytes()));
        }
        Err(Fault::Commitments(from) | Fault::Proof(from) | Fault::Share(from)) => {
            assert_eq!(from, 2, "an honest dealer is named");
        }
        Err(Fault::Shape) => {}
    }
}
