use std::collections::{BTreeMap, BTreeSet};

use tempfile::TempDir;

use super::*;
use crate::ceremony::{CeremonyError, Message, Numbers, Plan, Previous, Verdict};
use crate::crypto::threshold::{Capsule, GroupKey, Prepared, combine};
use crate::enclave::keyfile::ArgonVariant;

const NETWORK: NetworkId = NetworkId::new([7; 32]);
const LABEL: &[u8] = b"label";

fn password() -> Zeroizing<String> {
    Zeroizing::new("officer".to_owned())
}

struct Officers {
    dir: TempDir,
}

impl Officers {
    /// Officers `a` to `a + count`, each of an entity of its own.
    fn new(count: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = ArgonOptions { variant: ArgonVariant::Id, memory: 64, iterations: 1, parallelism: 1 };
        for at in 1..=count {
            let path = dir.path().join(at.to_string());
            Folder::init(&path, &format!("officer {at}"), &format!("entity {at}"), &password(), &options, None).unwrap();
        }
        Self { dir }
    }

    fn path(&self, at: u16) -> PathBuf {
        self.dir.path().join(at.to_string())
    }

    fn open(&self, at: u16) -> Folder {
        Folder::open(&self.path(at), &password()).unwrap()
    }

    fn card(&self, at: u16) -> Card {
        Folder::card_of(&self.path(at)).unwrap()
    }

    fn shared(&self, name: &str, plan: &Plan) -> PathBuf {
        let shared = self.dir.path().join(name);
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(shared.join(PLAN), plan.to_toml()).unwrap();
        shared
    }

    fn step(&self, at: u16, shared: &Path) -> Result<Progress, OfficerError> {
        self.open(at).proceed(shared, &mut |_| true, &mut |_, _| {})
    }

    fn generate(&self, of: u16, threshold: u16) -> Plan {
        let cards = (1..=of).map(|at| self.card(at)).collect();
        Plan::generate(NETWORK, Purpose::Escrow, 1, threshold, cards).unwrap()
    }

    /// All take turns until nobody has anything to say.
    fn run(&self, who: &[u16], shared: &Path) -> CommitteeFile {
        for _ in 0..4 {
            let mut done = Vec::new();
            for at in who {
                match self.step(*at, shared).unwrap() {
                    Progress::Done(file) => done.push(*file),
                    Progress::Waits { .. } => {}
                }
            }
            if done.len() == who.len() {
                assert!(done.windows(2).all(|pair| pair[0] == pair[1]));
                return done.remove(0);
            }
        }
        panic!("the ceremony does not end");
    }
}

fn reshare(
    officers: &Officers,
    file: &CommitteeFile,
    dealers: &[u16],
    seats: &[(u16, u16)],
    threshold: u16,
) -> Result<Plan, CeremonyError> {
    let previous = Previous { file: file.clone(), dealers: dealers.iter().copied().collect::<BTreeSet<_>>() };
    let cards: BTreeMap<u16, Card> = seats.iter().map(|(index, at)| (*index, officers.card(*at))).collect();
    Plan::reshare(previous, threshold, cards)
}

/// Whether the folders of `who` open a capsule together.
fn opens(officers: &Officers, committee: &Committee, capsule: &Capsule, sigma: &Secret<32>, who: &[u16]) -> Option<Secret<32>> {
    let partial = |at: &u16| {
        let share = officers.open(*at).share(&NETWORK, committee).unwrap();
        let partial = share.partial(&committee.key, capsule, LABEL).unwrap();
        assert!(partial.verify(&committee.officer(share.index()).unwrap().share, capsule, LABEL));
        partial
    };
    let partials: Vec<_> = who.iter().map(partial).collect();
    combine(who.len(), &partials).ok().and_then(|combined| capsule.open(&combined, sigma, LABEL).ok())
}

fn capsule(key: &GroupKey) -> (Capsule, Secret<32>, Secret<32>) {
    let (data_key, sigma) = (Secret::random(), Secret::random());
    (Capsule::make(&Prepared::new(key), &data_key, &sigma, LABEL), data_key, sigma)
}

fn code(result: Result<Progress, OfficerError>) -> String {
    use crate::types::Coded as _;
    result.map_or_else(|error| error.code().to_string(), |progress| format!("{progress:?}"))
}

