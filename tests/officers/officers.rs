use std::path::PathBuf;

use crate::ground::{Ground, Said};

/// A network, and officers in folders of their own.
pub struct Officers {
    pub ground: Ground,
    pub network: String,
}

impl Officers {
    pub fn new(count: usize) -> Self {
        let (ground, network) = Ground::begun();
        let officers = Self { ground, network };
        (1..=count).for_each(|at| officers.init(at));
        officers
    }

    pub fn init(&self, at: usize) {
        let call =
            format!("officer init --folder o{at} --name o{at} --entity E{at} --password-file password --argonconfig argon.json");
        let card = self.ground.run(&call).well();
        assert_eq!(self.ground.read(&format!("o{at}/officer.pub")), card);
    }

    /// The plan of a key generation of all of 1 to `count`.
    pub fn plan(&self, ceremony: &str, who: &[usize], threshold: usize) -> String {
        let cards: Vec<String> = who.iter().map(|at| format!("--card o{at}/officer.pub")).collect();
        let (cards, network) = (cards.join(" "), &self.network);
        let call = format!("officer dkg --ceremony {ceremony} --network {network} --threshold {threshold} {cards}");
        self.ground.run(&call).well()
    }

    pub fn step(&self, verb: &str, ceremony: &str, at: usize) -> Said {
        self.ground.run(&format!("officer {verb} --ceremony {ceremony} --folder o{at} --password-file password --yes"))
    }

    /// All take turns until each has the committee. The folder with it.
    pub fn run(&self, verb: &str, ceremony: &str, who: &[usize]) -> String {
        for _ in 0..4 {
            let told: Vec<String> = who.iter().map(|at| self.step(verb, ceremony, *at).well()).collect();
            if told.iter().all(|told| told.contains("complete: ")) {
                return format!("{ceremony}/committee.toml");
            }
            assert!(told.iter().any(|told| told.contains(" waits for: ")), "{told:?}");
        }
        panic!("the ceremony does not end");
    }

    /// A message of an officer: `<ceremony>-<round>-<key>.json`.
    pub fn message(&self, ceremony: &str, at: usize, round: usize) -> PathBuf {
        let card = self.ground.read(&format!("o{at}/officer.pub"));
        let key = card.lines().find_map(|line| line.strip_prefix("signing-key = \"")).unwrap().trim_end_matches('"');
        let key = data_encoding::HEXLOWER.encode(&data_encoding::BASE64.decode(key.as_bytes()).unwrap());
        let ending = format!("-{round}-{}.json", &key[..12]);
        let files = std::fs::read_dir(self.ground.path(ceremony)).unwrap().map(|entry| entry.unwrap().path());
        let mut found = files.filter(|path| path.to_str().unwrap().ends_with(&ending));
        found.next().unwrap()
    }

    /// The governors take a committee into the policy.
    pub fn enact(&self, version: usize, committee: &str) {
        self.ground.run(&format!("governance propose policy --from node --committee {committee} --out {version}")).well();
        let version = version.to_string();
        let call =
            |name: &str| format!("governance sign {version} --key {name}.key --password-file password --folder node --yes");
        self.ground.run(&call("ana")).well();
        self.ground.run(&call("ben")).well();
        self.ground.run(&format!("governance publish {version} --into node")).well();
    }

    pub fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.ground.path(from), self.ground.path(to));
        let _ = std::fs::remove_dir_all(&to);
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }
}

/// The value of a field in a text of `field = "value"` lines.
pub fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name} = ");
    text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap().trim_matches('"')
}
