//! Two members on loopback; the first also serves its node surface over HTTP and mutual TLS.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// Example key pairs of `keys/`.
const KEYS: [&str; 2] = ["demo-1", "demo-2"];

pub struct Nodes {
    folder: TempDir,
    ports: Vec<u16>,
    processes: Vec<Child>,
}

impl Nodes {
    /// Starts both and waits until each knows the other's key.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let held: Vec<TcpListener> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        drop(held);
        let mut nodes = Self { folder, ports, processes: Vec::new() };
        for n in 0..KEYS.len() {
            let config = nodes.path(&format!("{n}.toml"));
            fs::write(&config, nodes.config(n)).unwrap();
            let log = fs::File::create(nodes.path(&format!("{n}.log"))).unwrap();
            let mut run = Command::new(env!("CARGO_BIN_EXE_celosia"));
            run.args(["run", "--config", &config]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            nodes.processes.push(run.spawn().unwrap());
        }
        nodes.wait();
        nodes
    }

    /// What `tests/clients/network.mjs` reads.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CLIENTS_A_SOCKET", self.path("0.ipc")),
            ("CLIENTS_B_SOCKET", self.path("1.ipc")),
            ("CLIENTS_A_HTTP", format!("http://127.0.0.1:{}", self.ports[2])),
            ("CLIENTS_A_HTTPS", format!("https://127.0.0.1:{}", self.ports[3])),
            ("CLIENTS_A_HTTPS_OPEN", format!("https://127.0.0.1:{}", self.ports[5])),
            ("CLIENTS_A_APPLICATION", format!("http://127.0.0.1:{}", self.ports[4])),
            ("CLIENTS_A_KEY", public_key(0)),
            ("CLIENTS_B_KEY", public_key(1)),
            ("CLIENTS_TLS", self.path("")),
        ]
    }

    pub fn logs(&self) -> String {
        (0..KEYS.len()).map(|n| fs::read_to_string(self.path(&format!("{n}.log"))).unwrap()).collect()
    }

    fn config(&self, n: usize) -> String {
        let (folder, ports) = (self.folder.path().display(), &self.ports);
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
        let mut text = format!(
            "data-dir = \"{folder}/data-{n}\"\n\
             [features]\nprivacy-enhancements = true\n\
             [peers]\nurls = [\"http://127.0.0.1:{}/\", \"http://127.0.0.1:{}/\"]\npoll-interval = \"200ms\"\n\
             [[server]]\nsurface = \"peer\"\naddress = \"http://127.0.0.1:{}/\"\n\
             [[server]]\nsurface = \"node\"\naddress = \"unix:{folder}/{n}.ipc\"\n\
             [[keys]]\nprivate-key-file = \"{}/{}.key\"\n",
            ports[0],
            ports[1],
            ports[n],
            keys.display(),
            KEYS[n],
        );
        if n == 0 {
            write!(
                text,
                "[[server]]\nsurface = \"node\"\naddress = \"http://127.0.0.1:{}/\"\n\
                 [[server]]\nsurface = \"application\"\naddress = \"http://127.0.0.1:{}/\"\n\
                 [[server]]\nsurface = \"node\"\naddress = \"https://127.0.0.1:{}/\"\n\
                 [server.tls]\ncert = \"{folder}/server.pem\"\nkey = \"{folder}/server-key.pem\"\nca = [\"{folder}/ca.pem\"]\n\
                 [[server]]\nsurface = \"node\"\naddress = \"https://127.0.0.1:{}/\"\n\
                 [server.tls]\ncert = \"{folder}/server.pem\"\nkey = \"{folder}/server-key.pem\"\nclient-auth = false\ntrust-mode = \"none\"\n",
                ports[2], ports[4], ports[3], ports[5],
            )
            .unwrap();
        }
        text
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let knows = |n: usize| {
            let mut ask = Command::new(env!("CARGO_BIN_EXE_celosia"));
            let asked = ask.args(["health", "--quiet", "--config", &self.path(&format!("{n}.toml"))]).stderr(Stdio::null());
            UnixStream::connect(self.path(&format!("{n}.ipc"))).is_ok() && asked.status().unwrap().success()
        };
        let met = || self.logs().matches("peer announced itself").count() >= 2;
        while !(knows(0) && knows(1) && met()) {
            assert!(Instant::now() < deadline, "the nodes did not meet:\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself; its data goes with the folder.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn public_key(n: usize) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(KEYS[n]).with_extension("pub");
    fs::read_to_string(file).unwrap()
}

/// An authority, a server certificate for loopback and a client certificate.
fn certificates(folder: &Path) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca_params = CertificateParams::new(Vec::new()).unwrap();
    ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca_params.distinguished_name.push(DnType::CommonName, "authority");
    let ca = ca_params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca_params, ca_key);
    let write = |name: &str, text: String| fs::write(folder.join(format!("{name}.pem")), text).unwrap();
    write("ca", ca.pem());
    for (name, usage) in [("server", ExtendedKeyUsagePurpose::ServerAuth), ("client", ExtendedKeyUsagePurpose::ClientAuth)] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate: Certificate = params.signed_by(&key, &issuer).unwrap();
        write(name, certificate.pem());
        write(&format!("{name}-key"), key.serialize_pem());
    }
}
