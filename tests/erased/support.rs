//! One member with people on its admin surface, as a process, and what is looked at from outside.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{JSON, Request, Target};
use crate::ports;

pub struct Node {
    pub folder: TempDir,
    pub admin: u16,
    pub application: u16,
    config: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// Starts one with an operator on its admin surface; `more` is further configuration.
    pub fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (admin, application, peer) = (ports::free(), ports::free(), ports::free());
        let at = folder.path().display();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
        let fingerprint = certificates(folder.path());
        let text = format!(
            "data-dir = \"{at}/data\"\n[peers]\nurls = []\n{more}\n[access]\n\
             [[access.certificate]]\nname = \"olga\"\nroles = [\"operator\"]\nfingerprint = \"{fingerprint}\"\n\
             [[server]]\nsurface = \"peer\"\naddress = \"http://127.0.0.1:{peer}/\"\n\
             [[server]]\nsurface = \"node\"\naddress = \"unix:{at}/tm.ipc\"\n\
             [[server]]\nsurface = \"application\"\naddress = \"http://127.0.0.1:{application}/\"\n\
             [[server]]\nsurface = \"admin\"\naddress = \"https://127.0.0.1:{admin}/\"\n\
             [server.tls]\ncert = \"{at}/server.pem\"\nkey = \"{at}/server.key\"\nca = [\"{at}/ca.pem\"]\ntrust-mode = \"none\"\n\
             [[keys]]\nprivate-key-file = \"{}/demo-1.key\"\n",
            keys.display()
        );
        let config = folder.path().join("celosia.toml");
        fs::write(&config, text).unwrap();
        let mut node = Self { folder, admin, application, config, process: None };
        node.run();
        node
    }

    fn run(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_celosia"));
        run.args(["run", "--config"]).arg(&self.config).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(run.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_mins(2);
        while Request::get("/upcheck").try_send(&self.surface()).is_none() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            let log = || fs::read_to_string(self.log_file()).unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "the node does not run: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub fn kill_and_restart(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        self.run();
    }

    /// A file or folder beside the data folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn surface(&self) -> Target {
        Target::Unix(self.folder.path().join("tm.ipc"))
    }

    /// Stores a payload for ourselves; its id.
    pub fn send(&self, payload: &[u8]) -> String {
        let body = json!({ "payload": BASE64.encode(payload), "to": [] }).to_string();
        let answer = Request::post("/send", JSON, body.as_bytes()).send(&self.surface()).must(201).json();
        answer["key"].as_str().unwrap().to_owned()
    }

    /// The payload, as the node of the ledger asks for it.
    pub fn receive(&self, id: &str) -> Option<Vec<u8>> {
        let answer = Request::get(&format!("/transaction/{}", escaped(id))).send(&self.surface());
        (answer.status == 200).then(|| BASE64.decode(answer.json()["payload"].as_str().unwrap().as_bytes()).unwrap())
    }

    pub fn erase(&self, id: &str) {
        let answer = Request::new("DELETE", &format!("/transaction/{}", escaped(id))).send(&self.surface());
        answer.must(204);
    }

    /// A command of the operator on the admin surface.
    pub fn operator(&self, arguments: &[&str]) -> Output {
        let admin = format!("https://127.0.0.1:{}", self.admin);
        let (cert, key, ca) = (self.path("olga.pem"), self.path("olga.key"), self.path("ca.pem"));
        celosia(&[arguments, &["--admin", &admin, "--cert", &cert, "--key", &key, "--ca", &ca]].concat())
    }

    /// All of the process's memory that can be read, as a file: by gcore where it is, else as the kernel shows it.
    pub fn core_image(&self, name: &str) -> PathBuf {
        let (path, pid) = (self.folder.path().join(name), self.pid().to_string());
        let gcore = Command::new("gcore").arg("-o").arg(&path).arg(&pid).stdin(Stdio::null()).output();
        let made = PathBuf::from(format!("{}.{pid}", path.display()));
        if gcore.is_ok_and(|output| output.status.success()) && made.exists() {
            return made;
        }
        read_memory(&pid, &path);
        path
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn read_memory(pid: &str, path: &Path) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let mut memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut image = fs::File::create(path).unwrap();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut page = vec![0; 4096];
        for at in (from..to).step_by(4096) {
            // Some pages are not there.
            if memory.seek(SeekFrom::Start(at)).is_ok() && memory.read_exact(&mut page).is_ok() {
                image.write_all(&page).unwrap();
            }
        }
    }
}

/// An authority, a server's certificate and an operator's, as files. Fingerprint of the last.
fn certificates(folder: &Path) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let authority = Issuer::new(params, key);
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let made = params.signed_by(&key, &authority).unwrap();
        fs::write(folder.join(format!("{name}.pem")), made.pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
        HEXLOWER.encode(digest(&SHA256, made.der()).as_ref())
    };
    issue("server");
    issue("olga")
}

fn escaped(id: &str) -> String {
    id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// Runs the command line.
pub fn celosia(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// `celosia scan --json`: exit code and report.
pub fn scan(arguments: &[&str]) -> (i32, Value) {
    let output = celosia(&[&["scan", "--json"], arguments].concat());
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

/// Which parts a report found, each once.
pub fn parts(report: &Value) -> Vec<String> {
    let found = report["found"].as_array().unwrap().iter().map(|found| found["what"].as_str().unwrap().to_owned());
    let mut parts: Vec<_> = found.collect();
    parts.sort();
    parts.dedup();
    parts
}

/// A payload of text that is nowhere else.
pub fn letter(words: usize) -> Vec<u8> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let word = |at: usize| HEXLOWER.encode(digest(&SHA256, &[&seed[..], &at.to_be_bytes()].concat()).as_ref())[..12].to_owned();
    (0..words).map(word).collect::<Vec<_>>().join(" ").into_bytes()
}
