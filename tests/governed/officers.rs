//! Officers with folders of their own, each of whom logs in at one member's node.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::http::{JSON, Request, Target};
use crate::member::Member;
use crate::net::Net;
use crate::said::Said;

/// Members that run, and officers.
pub struct Officers {
    pub net: Net,
}

impl Officers {
    /// Of `ids`, the first `running` run.
    pub fn begin(ids: &[&str], running: usize, officers: usize) -> Self {
        let mut net = Net::prepare(ids);
        net.members[..running].iter_mut().for_each(|member| member.spawn(&[]));
        net.members[..running].iter_mut().for_each(Member::wait);
        let made = Self { net };
        std::fs::write(made.path("argon.json"), r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#).unwrap();
        std::fs::write(made.path("password"), "correct horse\n").unwrap();
        (1..=officers).for_each(|at| made.init(at));
        made
    }

    fn init(&self, at: usize) {
        let (folder, name, entity) = (self.path(&format!("o{at}")), format!("Officer {at}"), format!("Entity {at}"));
        let (password, argon) = (self.path("password"), self.path("argon.json"));
        let whose = ["officer", "init", "--folder", &folder, "--name", &name, "--entity", &entity];
        self.run(&[&whose[..], &["--password-file", &password, "--argonconfig", &argon]].concat()).well();
    }

    pub fn path(&self, name: &str) -> String {
        self.net.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn network(&self) -> String {
        self.net.governors.network().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celosia"));
        command.current_dir(self.net.folder.path()).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Said { good: output.status.success(), text }
    }

    pub fn admin(&self, member: usize) -> String {
        match &self.net.at(member).admin {
            Target::Tcp(port) => format!("http://127.0.0.1:{port}"),
            Target::Unix(path) => format!("unix:{}", path.display()),
        }
    }

    fn turn(&self, verb: &str, at: usize, member: usize, arguments: &[&str]) -> Vec<String> {
        let (folder, password, admin) = (self.path(&format!("o{at}")), self.path("password"), self.admin(member));
        let fixed = ["officer", verb, "--folder", &folder, "--password-file", &password, "--admin", &admin, "--yes"];
        fixed.iter().chain(arguments).map(|word| (*word).to_owned()).collect()
    }

    /// An officer does what it can, through a member's node.
    pub fn step(&self, verb: &str, at: usize, member: usize) -> Said {
        self.step_with(verb, at, member, &[])
    }

    pub fn step_with(&self, verb: &str, at: usize, member: usize, arguments: &[&str]) -> Said {
        let words = self.turn(verb, at, member, arguments);
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The same by a process that waits until all is complete.
    pub fn waits(&self, verb: &str, at: usize, member: usize) -> Child {
        let words = self.turn(verb, at, member, &["--wait"]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.command(&words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Opens a ceremony through a member's node; its number.
    pub fn opens(&self, verb: &str, member: usize, arguments: &[&str]) -> String {
        let admin = self.admin(member);
        let told = self.run(&[&["officer", verb, "--admin", &admin], arguments].concat()).well();
        let (_, rest) = told.split_once("ceremony ").unwrap();
        rest.split_once(' ').unwrap().0.to_owned()
    }

    /// A new key among some officers.
    pub fn opens_key(&self, member: usize, who: &[usize], threshold: &str) -> String {
        let cards: Vec<String> = who.iter().map(|at| self.path(&format!("o{at}/officer.pub"))).collect();
        let network = self.network();
        let mut arguments = vec!["--network", &network, "--threshold", threshold];
        arguments.extend(cards.iter().flat_map(|card| ["--card", card.as_str()]));
        self.opens("dkg", member, &arguments)
    }

    /// All take turns, each at its node, until each has the committee. The text of its file.
    pub fn all(&self, verb: &str, who: &[(usize, usize)]) -> String {
        for _ in 0..20 {
            let told: Vec<_> = who.iter().map(|(at, member)| self.step(verb, *at, *member).well()).collect();
            if told.iter().all(|told| told.contains("complete: ")) {
                let files: Vec<_> = told.iter().map(|told| committee(told)).collect();
                assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
                return files[0].clone();
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("the ceremony does not end");
    }

    pub fn status(&self, member: usize) -> String {
        let admin = self.admin(member);
        self.run(&["officer", "status", "--admin", &admin]).well()
    }

    pub fn shown(&self, member: usize, id: &str) -> Value {
        Request::get(&format!("/ceremonies/{id}")).send(&self.net.at(member).admin).must(200).json()
    }

    /// The messages of a ceremony at a member's node.
    pub fn messages(&self, member: usize, id: &str) -> Vec<String> {
        let page = Request::get(&format!("/ceremonies/{id}/messages")).send(&self.net.at(member).admin).must(200).json();
        page["messages"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Hands a message in at a member's node; the answer's status and code.
    pub fn hand_in(&self, member: usize, id: &str, message: &str) -> (u16, String) {
        let body = json!({ "message": message }).to_string();
        let answer = Request::post(&format!("/ceremonies/{id}/messages"), JSON, body.as_bytes()).send(&self.net.at(member).admin);
        (answer.status, answer.text())
    }

    pub fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }
}

/// The committee that a command says is complete.
fn committee(told: &str) -> String {
    let line = told.lines().find(|line| line.contains(" is for the governors")).unwrap();
    std::fs::read_to_string(Path::new(line.split_once(' ').unwrap().0)).unwrap()
}