#[test]
fn a_key_is_made_handed_over_and_refreshed_and_old_shares_are_destroyed() {
    let officers = Officers::new(7);
    let plan = officers.generate(5, 3);
    let first = officers.run(&[1, 2, 3, 4, 5], &officers.shared("dkg", &plan));
    assert_eq!(first.check(None), Ok(()));
    assert_eq!(CommitteeFile::parse(&first.to_toml()).as_ref(), Ok(&first));
    let (capsule, data_key, sigma) = capsule(&first.committee.key);
    assert_eq!(opens(&officers, &first.committee, &capsule, &sigma, &[5, 1, 3]), Some(data_key.duplicate()));
    assert_eq!(opens(&officers, &first.committee, &capsule, &sigma, &[5, 1]), None);

    // 4 and 5 hand over to 6 and 7; 5 is lost and says nothing.
    let plan = reshare(&officers, &first, &[1, 2, 3], &[(1, 1), (2, 2), (3, 3), (4, 6), (5, 7)], 3).unwrap();
    let second = officers.run(&[1, 2, 3, 6, 7], &officers.shared("handover", &plan));
    assert_eq!((second.committee.key, second.committee.generation), (first.committee.key, 2));
    assert_eq!(second.check(Some(&first.committee)), Ok(()));
    assert_eq!(opens(&officers, &second.committee, &capsule, &sigma, &[7, 6, 2]), Some(data_key.duplicate()));
    for at in 1..=4 {
        let (count, _) = officers.open(at).destroy_before(&second).unwrap();
        assert_eq!(count, 1, "{at}");
    }
    // Who left has nothing that opens, and who stays nothing of before.
    assert!(matches!(officers.open(4).share(&NETWORK, &first.committee), Err(OfficerError::NoShare(_))));
    assert!(matches!(officers.open(1).share(&NETWORK, &first.committee), Err(OfficerError::NoShare(_))));
    assert_eq!(opens(&officers, &second.committee, &capsule, &sigma, &[1, 2, 3]), Some(data_key.duplicate()));

    let seats = [(1, 1), (2, 2), (3, 3), (4, 6), (5, 7)];
    let plan = reshare(&officers, &second, &[1, 4, 5], &seats, 3).unwrap();
    // An attempt that failed leaves a seed, until old shares are destroyed.
    let failed = reshare(&officers, &second, &[1, 4, 5], &seats, 3).unwrap();
    officers.step(1, &officers.shared("failed", &failed)).unwrap();
    let third = officers.run(&[1, 2, 3, 6, 7], &officers.shared("refresh", &plan));
    let seeds = || files::list(&officers.path(1).join("ceremonies"), "seed").unwrap().len();
    assert_eq!(seeds(), 1);
    assert_eq!(officers.open(1).destroy_before(&third).unwrap().0, 1);
    assert_eq!(seeds(), 0);
    assert_eq!(opens(&officers, &third.committee, &capsule, &sigma, &[3, 6, 7]), Some(data_key));
    assert!(reshare(&officers, &third, &[1, 4], &seats, 3).is_err(), "fewer than k deal");
    assert!(reshare(&officers, &third, &[1, 4, 5], &seats, 2).is_err(), "k falls");
    // A plan from an earlier committee.
    let plan = reshare(&officers, &second, &[1, 4, 5], &seats, 3).unwrap();
    assert_eq!(code(officers.step(1, &officers.shared("again", &plan))), "CEL7035");
}

