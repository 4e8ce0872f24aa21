//! Three governors, four members, a supervisor and a sixth member, founded and run with the program alone.

use celosia::translog::note::Note;

use crate::court::Court;
use crate::http::Request;
use crate::member::Member;
use crate::peer::{self, Maker};

pub const SUPERVISOR: usize = 4;

/// The network, its governors' folder, and the sixth member: a Tessera where one is given.
pub struct Life {
    pub court: Court,
    pub tessera: Option<peer::Member>,
}

impl Life {
    /// Three governors, four members, a supervisor, and the sixth. All run, under no supervision yet.
    pub fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tessera = peer::tessera().map(|_| peer::Member::prepare(Maker::Tessera, &folder.path().join("tessera")));
        let mut ids = vec!["a", "b", "c", "d", "cnmv"];
        if tessera.is_none() {
            eprintln!("the sixth member is a Celosia: set CELOSIA_TEST_TESSERA to the command line of a Tessera");
            ids.push("t");
        }
        let members = ids.iter().map(|id| Member::prepare(id, folder.path())).collect();
        let mut life = Self { court: Court::ground(folder, members), tessera };
        if life.tessera.is_none() {
            "US".clone_into(&mut life.court.members[5].region);
        }
        life.found();
        life.run_members();
        life
    }

    /// The network's documents, made by its governors on their own machine, with the program.
    fn found(&mut self) {
        let (password, argon) = (self.court.path("password"), self.court.path("argon.json"));
        for name in ["ana", "ben", "cam"] {
            self.call(&["governance", "keygen", "--name", name, "--password-file", &password, "--argonconfig", &argon]);
        }
        let governors = ["--governor", "ana.vkey", "--governor", "ben.vkey", "--governor", "cam.vkey"];
        let init = ["governance", "init", "--name", "red", "--threshold", "2", "--out", "proposal-1"];
        self.call(&[&init[..], &governors].concat());
        let told = self.sign_and_keep("proposal-1");
        self.court.network = told.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        let mut entries: Vec<String> = self.court.members.iter().map(|at| toml::to_string(&at.entry()).unwrap()).collect();
        entries[SUPERVISOR] = entries[SUPERVISOR].replace("roles = [", "roles = [\"supervisor\", ");
        entries.extend(self.tessera.as_ref().map(|tessera| {
            let (key, url) = (tessera.key(), tessera.url());
            format!(
                "id = \"t\"\nlegal-name = \"t S.A.\"\nlegal-id = \"ES-t\"\nregion = \"ES\"\nstate = \"active\"\n\
                 software = \"tessera\"\nroles = [\"member\"]\naddresses = [\"{key}\"]\ncompatible = \"{url}\"\n"
            )
        }));
        let files: Vec<String> = (0..entries.len()).map(|at| format!("member-{at}.toml")).collect();
        for (file, text) in files.iter().zip(&entries) {
            std::fs::write(self.court.path(file), text).unwrap();
        }
        let mut change = vec!["governance", "propose", "directory", "--from", "charter", "--out", "proposal-2"];
        change.extend(files.iter().flat_map(|file| ["--add-member", file.as_str()]));
        self.call(&change);
        self.sign_and_keep("proposal-2");
    }

    /// Every document up to a version.
    pub fn notes(&self, version: u64) -> Vec<Note> {
        let read = |version| std::fs::read_to_string(self.court.path(&format!("proposal-{version}"))).unwrap();
        (1..=version).map(|version| Note::parse(&read(version)).unwrap()).collect()
    }

    fn run_members(&mut self) {
        let notes = self.notes(2);
        let network = self.court.network;
        for member in &mut self.court.members {
            member.give(network, &notes);
            "[erasure]\nnode-cache = \"0s\"\n".clone_into(&mut member.extra);
            member.spawn(&[]);
        }
        self.court.members.iter_mut().for_each(Member::wait);
        let urls: Vec<String> = self.court.members.iter().map(|at| format!("http://127.0.0.1:{}/", at.peer_port)).collect();
        if let Some(tessera) = &mut self.tessera {
            tessera.set_peers(&urls);
            tessera.start();
        }
    }

    pub fn call(&self, words: &[&str]) -> String {
        self.court.run(words).well()
    }

    /// Two governors sign; the document goes into the governors' folder.
    pub fn sign_and_keep(&self, file: &str) -> String {
        let password = self.court.path("password");
        for key in ["ana.key", "cam.key"] {
            let mut sign = vec!["governance", "sign", file, "--key", key, "--password-file", &password, "--yes"];
            if self.court.folder.path().join("charter").exists() {
                sign.extend(["--folder", "charter"]);
            }
            self.call(&sign);
        }
        self.call(&["governance", "publish", file, "--into", "charter"])
    }

    /// A policy with a committee comes into force at every member.
    pub fn enact(&self, version: u64, change: &[&str]) {
        let file = format!("proposal-{version}");
        self.call(&[&["governance", "propose", "policy", "--from", "charter", "--out", &file], change].concat());
        self.sign_and_keep(&file);
        self.call(&["governance", "publish", &file, "--admin", &self.court.admin(0)]);
        self.court.members.iter().for_each(|member| member.wait_for_version(version));
    }

    pub fn supervisor(&self, words: &[&str]) -> String {
        let (verb, rest) = words.split_first().unwrap();
        self.call(&[&["supervisor", verb, "--admin", &self.court.admin(SUPERVISOR)], rest].concat())
    }

    /// A payload of business for the sixth member and b; its id.
    pub fn business(&self) -> Result<String, u16> {
        self.to_the_sixth("business")
    }

    pub fn to_the_sixth(&self, class: &str) -> Result<String, u16> {
        let (a, b) = (self.court.at(0), self.court.at(1));
        let sixth = self.tessera.as_ref().map_or_else(|| self.court.at(5).keys.public.as_str(), |tessera| tessera.key());
        let body = serde_json::json!({ "payload": "aG9sYQ==", "from": a.keys.public, "to": [b.keys.public, sixth] });
        let request = Request::post("/send", crate::http::JSON, body.to_string().as_bytes());
        let answer = request.header("celosia-class", class).send(&a.node);
        if answer.status == 201 { Ok(answer.json()["key"].as_str().unwrap().to_owned()) } else { Err(answer.status) }
    }
}
