//! A network of real members on loopback, each its own `celosia run` process: for the demo and the benchmark.

mod charter;
mod officers;

pub(crate) use officers::{Desk, THRESHOLD};

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use self::charter::Founding;
use crate::enclave::keyfile;
use crate::governance::Committee;
use crate::types::{Address, NetworkId};

/// How long a member may take until it answers.
const START_TIME: Duration = Duration::from_secs(20);
/// How long a member may take to stop before it is killed.
const STOP_TIME: Duration = Duration::from_secs(10);

/// What the members are under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rules {
    /// Nothing: they announce themselves to each other, as Tesseras do.
    None,
    /// A directory and a policy.
    Charter,
    /// The same, and every payload carries a capsule (supervision S2).
    Escrow,
}

/// Members that run until this is dropped.
pub(crate) struct Network {
    /// The members, in the order of their names.
    pub(crate) members: Vec<Member>,
    folder: Folder,
}

enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

/// One member: its process and where it is reached.
pub(crate) struct Member {
    /// `A`, `B`, …
    pub(crate) name: String,
    /// Its public key.
    pub(crate) address: Address,
    /// Everything that it keeps.
    pub(crate) folder: PathBuf,
    /// Socket of the node surface.
    pub(crate) node_socket: PathBuf,
    /// URL of the application surface.
    pub(crate) application: String,
    /// URL of the peer surface.
    pub(crate) peer: String,
    /// URL of the admin surface.
    pub(crate) admin: String,
    process: Option<Child>,
}

impl Network {
    /// Makes keys and configuration of `count` members in `keep`, or in a temporary folder, and starts them.
    pub(crate) fn start(count: usize, keep: Option<&Path>) -> anyhow::Result<Self> {
        Self::start_as(count, keep, Rules::None)
    }

    /// The same under rules.
    pub(crate) fn start_as(count: usize, keep: Option<&Path>, rules: Rules) -> anyhow::Result<Self> {
        let mut network = Self::prepare(count, keep)?;
        match rules {
            Rules::None => {}
            Rules::Charter => network.found("", |_, _| Ok(None))?,
            Rules::Escrow => network.found("", |_, _| charter::nobody().map(Some))?,
        }
        network.run()
    }

    /// The same under supervision S2: `committee` makes the escrow's, in the network's folder, before the policy is signed. `extra` stands
    /// at the end of each member's configuration.
    pub(crate) fn start_supervised(
        count: usize,
        keep: Option<&Path>,
        extra: &str,
        committee: impl FnOnce(&Path, NetworkId) -> anyhow::Result<Committee>,
    ) -> anyhow::Result<Self> {
        let mut network = Self::prepare(count, keep)?;
        network.found(extra, |folder, id| committee(folder, id).map(Some))?;
        network.run()
    }

    fn prepare(count: usize, keep: Option<&Path>) -> anyhow::Result<Self> {
        ensure!((1..=26).contains(&count), "a network has 1 to 26 members");
        let folder = match keep {
            Some(path) => {
                fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
                Folder::Kept(fs::canonicalize(path)?)
            }
            None => Folder::Temporary(tempfile::Builder::new().prefix("celosia-").tempdir()?),
        };
        let ports = free_ports(count * 3)?;
        let peers: Vec<String> = ports.chunks(3).map(|ports| format!("http://127.0.0.1:{}/", ports[0])).collect();
        let mut network = Self { members: Vec::new(), folder };
        for (name, ports) in ('a'..='z').zip(ports.chunks(3)) {
            let member = Member::prepare(name, network.path(), ports, &peers)?;
            network.members.push(member);
        }
        Ok(network)
    }

    /// Puts the members under a directory and a policy.
    fn found(
        &mut self,
        extra: &str,
        committee: impl FnOnce(&Path, NetworkId) -> anyhow::Result<Option<Committee>>,
    ) -> anyhow::Result<()> {
        let ports = free_ports(self.members.len())?;
        let natives: Vec<String> = ports.iter().map(|port| format!("https://127.0.0.1:{port}/")).collect();
        let founding = Founding::begin()?;
        let (id, folder) = (founding.network(), self.path().to_owned());
        founding.sign(&self.members, &natives, committee(&folder, id)?)?;
        for (member, native) in self.members.iter().zip(&natives) {
            let toml = fs::read_to_string(member.config())? + &member.governed_toml(id, native) + extra;
            fs::write(member.config(), toml)?;
        }
        Ok(())
    }

