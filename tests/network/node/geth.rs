//! One GoQuorum node as a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{JSON, Request, Target};
use crate::member::{Member, path_text};
use crate::ports;

const PATIENCE: Duration = Duration::from_mins(4);

/// The node's program, if this machine has one.
pub(super) fn program() -> Option<PathBuf> {
    std::env::var_os("CELOSIA_TEST_GETH").filter(|path| !path.is_empty()).map(PathBuf::from)
}

pub(super) struct Geth {
    /// The account that is its validator and that it sends from.
    pub(super) account: String,
    enode: String,
    folder: PathBuf,
    pub(super) http: Target,
    options: Vec<String>,
    port: u16,
    process: Option<Child>,
}

impl Geth {
    /// Makes its key: the same one for the node and its account.
    pub(super) fn prepare(folder: &Path, options: &[&str]) -> Self {
        fs::create_dir_all(folder.join("geth")).expect("a folder");
        let program = program().expect("CELOSIA_TEST_GETH is set");
        let bootnode = program.with_file_name("bootnode");
        let key = folder.join("geth/nodekey");
        output(Command::new(&bootnode).arg("-genkey").arg(&key));
        let public = output(Command::new(&bootnode).arg("-writeaddress").arg("-nodekey").arg(&key));
        fs::write(folder.join("password"), "\n").expect("a password file");
        let import = ["--nousb", "account", "import", "--lightkdf", "--password"];
        let imported = output(
            Command::new(&program).args(["--datadir", path_text(folder)]).args(import).arg(folder.join("password")).arg(&key),
        );
        let account = imported.split_once('{').and_then(|(_, rest)| rest.split_once('}')).expect("an address").0;
        let port = ports::free();
        Self {
            account: format!("0x{account}"),
            enode: format!("enode://{}@127.0.0.1:{port}?discport=0", public.trim()),
            folder: folder.to_owned(),
            http: Target::Tcp(ports::free()),
            options: options.iter().map(|option| (*option).into()).collect(),
            port,
            process: None,
        }
    }

    /// With private states this asks the member as well.
    pub(super) fn init(&self, genesis: &Path, member: &Member) {
        let program = program().expect("CELOSIA_TEST_GETH is set");
        let options = ["--datadir", path_text(&self.folder), "--ptm.socket", socket(member), "init"];
        output(Command::new(program).args(options).arg(genesis));
        let toml = format!("[Node.P2P]\nListenAddr = \"127.0.0.1:{}\"\n", self.port);
        fs::write(self.folder.join("p2p.toml"), toml).expect("a configuration");
    }

    pub(super) fn start(&mut self, member: &Member) {
        let Target::Tcp(http) = self.http else { panic!("its surface is on TCP") };
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).expect("a log file");
        let fixed = "--nodiscover --nousb --ipcdisable --networkid 10 --syncmode full --gcmode archive --mine --miner.threads 1 --http \
                     --http.addr 127.0.0.1 --http.api admin,eth,debug,net,personal,quorumExtension,txpool,qbft --unlock 0 \
                     --allow-insecure-unlock --emitcheckpoints";
        let child = Command::new(program().expect("CELOSIA_TEST_GETH is set"))
            .args(["--datadir", path_text(&self.folder), "--config", path_text(&self.folder.join("p2p.toml"))])
            .args(fixed.split_whitespace())
            .args(["--http.port", &http.to_string(), "--password", path_text(&self.folder.join("password"))])
            .args(["--ptm.socket", socket(member)])
            .args(&self.options)
            .env_remove("PRIVATE_CONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the node starts");
        self.process = Some(child);
        self.wait_until("it answers", |node| node.try_call("eth_blockNumber", &json!([])).is_some());
    }

    /// Begins again with nothing but its keys and the first block: every block is imported and executed once more.
    pub(super) fn begin_again(&mut self, member: &Member) {
        if let Some(mut child) = self.process.take() {
            child.kill().expect("a child");
            child.wait().expect("a child");
        }
        for part in ["geth/chaindata", "geth/lightchaindata"] {
            let _ = fs::remove_dir_all(self.folder.join(part));
        }
        let genesis = self.folder.with_file_name("genesis.json");
        self.init(&genesis, member);
        self.start(member);
    }

    pub(super) fn add_peer(&self, other: &Self) {
        self.connect_to(&other.enode);
    }

    pub(super) fn connect_to(&self, enode: &str) {
        self.call("admin_addPeer", &json!([enode]));
    }

    pub(super) fn enode(&self) -> String {
        self.enode.clone()
    }

    /// Fails with the node's log if it ends or the wait is too long.
    #[track_caller]
    pub(super) fn wait_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            let ended = self.has_ended();
            assert!(ended.is_none(), "waiting until {what}, the node ended with {ended:?}:\n{}", self.log_tail());
            assert!(Instant::now() < deadline, "it is never so that {what}:\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(super) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(|child| child.try_wait().expect("a child"))
    }

    /// The result, or the error object.
    fn exchange(&self, method: &str, params: &Value) -> Option<Result<Value, Value>> {
        self.exchange_at("/", method, params)
    }

    fn exchange_at(&self, path: &str, method: &str, params: &Value) -> Option<Result<Value, Value>> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let answer = Request::post(path, JSON, body.as_bytes()).try_send(&self.http)?.json();
        Some(if answer["error"].is_null() { Ok(answer["result"].clone()) } else { Err(answer["error"].clone()) })
    }

    pub(super) fn try_call(&self, method: &str, params: &Value) -> Option<Value> {
        self.exchange(method, params)?.ok()
    }

    #[track_caller]
    pub(super) fn call(&self, method: &str, params: &Value) -> Value {
        let result = self.exchange(method, params).unwrap_or_else(|| panic!("no answer to {method}:\n{}", self.log_tail()));
        result.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// A call within one of several private states.
    #[track_caller]
    pub(super) fn call_in(&self, state: &str, method: &str, params: &Value) -> Value {
        let result = self.exchange_at(&format!("/?PSI={state}"), method, params).expect("an answer");
        result.unwrap_or_else(|error| panic!("{method} {params} in {state}: {error}"))
    }

    /// The message of a call that must fail.
    #[track_caller]
    pub(super) fn refusal(&self, method: &str, params: &Value) -> String {
        let result = self.exchange(method, params).expect("an answer");
        let error = result.expect_err("it is refused");
        error["message"].as_str().expect("a message").to_owned()
    }

    pub(super) fn height(&self) -> u64 {
        let number = self.call("eth_blockNumber", &json!([]));
        u64::from_str_radix(number.as_str().expect("a number").trim_start_matches("0x"), 16).expect("a number")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Geth {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn socket(member: &Member) -> &str {
    let Target::Unix(socket) = &member.q2t else { panic!("a node wants a socket") };
    path_text(socket)
}

fn output(command: &mut Command) -> String {
    let output = command.env_remove("PRIVATE_CONFIG").stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("plain text")
}