#[test]
fn a_folder_that_was_put_back_says_so() {
    let officers = Officers::new(5);
    let plan = officers.generate(5, 3);
    let shared = officers.shared("dkg", &plan);
    let seats: Vec<_> = (1..=5).map(|at| (at, at)).collect();
    let copy = |from: &Path, to: &Path| {
        assert!(std::process::Command::new("cp").args(["-a".as_ref(), from, to]).status().unwrap().success());
    };
    copy(&officers.path(1), &officers.dir.path().join("1.empty"));
    officers.step(1, &shared).unwrap();
    // In the middle of a ceremony.
    std::fs::rename(officers.path(1), officers.dir.path().join("1.good")).unwrap();
    std::fs::rename(officers.dir.path().join("1.empty"), officers.path(1)).unwrap();
    assert_eq!(code(officers.step(1, &shared)), "CEL7031");
    std::fs::remove_dir_all(officers.path(1)).unwrap();
    std::fs::rename(officers.dir.path().join("1.good"), officers.path(1)).unwrap();
    let first = officers.run(&[1, 2, 3, 4, 5], &shared);
    // Behind a refresh.
    copy(&officers.path(1), &officers.dir.path().join("1.old"));
    let plan = reshare(&officers, &first, &[1, 2, 3], &seats, 3).unwrap();
    let second = officers.run(&[1, 2, 3, 4, 5], &officers.shared("refresh", &plan));
    std::fs::remove_dir_all(officers.path(1)).unwrap();
    std::fs::rename(officers.dir.path().join("1.old"), officers.path(1)).unwrap();
    let old = officers.open(1).share(&NETWORK, &second.committee);
    assert!(matches!(old, Err(OfficerError::OldShare { generation: 1, current: 2, .. })));
    // And with the old share itself nobody gets far: its proof is not of the share that the committee names.
    let (capsule, ..) = capsule(&first.committee.key);
    let old = officers.open(1).share(&NETWORK, &first.committee).unwrap();
    let partial = old.partial(&first.committee.key, &capsule, LABEL).unwrap();
    assert!(!partial.verify(&second.committee.officer(1).unwrap().share, &capsule, LABEL));
}

/// The message of an officer in a round, as it lies in the shared folder.
fn said(officers: &Officers, shared: &Path, at: u16, round: u8) -> (PathBuf, Message) {
    let key = officers.card(at).signing_key;
    let all = files::list(shared, "json").unwrap().into_iter();
    let mut all = all.map(|path| (path.clone(), Message::parse(&files::read_bytes(&path).unwrap()).unwrap()));
    all.find(|(_, message)| message.from == key && message.round == round).unwrap()
}

/// Puts another body under a message, signed by its author.
fn forge(officers: &Officers, plan: &Plan, shared: &Path, at: u16, round: u8, body: Vec<u8>) {
    let (path, _) = said(officers, shared, at, round);
    let forged = Message::sign(plan, round, &officers.open(at).signing, body);
    std::fs::write(&path, forged.to_json()).unwrap();
}

#[test]
fn who_cheats_is_named_and_the_rest_begin_again_without() {
    let officers = Officers::new(5);
    let plan = officers.generate(5, 3);
    let start = |name: &str, rounds: usize| {
        let shared = officers.shared(name, &plan);
        for at in (0..rounds).flat_map(|_| 1..=5) {
            officers.step(at, &shared).unwrap();
        }
        shared
    };
    let again = |at| {
        let _ = std::fs::remove_dir_all(officers.path(at).join("ceremonies"));
    };
    let fresh = || (1..=5).for_each(again);

    // 2 repeats the commitments of 3: no proof. Who reads them names 2.
    let shared = start("proof", 0);
    for at in [2, 3] {
        officers.step(at, &shared).unwrap();
    }
    let (_, three) = said(&officers, &shared, 3, 1);
    forge(&officers, &plan, &shared, 2, 1, three.body);
    for at in [1, 4, 5] {
        let last = code(officers.step(at, &shared));
        assert_eq!(last == "CEL7023", at == 5, "{last}");
    }
    fresh();

    // 2 says one thing to 1 and another to the others.
    let shared = start("two", 0);
    (1..=5).for_each(|at| drop(officers.step(at, &shared).unwrap()));
    let (_, first) = said(&officers, &shared, 2, 1);
    officers.step(1, &shared).unwrap();
    again(2);
    std::fs::remove_file(said(&officers, &shared, 2, 1).0).unwrap();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join(PLAN), plan.to_toml()).unwrap();
    officers.step(2, other.path()).unwrap();
    let (_, second) = said(&officers, other.path(), 2, 1);
    std::fs::write(shared.join(second.file_name()), second.to_json()).unwrap();
    (2..=5).for_each(|at| drop(officers.step(at, &shared)));
    assert_eq!(code(officers.step(3, &shared)), "CEL7020", "by 1's echo");
    std::fs::write(shared.join("both.json"), first.to_json()).unwrap();
    assert_eq!(code(officers.step(4, &shared)), "CEL7020", "by both messages");
    fresh();

    // 2 deals garbage to 1: 1 says so, and everybody hears it.
    let shared = start("share", 1);
    (1..=5).for_each(|at| drop(officers.step(at, &shared)));
    let body = said(&officers, &shared, 2, 2).1.body;
    let mut numbers = Numbers::decode(&body).unwrap();
    numbers.sealed[0] = numbers.sealed[2].clone();
    forge(&officers, &plan, &shared, 2, 2, numbers.encode());
    assert_eq!(code(officers.step(1, &shared)), "CEL7024");
    assert_eq!(code(officers.step(3, &shared)), "CEL7025");
    let accusation = said(&officers, &shared, 1, 3).1.body;
    assert_eq!(Verdict::decode(&accusation), Ok(Verdict::Accuse { dealer: officers.card(2).signing_key }));
    fresh();

    // Begun again without 2.
    let cards = [1, 3, 4, 5].map(|at| officers.card(at)).to_vec();
    let plan = Plan::generate(NETWORK, Purpose::Escrow, 1, 3, cards).unwrap();
    let file = officers.run(&[1, 3, 4, 5], &officers.shared("without", &plan));
    assert_eq!(file.check(None), Ok(()));
}