    fn run(mut self) -> anyhow::Result<Self> {
        for member in &mut self.members {
            member.start()?;
        }
        self.members.iter_mut().try_for_each(Member::wait)?;
        Ok(self)
    }

    /// Where the members keep everything.
    pub(crate) fn path(&self) -> &Path {
        match &self.folder {
            Folder::Kept(path) => path,
            Folder::Temporary(folder) => folder.path(),
        }
    }
}

impl Member {
    fn prepare(letter: char, network: &Path, ports: &[u16], peers: &[String]) -> anyhow::Result<Self> {
        let folder = network.join(letter.to_string());
        fs::create_dir_all(&folder)?;
        let (private, address) = keyfile::generate();
        let key_file = folder.join("node.key");
        if key_file.exists() {
            bail!("{} exists: name an empty folder", key_file.display());
        }
        keyfile::write_pair(&folder.join("node"), &address, &keyfile::to_unlocked_json(&private))?;
        let member = Self {
            name: letter.to_ascii_uppercase().to_string(),
            address,
            node_socket: folder.join("tm.ipc"),
            application: format!("http://127.0.0.1:{}", ports[1]),
            peer: peers[usize::from(letter as u8 - b'a')].clone(),
            admin: format!("http://127.0.0.1:{}", ports[2]),
            process: None,
            folder,
        };
        fs::write(member.config(), member.toml(peers))?;
        Ok(member)
    }

    /// Its configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("celosia.toml")
    }

    fn toml(&self, peers: &[String]) -> String {
        let folder = self.folder.display();
        let urls: Vec<String> = peers.iter().map(|url| format!("\"{url}\"")).collect();
        format!(
            "data-dir = \"{folder}/data\"\n\n\
             [features]\nprivacy-enhancements = true\n\n\
             [peers]\nurls = [{}]\n\n\
             [[server]]\nsurface = \"node\"\naddress = \"unix:{}\"\n\n\
             [[server]]\nsurface = \"application\"\naddress = \"{}\"\n\n\
             [[server]]\nsurface = \"peer\"\naddress = \"{}\"\n\n\
             [[server]]\nsurface = \"admin\"\naddress = \"{}\"\n\n\
             [[keys]]\nprivate-key-file = \"{folder}/node.key\"\npublic-key-file = \"{folder}/node.pub\"\n",
            urls.join(", "),
            self.node_socket.display(),
            self.application,
            self.peer,
            self.admin,
        )
    }

    fn governed_toml(&self, network: NetworkId, native: &str) -> String {
        let folder = self.folder.display();
        format!(
            "\n[[server]]\nsurface = \"native\"\naddress = \"{native}\"\n\n\
             [governance]\nnetwork = \"{network}\"\nmember = \"{}\"\nsigning-key-file = \"{folder}/sign.key\"\n\
             cert = \"{folder}/node.crt\"\nkey = \"{folder}/tls.key\"\ngossip-interval = \"1s\"\n",
            self.name.to_lowercase(),
        )
    }

    /// Starts the process; it appends its log to `celosia.log` in the member's folder.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("celosia.log"))?;
        let program = std::env::current_exe().context("cannot find the running program")?;
        let child = Command::new(program)
            .arg("run")
            .arg("--config")
            .arg(self.config())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start member {}", self.name))?;
        self.process = Some(child);
        Ok(())
    }

    /// Waits until the node surface answers.
    pub(crate) fn wait(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIME;
        loop {
            if std::os::unix::net::UnixStream::connect(&self.node_socket).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                bail!("member {} ended with {status}: see {}", self.name, self.folder.join("celosia.log").display());
            }
            ensure!(Instant::now() < deadline, "member {} does not answer: see {}/celosia.log", self.name, self.folder.display());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Stops the process: SIGTERM, and SIGKILL if it does not end.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + STOP_TIME;
        while Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ports of loopback that nobody uses now.
pub(crate) fn free_ports(count: usize) -> anyhow::Result<Vec<u16>> {
    let held: Vec<TcpListener> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    Ok(held.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?.iter().map(std::net::SocketAddr::port).collect())
}
