//! A network with a committee: members, five officers, an auditor.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use celosia::ceremony::CommitteeFile;
use celosia::governance::{Scope, Supervision};
use celosia::types::NetworkId;
use serde_json::Value;
use tempfile::TempDir;

use crate::charter::{CLASSES, Governors};
use crate::http::Target;
use crate::member::Member;
use crate::said::Said;

/// Everybody and everything.
pub struct Court {
    pub folder: TempDir,
    pub governors: Governors,
    pub network: NetworkId,
    pub members: Vec<Member>,
    /// Who speaks on the admin surfaces: a file with a bearer token, where they ask for one.
    pub token: Mutex<Option<PathBuf>>,
}

impl Court {
    /// A folder with what commands are unlocked with.
    pub fn ground(folder: TempDir, members: Vec<Member>) -> Self {
        let governors = Governors::begin(CLASSES);
        let court = Self { folder, network: governors.network(), governors, members, token: Mutex::new(None) };
        std::fs::write(court.path("argon.json"), r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#).unwrap();
        std::fs::write(court.path("password"), "correct horse\n").unwrap();
        court
    }

    /// Members that run, under a policy whose every scope is S2, with a committee of five officers of five entities, three of whom open.
    pub fn begin(ids: &[&str]) -> Self {
        Self::under(ids, |_| {})
    }

    /// The same, with whatever else the governors say before the members run.
    pub fn under(ids: &[&str], say: impl FnOnce(&mut Governors)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let members: Vec<_> = ids.iter().map(|id| Member::prepare(id, folder.path())).collect();
        let mut court = Self::ground(folder, members);
        let text = std::fs::read_to_string(court.dkg()).unwrap();
        court.governors.directory(court.members.iter().map(Member::entry).collect());
        court.governors.policy(|policy| {
            policy.committees.push(CommitteeFile::parse(&text).unwrap().committee);
            policy.scopes.push(Scope {
                members: Vec::new(),
                contracts: Vec::new(),
                classes: Vec::new(),
                supervision: Supervision::S2,
                supervisors: Vec::new(),
            });
        });
        say(&mut court.governors);
        for member in &mut court.members {
            member.give(court.governors.network(), &court.governors.notes);
            "[erasure]\nnode-cache = \"0s\"\n".clone_into(&mut member.extra);
            member.spawn(&[]);
        }
        court.members.iter_mut().for_each(Member::wait);
        court
    }

    /// An officer's folder; its card.
    pub fn init(&self, at: usize) -> String {
        let (folder, name, entity) = (self.path(&format!("o{at}")), format!("Officer {at}"), format!("Entity {at}"));
        let (password, argon) = (self.path("password"), self.path("argon.json"));
        let whose = ["officer", "init", "--folder", &folder, "--name", &name, "--entity", &entity];
        self.run(&[&whose[..], &["--password-file", &password, "--argonconfig", &argon]].concat()).well();
        format!("{folder}/officer.pub")
    }

    /// Five officers make a key together. The committee's file.
    pub fn dkg(&self) -> String {
        let (network, ceremony) = (self.network(), self.path("dkg"));
        let mut plan = vec!["officer", "dkg", "--ceremony", &ceremony, "--network", &network, "--threshold", "3"];
        let cards: Vec<_> = (1..=5).map(|at| self.init(at)).collect();
        plan.extend(cards.iter().flat_map(|card| ["--card", card.as_str()]));
        self.run(&plan).well();
        self.ceremony("dkg", &ceremony, &[1, 2, 3, 4, 5])
    }

    /// Each takes its turn until all have the committee. Its file.
    pub fn ceremony(&self, verb: &str, ceremony: &str, who: &[usize]) -> String {
        for _ in 0..4 {
            let told: Vec<_> = who.iter().map(|at| self.officer(*at, verb, &["--ceremony", ceremony, "--yes"]).well()).collect();
            if told.iter().all(|told| told.contains("complete: ")) {
                return Path::new(ceremony).join("committee.toml").to_str().unwrap().to_owned();
            }
        }
        panic!("the ceremony does not end");
    }

    pub fn network(&self) -> String {
        self.network.to_string()
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn at(&self, index: usize) -> &Member {
        &self.members[index]
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celosia"));
        command.current_dir(self.folder.path()).args(arguments);
        if let Some(token) = &*self.token.lock().unwrap() {
            command.env("CELOSIA_TOKEN_FILE", token);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Said { good: output.status.success(), text }
    }

    /// What an officer does.
    pub fn officer(&self, at: usize, verb: &str, arguments: &[&str]) -> Said {
        let (folder, password) = (self.path(&format!("o{at}")), self.path("password"));
        let fixed = ["officer", verb, "--folder", &folder, "--password-file", &password];
        self.run(&[&fixed, arguments].concat())
    }

    /// An auditor's folder; the grant's name.
    pub fn auditor(&self, name: &str, entity: &str) -> String {
        let (folder, password, argon) = (self.path(name), self.path("password"), self.path("argon.json"));
        let fixed = ["auditor", "keygen", "--folder", &folder, "--name", "Ana Auditora", "--entity", entity];
        self.run(&[&fixed[..], &["--password-file", &password, "--argonconfig", &argon]].concat()).well().trim().to_owned()
    }

    /// What an auditor does with its folder's keys.
    pub fn audits(&self, name: &str, verb: &str, arguments: &[&str]) -> Said {
        let (folder, password) = (self.path(name), self.path("password"));
        let fixed = ["auditor", verb, "--folder", &folder, "--password-file", &password];
        self.run(&[&fixed, arguments].concat())
    }

    /// A request, handed in at a member's node.
    pub fn asks(&self, name: &str, at: usize, until: &str, arguments: &[&str]) -> Said {
        let (network, admin) = (self.network(), self.admin(at));
        let fixed = [
            "--network",
            &network,
            "--mandate",
            "engagement 12/2026",
            "--purpose",
            "yearly audit",
            "--basis",
            "contract, clause 7",
            "--until",
            until,
            "--admin",
            &admin,
        ];
        self.audits(name, "request", &[&fixed[..], arguments].concat())
    }

    pub fn collects(&self, name: &str, at: usize) -> Said {
        let admin = self.admin(at);
        self.audits(name, "collect", &["--admin", &admin])
    }

    pub fn admin(&self, at: usize) -> String {
        match &self.members[at].admin {
            Target::Tcp(port) => format!("http://127.0.0.1:{port}"),
            Target::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    /// Fetches the case file of a grant; where it lies.
    pub fn case(&self, at: usize, grant: &str) -> String {
        let (file, admin) = (self.path(&format!("{grant}.case")), self.admin(at));
        self.run(&["disclosure", "case", "--admin", &admin, grant, "--out", &file]).well();
        file
    }

    /// An officer looks at a grant's case and approves it, at the node.
    pub fn approves(&self, officer: usize, at: usize, grant: &str) -> Said {
        let (case, out, admin) = (self.case(at, grant), self.path("verdict.json"), self.admin(at));
        self.officer(officer, "approve", &[&case, "--text", "seen and in order", "--out", &out, "--admin", &admin])
    }

    /// An officer gives its shares, at the node.
    pub fn releases(&self, officer: usize, at: usize, grant: &str) -> Said {
        let (case, out, admin) = (self.case(at, grant), self.path(&format!("{grant}-{officer}.shares")), self.admin(at));
        self.officer(officer, "release", &[&case, "--out", &out, "--admin", &admin])
    }

    pub fn shown(&self, at: usize, grant: &str) -> Value {
        let admin = self.admin(at);
        serde_json::from_str(&self.run(&["disclosure", "show", "--admin", &admin, grant]).well()).unwrap()
    }

    /// Everything up to the release: three officers approve and give their shares.
    pub fn grant(&self, name: &str, at: usize, arguments: &[&str]) -> String {
        let grant = self.auditor(name, "Auditores Unidos");
        self.asks(name, at, &in_minutes(60), arguments).well();
        for officer in [1, 3, 5] {
            self.approves(officer, at, &grant).well();
        }
        for officer in [1, 3, 5] {
            self.releases(officer, at, &grant).well();
        }
        grant
    }

    pub fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join("out")
    }

    pub fn report(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.out(name).join("report.json")).unwrap()).unwrap()
    }
}

pub fn in_minutes(minutes: i64) -> String {
    in_seconds(minutes * 60)
}

pub fn in_seconds(seconds: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}