#[test]
fn what_others_carry_is_altered_replayed_and_refused() {
    let officers = Officers::new(3);
    let plan = officers.generate(3, 2);
    let (shared, other) = (officers.shared("one", &plan), officers.shared("two", &officers.generate(3, 2)));
    for at in 1..=3 {
        officers.step(at, &shared).unwrap();
        officers.step(at, &other).unwrap();
    }
    let (path, good) = said(&officers, &shared, 2, 1);
    let mut altered = good.clone();
    altered.body[5] ^= 1;
    std::fs::write(&path, altered.to_json()).unwrap();
    let (_, replayed) = said(&officers, &other, 2, 1);
    std::fs::write(shared.join("replayed.json"), replayed.to_json()).unwrap();
    std::fs::write(shared.join("garbage.json"), "{").unwrap();
    let mut codes = BTreeSet::new();
    let progress = officers.open(1).proceed(&shared, &mut |_| true, &mut |_, error| {
        use crate::types::Coded as _;
        codes.insert(error.code().to_string());
    });
    // Refused files change nothing: 1 waits for 2's true word.
    assert!(matches!(progress, Ok(Progress::Waits { round: 1, names }) if names == ["officer 2"]));
    let wanted = ["CEL7016", "CEL7017", "CEL7019"].map(str::to_owned);
    assert_eq!(codes, BTreeSet::from(wanted));
    std::fs::write(&path, good.to_json()).unwrap();
    std::fs::remove_file(shared.join("replayed.json")).unwrap();
    officers.run(&[1, 2, 3], &shared);
}

#[test]
fn nothing_opens_without_password_and_root_and_nothing_is_overwritten() {
    let officers = Officers::new(1);
    let wrong = Zeroizing::new("wrong".to_owned());
    assert!(matches!(Folder::open(&officers.path(1), &wrong), Err(OfficerError::KeyFile(KeyFileError::WrongPassword))));
    let options = ArgonOptions { variant: ArgonVariant::Id, memory: 64, iterations: 1, parallelism: 1 };
    let again = Folder::init(&officers.path(1), "x", "y", &password(), &options, None);
    assert!(matches!(again, Err(OfficerError::KeyFile(KeyFileError::Exists(_)))));
    let empty = Folder::init(&officers.path(2), "x", "y", &Zeroizing::new(String::new()), &options, None);
    assert!(matches!(empty, Err(OfficerError::NoPassword)));
    assert!(Folder::init(&officers.path(3), "a\u{202e}b", "y", &password(), &options, None).is_err());
    let held = officers.open(1);
    assert!(matches!(Folder::open(&officers.path(1), &password()), Err(OfficerError::Busy(_))));
    drop(held);
    // Another root: the folder's files do not open under it.
    std::fs::write(officers.path(1).join("root-1.key"), [1; 32]).unwrap();
    assert!(matches!(Folder::open(&officers.path(1), &password()), Err(OfficerError::Damaged(_))));
    std::fs::remove_file(officers.path(1).join("root-1.key")).unwrap();
    assert!(Folder::open(&officers.path(1), &password()).is_err());
}
