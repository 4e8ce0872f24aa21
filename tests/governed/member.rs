//! A Celosia of a governed network, as a process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::governance::Member as Entry;
use celosia::net::native::pin_of;
use celosia::net::tls::generate;
use celosia::translog::note::Note;
use celosia::types::NetworkId;
use data_encoding::{BASE64, HEXLOWER};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::http::{Answer, JSON, Request, Target};
use crate::keys::KeyPair;
use crate::ports;

const PATIENCE: Duration = Duration::from_mins(2);

pub struct Member {
    pub id: String,
    pub folder: PathBuf,
    pub keys: KeyPair,
    pub seed: [u8; 32],
    pub admin: Target,
    pub node: Target,
    pub application: Target,
    pub peer_port: u16,
    pub native_port: u16,
    pub region: String,
    network: Option<NetworkId>,
    enclave: Option<String>,
    process: Option<Child>,
    /// Further lines of the configuration.
    pub extra: String,
    /// Variables of the process.
    pub variables: Vec<(String, String)>,
}

impl Member {
    /// Keys, certificate, ports; nothing runs yet.
    pub fn prepare(id: &str, folder: &Path) -> Self {
        let folder = folder.join(id);
        fs::create_dir_all(&folder).unwrap();
        let keys = KeyPair::random();
        secret(&folder.join("k.key"), &keys.unlocked_file());
        let seed = *Secret::<32>::random().expose();
        let signing = json!({ "type": "unlocked", "data": { "bytes": BASE64.encode(&seed) } });
        secret(&folder.join("sign.key"), &signing.to_string());
        generate(id, &folder.join("node.crt"), &folder.join("node.key")).unwrap();
        Self {
            id: id.to_owned(),
            keys,
            seed,
            admin: Target::Tcp(ports::free()),
            node: Target::Unix(folder.join("tm.ipc")),
            application: Target::Tcp(ports::free()),
            peer_port: ports::free(),
            native_port: ports::free(),
            region: "ES".into(),
            network: None,
            enclave: None,
            process: None,
            extra: String::new(),
            variables: Vec::new(),
            folder,
        }
    }

    pub fn signing(&self) -> SigningKey {
        SigningKey::from_seed(&Secret::from_slice(&self.seed).unwrap())
    }

    /// Its entry in the directory.
    pub fn entry(&self) -> Entry {
        let certificate = CertificateDer::from_pem_file(self.folder.join("node.crt")).unwrap();
        let pin = HEXLOWER.encode(&pin_of(&certificate).unwrap());
        toml::from_str(&format!(
            r#"
id = "{id}"
legal-name = "{id} S.A."
legal-id = "ES-{id}"
region = "{region}"
state = "active"
software = "celosia"
roles = ["member", "witness"]
addresses = ["{address}"]
signing-key = "{key}"
tls-pin = "{pin}"
native = "https://127.0.0.1:{native}/"
compatible = "http://127.0.0.1:{peer}/"
"#,
            id = self.id,
            region = self.region,
            address = self.keys.public,
            key = self.signing().verify_key(),
            native = self.native_port,
            peer = self.peer_port,
        ))
        .unwrap()
    }

    /// Puts documents into its folder, as an operator does before the first start.
    pub fn give(&mut self, network: NetworkId, notes: &[Note]) {
        self.network = Some(network);
        let folder = self.folder.join("data/governance");
        fs::create_dir_all(&folder).unwrap();
        for (number, note) in notes.iter().enumerate() {
            let kind = if note.text().starts_with("format = \"celosia-policy") { "policy" } else { "directory" };
            fs::write(folder.join(format!("{:06}-{kind}.note", number + 1)), note.to_string()).unwrap();
        }
    }

    /// Moves keys and signing key to an enclave of its own: `enclave.toml` in `folder` is its configuration.
    pub fn hold_keys_elsewhere(&mut self, folder: &Path) {
        let socket = format!("[enclave]\nsocket = \"{}/enclave.sock\"\n", folder.display());
        let config = self.config();
        let (own, keys) = config.split_at(config.find("[[keys]]").unwrap());
        let governance = &own[own.find("[governance]").unwrap()..own.find("[[server]]").unwrap()];
        fs::write(folder.join("enclave.toml"), format!("{socket}data-dir = \"{}/trees\"\n{governance}{keys}", folder.display()))
            .unwrap();
        self.enclave = Some(socket);
    }

    fn config(&self) -> String {
        let whole = self.whole_config();
        let Some(socket) = &self.enclave else { return whole };
        let (own, _) = whole.split_at(whole.find("[[keys]]").unwrap());
        let signing = own.lines().filter(|line| !line.starts_with("signing-key-file")).collect::<Vec<_>>().join("\n");
        format!("{signing}\n{socket}")
    }

