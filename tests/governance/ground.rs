//! A folder with governors, each with a key, and the program to call.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Cheap enough for tests; nothing that one would use.
const ARGON: &str = r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#;

pub struct Ground {
    folder: tempfile::TempDir,
}

/// What a call said.
#[derive(Debug)]
pub struct Said {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// It must have gone well.
    pub fn well(self) -> String {
        assert_eq!(self.exit, 0, "{self:?}");
        self.out
    }

    /// It must have failed with a code, and told something.
    pub fn badly(self, code: u16, told: &str) {
        assert_eq!(self.exit, 2, "{self:?}");
        assert!(self.err.starts_with(&format!("error[CEL{code}]: ")), "CEL{code} expected: {self:?}");
        assert!(self.err.contains(told), "{told:?} expected: {self:?}");
    }
}

impl Ground {
    /// An empty folder.
    pub fn new() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap() };
        ground.write("password", "three words here\n");
        ground.write("argon.json", ARGON);
        ground
    }

    /// Three governors, a network of theirs in `node`, and the member `azul`: version 2.
    pub fn begun() -> (Self, String) {
        let ground = Self::new();
        for name in ["ana", "ben", "cam"] {
            ground.governor(name);
        }
        ground
            .run(
                "governance init --name prueba --governor ana.vkey --governor ben.vkey --governor cam.vkey --threshold 2 --out 1",
            )
            .well();
        ground.sign("1", &["ana", "ben"]);
        let told = ground.run("governance publish 1 --into node").well();
        let network = told.split_whitespace().nth_back(1).unwrap().to_owned();
        assert_eq!(network.len(), 64, "{told}");
        ground.member("azul");
        ground.run("governance propose directory --from node --add-member azul-member.toml --out 2").well();
        ground.sign("2", &["ana", "cam"]);
        ground.run("governance publish 2 --into node").well();
        (ground, network)
    }

    /// Makes a governor's key.
    pub fn governor(&self, name: &str) -> String {
        self.run(&format!("governance keygen --name {name} --password-file password --argonconfig argon.json")).well()
    }

    /// Makes a member's keys and entry.
    pub fn member(&self, id: &str) {
        let key = data_encoding::BASE64.encode(blake(id).as_slice());
        let call = format!(
            "governance member-keygen --member {id} --legal-id ES-{id} --region ES-MD --native https://{id}.example:9443 --address {key} --password-file password --argonconfig argon.json"
        );
        let mut words: Vec<String> = call.split_whitespace().map(str::to_owned).collect();
        words.extend(["--legal-name".to_owned(), format!("{id} Málaga, S.A.")]);
        self.run_words(&words).well();
    }

    /// Signs a proposal by each of these, without a question.
    pub fn sign(&self, file: &str, names: &[&str]) {
        for name in names {
            self.try_sign(file, name, "node").well();
        }
    }

    /// Signs a proposal on top of a folder.
    pub fn try_sign(&self, file: &str, name: &str, folder: &str) -> Said {
        let folder = if self.path(folder).exists() { format!("--folder {folder}") } else { String::new() };
        self.run(&format!("governance sign {file} --key {name}.key --password-file password --yes {folder}"))
    }

    /// Proposes the next directory with one change, has it signed and published into `node`.
    pub fn directory(&self, change: &str, names: &[&str]) {
        let file = format!("proposal-{}", fs::read_dir(self.path("")).unwrap().count());
        self.run(&format!("governance propose directory --from node {change} --out {file}")).well();
        self.sign(&file, names);
        self.run(&format!("governance publish {file} --into node")).well();
    }

    /// Runs a command line; no word of it has a space.
    pub fn run(&self, call: &str) -> Said {
        self.run_words(&call.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    /// Runs words.
    pub fn run_words(&self, words: &[String]) -> Said {
        let output = self.command().args(words).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let Output { status, stdout, stderr } = output;
        Said { exit: status.code().unwrap_or(-1), out: text(&stdout), err: text(&stderr) }
    }

    /// The program in this folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celosia"));
        command.current_dir(self.folder.path());
        command
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Copies a folder of documents.
    pub fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Some 32 bytes of a name.
fn blake(name: &str) -> [u8; 32] {
    celosia::crypto::hash::sha256(&[name.as_bytes()])
}
