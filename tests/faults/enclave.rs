//! A member whose keys are in a process of their own, which dies and comes back.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;

use crate::member::{CELOSIA, Member, network, path_of};

const PATIENCE: Duration = Duration::from_secs(20);

/// `celosia enclave` of one member.
struct Enclave {
    folder: PathBuf,
    process: Option<Child>,
}

impl Enclave {
    /// Takes the keys out of the member's configuration and into one of the enclave's own.
    fn take_keys_of(member: &Member) -> Self {
        let folder = member.folder.join("enclave");
        fs::create_dir_all(&folder).expect("a folder");
        let socket = format!("[enclave]\nsocket = \"{}/enclave.sock\"\n", folder.display());
        let (node, keys) = {
            let toml = fs::read_to_string(member.config()).expect("a configuration");
            let at = toml.find("[[keys]]").expect("keys");
            (toml[..at].to_owned(), toml[at..].to_owned())
        };
        fs::write(member.config(), format!("{node}{socket}")).expect("written");
        let own = format!("{socket}data-dir = \"{}/trees\"\n{keys}", folder.display());
        fs::write(folder.join("enclave.toml"), own).expect("written");
        Self { folder, process: None }
    }

    fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log")).expect("a log file");
        let child = Command::new(CELOSIA)
            .args(["enclave", "--config"])
            .arg(self.folder.join("enclave.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(child.expect("the enclave starts"));
    }

    fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// kill -9: the socket file stays behind.
    fn kill(&mut self) {
        if let Some(mut child) = self.process.take() {
            child.kill().expect("killed");
            child.wait().expect("reaped");
        }
    }
}

impl Drop for Enclave {
    fn drop(&mut self) {
        self.kill();
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether `needle` is anywhere in a process's writable memory; `None` where the system does not let us look.
fn holds(pid: u32, needle: &[u8]) -> Option<bool> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        memory.seek(SeekFrom::Start(start)).ok()?;
        // A mapping may go while we read, or be one that cannot be read.
        if memory.read_exact(&mut bytes).is_ok() && bytes.windows(needle.len()).any(|window| window == needle) {
            return Some(true);
        }
    }
    Some(false)
}

fn private_key(folder: &Path) -> Vec<u8> {
    let file: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("node.key")).expect("a key file")).expect("JSON");
    BASE64.decode(file["data"]["bytes"].as_str().expect("unlocked").as_bytes()).expect("base64")
}

#[test]
fn an_enclave_of_its_own_may_die_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut members = network(folder.path(), 2);
    let mut enclave = Enclave::take_keys_of(&members[0]);
    enclave.start();
    members.iter_mut().for_each(Member::spawn);
    members.iter_mut().for_each(Member::wait);
    let (a, b) = (&members[0], &members[1]);
    a.meet(&[&b.key]);
    let id = a.send(b"kept apart", &[&b.key]).expect("acknowledged");
    let back = b.send(b"and back", &[&a.key]).expect("acknowledged");
    assert_eq!((a.receive(&id), a.receive(&back)), ((200, b"kept apart".to_vec()), (200, b"and back".to_vec())));
    let mode = fs::metadata(enclave.folder.join("enclave.sock")).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!a.data.join("enclave").exists(), "the node keeps no key trees");

    let key = private_key(&a.folder);
    match (holds(enclave.pid(), &key), holds(a.pid(), &key)) {
        (Some(in_enclave), Some(in_node)) => assert_eq!((in_enclave, in_node), (true, false)),
        _ => eprintln!("not looked at: the memory of the processes (needs CAP_SYS_PTRACE)"),
    }

    // Gone: never "not found", which the node would take for "not a party".
    enclave.kill();
    until("the node sees that it is gone", || a.receive(&id).0 == 503);
    assert_eq!(a.receive(&back).0, 503);
    assert_eq!(a.send(b"now", &[&b.key]), None);
    assert_eq!(b.receive(&id).0, 200);

    // Back, over the socket file that the dead one left.
    enclave.start();
    until("it is found again", || a.receive(&id).0 == 200);
    assert_eq!((a.receive(&id), a.receive(&back)), ((200, b"kept apart".to_vec()), (200, b"and back".to_vec())));
    a.send(b"again", &[&b.key]).expect("acknowledged");

    let erased = a.call("DELETE", &path_of(&id), b"").expect("an answer").status;
    assert_eq!((erased, a.receive(&id).0), (204, 404));
    enclave.kill();
    enclave.start();
    until("it is found again", || a.receive(&back).0 == 200);
    assert_eq!(a.receive(&id).0, 404);
}

/// The node's clock, the enclave's root: the rotation crosses the socket, and everything stays readable.
#[test]
fn the_root_of_an_enclave_of_its_own_is_rotated_by_the_nodes_clock() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut members = network(folder.path(), 2);
    let mut enclave = Enclave::take_keys_of(&members[0]);
    let config = fs::read_to_string(members[0].config()).expect("a configuration");
    fs::write(members[0].config(), format!("{config}[root]\nrotate-every = \"1s\"\n")).expect("written");
    enclave.start();
    members.iter_mut().for_each(Member::spawn);
    members.iter_mut().for_each(Member::wait);
    let (a, b) = (&members[0], &members[1]);
    a.meet(&[&b.key]);
    let id = a.send(b"kept apart", &[&b.key]).expect("acknowledged");
    let root = |generation: u32| enclave.folder.join(format!("trees/root-{generation}.key"));
    let (first, third) = (root(1), root(3));
    until("the root is rotated twice", || third.exists() && !first.exists());
    assert_eq!(a.receive(&id), (200, b"kept apart".to_vec()));
    enclave.kill();
    enclave.start();
    until("it is found again", || a.receive(&id).0 == 200);
}