    fn whole_config(&self) -> String {
        let port = |target: &Target| match target {
            Target::Tcp(port) => *port,
            Target::Unix(_) => unreachable!("a port"),
        };
        format!(
            r#"
data-dir = "{folder}/data"
{extra}
[features]
privacy-enhancements = true
[peers]
poll-interval = "5s"
[governance]
network = "{network}"
member = "{id}"
signing-key-file = "{folder}/sign.key"
cert = "{folder}/node.crt"
key = "{folder}/node.key"
gossip-interval = "500ms"
[[server]]
surface = "node"
address = "unix:{folder}/tm.ipc"
[[server]]
surface = "application"
address = "http://127.0.0.1:{application}"
[[server]]
surface = "peer"
address = "http://127.0.0.1:{peer}"
[[server]]
surface = "native"
address = "https://127.0.0.1:{native}"
[[server]]
surface = "admin"
address = "http://127.0.0.1:{admin}"
[[keys]]
private-key-file = "{folder}/k.key"
"#,
            folder = self.folder.display(),
            extra = self.extra,
            network = self.network.expect("documents were given"),
            id = self.id,
            application = port(&self.application),
            peer = self.peer_port,
            native = self.native_port,
            admin = port(&self.admin),
        )
    }

    pub fn spawn(&mut self, options: &[&str]) {
        assert!(self.process.is_none(), "it runs already");
        let file = self.folder.join("celosia.toml");
        fs::write(&file, self.config()).unwrap();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_celosia"))
            .arg("run")
            .arg("--config")
            .arg(&file)
            .args(options)
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(child);
    }

    pub fn start(&mut self) {
        self.spawn(&[]);
        self.wait();
    }

    /// Until its node surface answers.
    pub fn wait(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Request::get("/upcheck").try_send(&self.node).is_none() {
            let ended = self.process.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "{} ended with {ended:?}:\n{}", self.id, self.log());
            assert!(Instant::now() < deadline, "{} does not answer:\n{}", self.id, self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Until its admin surface answers.
    pub fn wait_for_admin(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while Request::get("/live").try_send(&self.admin).is_none() {
            assert!(Instant::now() < deadline, "{} does not answer:\n{}", self.id, self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Its exit, which comes by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.as_mut().unwrap().try_wait().unwrap() {
                self.process = None;
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end:\n{}", self.id, self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        child.wait().unwrap();
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Sends a payload; the answer as it is.
    pub fn send(&self, payload: &[u8], to: &[&Self], class: Option<&str>) -> Answer {
        let to: Vec<&str> = to.iter().map(|member| member.keys.public.as_str()).collect();
        let body = json!({ "payload": BASE64.encode(payload), "from": self.keys.public, "to": to });
        let request = Request::post("/send", JSON, body.to_string().as_bytes());
        let request = match class {
            Some(class) => request.header("celosia-class", class),
            None => request,
        };
        request.send(&self.node)
    }

    /// Sends a payload that must arrive; its id.
    #[track_caller]
    pub fn sent(&self, payload: &[u8], to: &[&Self]) -> String {
        let answer = self.send(payload, to, None);
        assert_eq!(answer.status, 201, "{}\n{}", answer.text(), self.log());
        answer.json()["key"].as_str().unwrap().to_owned()
    }

    pub fn receive(&self, id: &str) -> Option<Vec<u8>> {
        let answer = Request::get(&format!("/transaction/{}", percent(id))).header("Accept", JSON).send(&self.node);
        match answer.status {
            200 => Some(BASE64.decode(answer.json()["payload"].as_str().unwrap().as_bytes()).unwrap()),
            404 => None,
            status => panic!("status {status}: {}\n{}", answer.text(), self.log()),
        }
    }

    pub fn publish(&self, note: &Note) -> Answer {
        Request::post("/governance/documents", "application/vnd.celosia.note", note.to_string().as_bytes()).send(&self.admin)
    }

    pub fn governance(&self) -> Value {
        Request::get("/governance/status").send(&self.admin).must(200).json()
    }

    pub fn version(&self) -> u64 {
        self.governance()["version"].as_u64().unwrap()
    }

    #[track_caller]
    pub fn wait_for_version(&self, version: u64) {
        self.wait_until(|| self.version() == version, "it is not on the version");
    }

    #[track_caller]
    pub fn wait_until(&self, mut done: impl FnMut() -> bool, why: &str) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !done() {
            assert!(Instant::now() < deadline, "{}: {why}:\n{}", self.id, self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn percent(id: &str) -> String {
    id.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
