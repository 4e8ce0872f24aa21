//! One member with every surface, as a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::{Answer, JSON, Request, Target};
use crate::ports;

pub struct Node {
    pub folder: TempDir,
    pub admin: u16,
    pub application: u16,
    pub peer: u16,
    config: PathBuf,
    tls: bool,
    process: Option<Child>,
}

impl Node {
    /// Starts one with this `[access]`, its admin surface plain on loopback.
    pub fn start(access: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), access, "")
    }

    /// Starts one whose admin listener has a `[server.tls]`; its files lie in the folder.
    pub fn start_in(folder: TempDir, access: &str, tls: &str) -> Self {
        let (admin, application, peer) = (ports::free(), ports::free(), ports::free());
        let at = folder.path().display();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
        let scheme = if tls.is_empty() { "http" } else { "https" };
        let text = format!(
            "data-dir = \"{at}/data\"\n[peers]\nurls = []\n{access}\n\
             [[server]]\nsurface = \"peer\"\naddress = \"http://127.0.0.1:{peer}/\"\n\
             [[server]]\nsurface = \"node\"\naddress = \"unix:{at}/tm.ipc\"\n\
             [[server]]\nsurface = \"application\"\naddress = \"http://127.0.0.1:{application}/\"\n\
             [[server]]\nsurface = \"admin\"\naddress = \"{scheme}://127.0.0.1:{admin}/\"\n{tls}\n\
             [[keys]]\nprivate-key-file = \"{}/demo-1.key\"\n",
            keys.display()
        );
        let config = folder.path().join("celosia.toml");
        fs::write(&config, text).unwrap();
        let mut node = Self { folder, admin, application, peer, config, tls: !tls.is_empty(), process: None };
        node.run();
        node
    }

    fn run(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_celosia"));
        run.args(["run", "--config"]).arg(&self.config).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.process = Some(run.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_mins(2);
        let up = |node: &Self| Request::get("/upcheck").try_send(&node.node_surface()).is_some();
        while !up(self) {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "the node does not run: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it without warning, and starts it again.
    pub fn kill_and_restart(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        self.run();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub fn node_surface(&self) -> Target {
        Target::Unix(self.folder.path().join("tm.ipc"))
    }

    pub fn admin_url(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.tls { "https" } else { "http" }, self.admin)
    }

    /// A call of the plain admin surface with a bearer token.
    pub fn get_as(&self, path: &str, token: &str) -> Answer {
        Request::get(path).header("Authorization", &format!("Bearer {token}")).send(&Target::Tcp(self.admin))
    }

    pub fn post_as(&self, path: &str, token: &str, body: &serde_json::Value) -> Answer {
        let request = Request::post(path, JSON, body.to_string().as_bytes());
        request.header("Authorization", &format!("Bearer {token}")).send(&Target::Tcp(self.admin))
    }

    /// Stores a payload for ourselves; its id.
    pub fn payload(&self) -> String {
        let body = serde_json::json!({ "payload": "c2VjcmV0", "to": [] }).to_string();
        let answer = Request::post("/send", JSON, body.as_bytes()).send(&self.node_surface()).must(201).json();
        answer["key"].as_str().unwrap().to_owned()
    }

    /// The status of a look-up of a payload.
    pub fn look_up(&self, id: &str) -> u16 {
        let escaped = id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        Request::get(&format!("/transaction/{escaped}")).send(&self.node_surface()).status
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

/// Runs the command line.
pub fn celosia(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// The header of the code, and its agreement with the body.
pub fn code(answer: &Answer) -> String {
    let code = answer.header("celosia-error").unwrap_or("none").to_owned();
    assert!(code == "none" || answer.json()["code"] == code, "header {code}, body {}", answer.text());
    code
}
