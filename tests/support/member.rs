//! Members of a test network: real processes of whichever private transaction manager, started by command line.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Answer, JSON_2_1, Request, Target};
use crate::keys::KeyPair;
use crate::ports;

/// A start on a busy machine, key unlocking included.
const PATIENCE: Duration = Duration::from_mins(5);

/// Who made the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Maker {
    Celosia,
    Tessera,
}

impl Maker {
    /// The words of its command line, without options.
    pub(crate) fn command(self) -> Vec<String> {
        match self {
            Self::Celosia => vec![env!("CARGO_BIN_EXE_celosia").into()],
            Self::Tessera => tessera().expect("CELOSIA_TEST_TESSERA is set").split_whitespace().map(Into::into).collect(),
        }
    }

    pub(crate) fn run(self, arguments: &[&str]) -> Command {
        let words = self.command();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        command
    }
}

/// The command line that starts a real Tessera, if this machine has one.
pub(crate) fn tessera() -> Option<String> {
    std::env::var("CELOSIA_TEST_TESSERA").ok().filter(|command| !command.trim().is_empty())
}

pub(crate) struct Member {
    pub(crate) config: Value,
    pub(crate) folder: PathBuf,
    pub(crate) keys: Vec<KeyPair>,
    pub(crate) maker: Maker,
    pub(crate) p2p: Target,
    pub(crate) port: u16,
    pub(crate) q2t: Target,
    pub(crate) third_party: Target,
    process: Option<Child>,
}

impl Member {
    /// Makes one key pair and a configuration with only itself as a peer; nothing runs yet.
    pub(crate) fn prepare(maker: Maker, folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let key = KeyPair::random();
        fs::write(folder.join("k.pub"), &key.public).expect("a public key file");
        write_secret(&folder.join("k.key"), &key.unlocked_file());
        let (port, application) = (ports::free(), ports::free());
        let socket = folder.join("tm.ipc");
        Self {
            config: config(folder, port, application),
            folder: folder.to_owned(),
            keys: vec![key],
            maker,
            p2p: Target::Tcp(port),
            port,
            q2t: Target::Unix(socket),
            third_party: Target::Tcp(application),
            process: None,
        }
    }

