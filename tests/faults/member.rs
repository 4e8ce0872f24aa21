//! Members of a test network, each a real process of the shipped binary.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;

use crate::http::{self, Answer, JSON};

pub(crate) const CELOSIA: &str = env!("CARGO_BIN_EXE_celosia");
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Member {
    pub(crate) folder: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) key: String,
    /// `host:port` where peers are told to find it.
    pub(crate) advertised: String,
    /// `host:port` where it really listens for peers.
    pub(crate) bound: String,
    pub(crate) application: String,
    process: Option<Child>,
}

/// Where a member of a network listens.
pub(crate) struct Place {
    pub(crate) advertised: u16,
    pub(crate) bound: u16,
    pub(crate) application: u16,
}

impl Member {
    /// Writes keys and configuration; nothing runs yet.
    pub(crate) fn prepare(folder: &Path, place: &Place, peers: &[u16], extra: &str) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let keygen = Command::new(CELOSIA)
            .args(["keygen", "--filename"])
            .arg(folder.join("node"))
            .stdin(Stdio::null())
            .output()
            .expect("keygen runs");
        assert!(keygen.status.success(), "{}", String::from_utf8_lossy(&keygen.stderr));
        let member = Self {
            key: fs::read_to_string(folder.join("node.pub")).expect("a public key"),
            folder: folder.to_owned(),
            data: folder.join("data"),
            socket: folder.join("tm.ipc"),
            advertised: format!("127.0.0.1:{}", place.advertised),
            bound: format!("127.0.0.1:{}", place.bound),
            application: format!("127.0.0.1:{}", place.application),
            process: None,
        };
        let urls: Vec<String> = peers.iter().map(|port| format!("\"http://127.0.0.1:{port}/\"")).collect();
        let toml = format!(
            "data-dir = \"{}\"\n[features]\nprivacy-enhancements = true\n[peers]\nurls = [{}]\n\
             [[server]]\nsurface = \"node\"\naddress = \"unix:{}\"\n\
             [[server]]\nsurface = \"application\"\naddress = \"http://{}\"\n\
             [[server]]\nsurface = \"peer\"\naddress = \"http://{}\"\nbind = \"{}\"\n\
             [[keys]]\nprivate-key-file = \"{}/node.key\"\n{extra}\n",
            member.data.display(),
            urls.join(", "),
            member.socket.display(),
            member.application,
            member.advertised,
            member.bound,
            folder.display(),
        );
        fs::write(member.config(), toml).expect("a configuration");
        member
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("celosia.toml")
    }

    pub(crate) fn start(&mut self) {
        self.spawn();
        self.wait();
    }

    pub(crate) fn spawn(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log file");
        let child = Command::new(CELOSIA)
            .arg("run")
            .arg("--config")
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the member starts");
        self.process = Some(child);
    }

    pub(crate) fn wait(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while http::unix(&self.socket, "GET", "/upcheck", "text/plain", b"").is_none() {
            let ended = self.process.as_mut().and_then(|child| child.try_wait().expect("a child"));
            assert!(ended.is_none(), "the member ended with {ended:?}:\n{}", self.log());
            assert!(Instant::now() < deadline, "the member does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().expect("killed");
            child.wait().expect("reaped");
        }
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut child = self.process.take()?;
        let kill = Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
        assert!(kill.success());
        child.wait().expect("reaped").code()
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &[u8]) -> Option<Answer> {
        http::unix(&self.socket, method, path, JSON, body)
    }

    /// `/send`; the id if it was acknowledged.
    pub(crate) fn send(&self, payload: &[u8], to: &[&str]) -> Option<String> {
        let body = serde_json::json!({ "payload": BASE64.encode(payload), "to": to }).to_string();
        let answer = self.call("POST", "/send", body.as_bytes())?;
        (answer.status == 201).then(|| answer.json()["key"].as_str().expect("a key").to_owned())
    }

    /// `GET /transaction`: status and payload.
    pub(crate) fn receive(&self, id: &str) -> (u16, Vec<u8>) {
        let answer = self.call("GET", &path_of(id), b"").expect("an answer");
        if answer.status != 200 {
            return (answer.status, Vec::new());
        }
        let payload = answer.json()["payload"].as_str().expect("a payload").to_owned();
        (200, BASE64.decode(payload.as_bytes()).expect("base64"))
    }

    /// Sends until the recipients are known.
    pub(crate) fn meet(&self, to: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        while self.send(b"hello", to).is_none() {
            assert!(Instant::now() < deadline, "the members do not meet:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn fsck(&self) -> std::process::Output {
        Command::new(CELOSIA).args(["fsck", "--config"]).arg(self.config()).output().expect("fsck runs")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn path_of(id: &str) -> String {
    format!("/transaction/{}", id.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"))
}

/// Ports of loopback that nobody uses now.
pub(crate) fn ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    held.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
}

/// A network of members that all know each other, not started.
pub(crate) fn network(folder: &Path, count: usize) -> Vec<Member> {
    let ports = ports(count * 2);
    let peers = &ports[..count];
    (0..count)
        .map(|index| {
            let place = Place { advertised: peers[index], bound: peers[index], application: ports[count + index] };
            Member::prepare(&folder.join(format!("m{index}")), &place, peers, "")
        })
        .collect()
}

/// Bytes that depend on a number and look random enough to be found again.
pub(crate) fn payload(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}