    pub(crate) fn key(&self) -> &str {
        &self.keys[0].public
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn set_peers(&mut self, urls: &[String]) {
        self.config["peer"] = urls.iter().map(|url| json!({ "url": url })).collect();
    }

    /// One more key, written into the configuration itself.
    pub(crate) fn add_inline_key(&mut self) {
        let key = KeyPair::random();
        let entry = json!({ "privateKey": key.private, "publicKey": key.public });
        self.config["keys"]["keyData"].as_array_mut().expect("a list of keys").push(entry);
        self.keys.push(key);
    }

    pub(crate) fn start(&mut self) {
        self.spawn(&[]);
        self.wait();
    }

    pub(crate) fn spawn(&mut self, options: &[&str]) {
        assert!(self.process.is_none(), "it runs already");
        let (file, pid_file) = (self.folder.join("config.json"), self.folder.join("pid"));
        fs::write(&file, self.config.to_string()).expect("a configuration");
        // Scripts in the field do the same: Tessera does not start over a stale socket.
        let _ = fs::remove_file(self.folder.join("tm.ipc"));
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log file");
        let child = self
            .maker
            .run(&["-configfile", path_text(&file), "-pidfile", path_text(&pid_file)])
            .args(options)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the member starts");
        self.process = Some(child);
    }

    /// Until every surface answers.
    pub(crate) fn wait(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for target in [self.q2t.clone(), self.p2p.clone(), self.third_party.clone()] {
            while Request::get("/upcheck").try_send(&target).is_none() {
                let ended = self.process.as_mut().and_then(|child| child.try_wait().expect("a child"));
                assert!(ended.is_none(), "the member ended with {ended:?}:\n{}", self.log_tail());
                assert!(Instant::now() < deadline, "the member does not answer:\n{}", self.log_tail());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Until it ends by itself.
    pub(crate) fn wait_end(&mut self) -> ExitStatus {
        let mut child = self.process.take().expect("it runs");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("a child") {
                return status;
            }
            if Instant::now() > deadline {
                child.kill().expect("killed");
                child.wait().expect("reaped");
                panic!("it does not end by itself:\n{}", self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// SIGTERM, and until it has ended.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        let kill = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
        assert!(kill.success(), "SIGTERM could be sent");
        child.wait().expect("reaped");
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().expect("killed");
            child.wait().expect("reaped");
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    pub(crate) fn is_port_free(&self) -> bool {
        TcpListener::bind(("127.0.0.1", self.port)).is_ok()
    }

    /// Everything it stored, keys and configuration apart.
    pub(crate) fn lose_data(&self) {
        for entry in fs::read_dir(&self.folder).expect("its folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("db") {
                let path = entry.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
            }
        }
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        Request::post(path, JSON_2_1, body.to_string().as_bytes()).send(&self.q2t)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        Request::get(path).header("Accept", JSON_2_1).send(&self.q2t)
    }

    #[track_caller]
    pub(crate) fn get_text(&self, path: &str) -> Answer {
        Request::get(path).send(&self.q2t)
    }

    /// Versions of the interface that it offers.
    pub(crate) fn versions(&self) -> Vec<String> {
        let answer = Request::get("/version/api").send(&self.q2t).must(200).json();
        answer.as_array().expect("a list").iter().map(|version| version.as_str().expect("a text").into()).collect()
    }

    pub(crate) fn speaks(&self, version: &str) -> bool {
        self.versions().iter().any(|known| known == version)
    }

    /// Keys that it can send to now.
    pub(crate) fn known_keys(&self) -> Vec<String> {
        let answer = Request::get("/partyinfo/keys").send(&self.third_party).must(200).json();
        answer["keys"].as_array().expect("a list").iter().map(|entry| entry["key"].as_str().expect("a key").into()).collect()
    }

    /// Until it can send to all of these.
    pub(crate) fn wait_for_keys(&self, keys: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let known = self.known_keys();
            let missing: Vec<_> = keys.iter().filter(|key| !known.iter().any(|known| known == *key)).collect();
            if missing.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "it never learns {missing:?}:\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The configuration in Tessera's JSON.
fn config(folder: &Path, port: u16, application: u16) -> Value {
    let folder = folder.display();
    json!({
        "useWhiteList": false,
        "jdbc": {
            "username": "sa", "password": "", "autoCreateTables": true,
            "url": format!("jdbc:h2:{folder}/db;MODE=Oracle;TRACE_LEVEL_SYSTEM_OUT=0"),
        },
        "serverConfigs": [
            { "app": "Q2T", "serverAddress": format!("unix:{folder}/tm.ipc"), "communicationType": "REST" },
            { "app": "ThirdParty", "serverAddress": format!("http://127.0.0.1:{application}"), "communicationType": "REST" },
            {
                "app": "P2P", "serverAddress": format!("http://127.0.0.1:{port}"), "communicationType": "REST",
                "sslConfig": { "tls": "OFF" }, "properties": { "partyInfoInterval": "5000" },
            },
        ],
        "peer": [{ "url": format!("http://127.0.0.1:{port}/") }],
        "keys": {
            "passwords": [],
            "keyData": [{ "privateKeyPath": format!("{folder}/k.key"), "publicKeyPath": format!("{folder}/k.pub") }],
        },
        "alwaysSendTo": [],
        "features": { "enablePrivacyEnhancements": "true" },
    })
}

pub(crate) fn path_text(path: &Path) -> &str {
    path.to_str().expect("a path of plain text")
}

/// A file that only its owner reads, as key files have to be.
fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).expect("a secret file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}
