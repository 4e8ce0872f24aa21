//! A root under a transit key of a real server: `CELOSIA_TEST_VAULT=/path/to/bao` (or `vault`), run in its development mode over TLS.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use celosia::shred::{Forest, RootKey, VaultRoot, VaultSettings};
use celosia::types::{Code, Coded as _};
use tempfile::{TempDir, tempdir};

use crate::life::{
    a_backup_from_before_opens_nothing_after, a_root_of_files_moves, generations_do_not_pile_up, opened, reads, seal,
};
use crate::ports;

struct Server {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// `None` where no server is given.
    fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("CELOSIA_TEST_VAULT").filter(|path| !path.is_empty()).map(PathBuf::from) else {
            println!("skipped: CELOSIA_TEST_VAULT is not set");
            return None;
        };
        let (folder, port) = (tempdir().unwrap(), two_ports());
        fs::create_dir(folder.path().join("tls")).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(&program)
            .args(["server", "-dev", "-dev-tls", "-dev-no-store-token", "-dev-root-token-id=root"])
            .arg(format!("-dev-tls-cert-dir={}", folder.path().join("tls").display()))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { program, folder, port, process };
        let deadline = Instant::now() + Duration::from_mins(1);
        while server.try_say(&["secrets", "enable", "transit"]).is_none() {
            assert!(Instant::now() < deadline, "the server does not answer: {}", server.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(server)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn ca(&self) -> PathBuf {
        let names = ["vault-ca.pem", "openbao-ca.pem", "bao-ca.pem"].map(|name| self.folder.path().join("tls").join(name));
        names.into_iter().find(|path| path.exists()).unwrap_or_else(|| self.folder.path().join("tls/vault-ca.pem"))
    }

    /// What its own command line prints.
    fn try_say(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(&self.program);
        for prefix in ["BAO", "VAULT"] {
            command.env(format!("{prefix}_ADDR"), format!("https://127.0.0.1:{}", self.port));
            command.env(format!("{prefix}_TOKEN"), "root").env(format!("{prefix}_CACERT"), self.ca());
        }
        let output = command.args(arguments).env("HOME", self.folder.path()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    fn say(&self, arguments: &[&str]) -> String {
        self.try_say(arguments).unwrap_or_else(|| panic!("{arguments:?} fails: {}", self.log()))
    }

    fn token_file(&self, name: &str, token: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("{}\n", token.trim())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A token that may do what `docs/operations.md` says and nothing else.
    fn least(&self, key: &str) -> PathBuf {
        let policy = include_str!("../../docs/vault-policy.hcl").replace("celosia-root", key);
        let file = self.folder.path().join(format!("{key}.hcl"));
        fs::write(&file, policy).unwrap();
        self.say(&["policy", "write", key, &file.display().to_string()]);
        let token = self.say(&["token", "create", "-field=token", &format!("-policy={key}"), "-no-default-policy"]);
        self.token_file(&format!("{key}.token"), &token)
    }

    fn settings(&self, key: &str) -> VaultSettings {
        VaultSettings {
            url: format!("https://127.0.0.1:{}/", self.port),
            mount: "transit".to_owned(),
            key: key.to_owned(),
            namespace: None,
            token_file: Some(self.folder.path().join(format!("{key}.token"))),
            token_variable: "CELOSIA_TEST_NO_TOKEN".to_owned(),
            ca: vec![self.ca()],
        }
    }

    /// A fresh key and a token of its own.
    fn key(&self, key: &str) -> impl Fn(&Path) -> Box<dyn RootKey> + '_ {
        self.say(&["write", "-f", &format!("transit/keys/{key}"), "type=aes256-gcm96"]);
        self.least(key);
        let settings = self.settings(key);
        move |folder: &Path| Box::new(VaultRoot::new(folder, settings.clone()).unwrap())
    }
}

/// The server takes the next port as well, for others of its cluster.
fn two_ports() -> u16 {
    loop {
        let (first, second) = (ports::free(), ports::free());
        if second == first + 1 {
            return first;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_backup_of_everything_and_the_server_open_nothing_after_a_rotation() {
    let Some(server) = Server::start() else { return };
    a_backup_from_before_opens_nothing_after(&server.key("a"), "");
    a_root_of_files_moves(&server.key("b"));
    generations_do_not_pile_up(&server.key("c"));
    let key = server.say(&["read", "-format=json", "transit/keys/c"]);
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    assert_eq!((&key["data"]["min_available_version"], &key["data"]["latest_version"]), (&4.into(), &4.into()), "{key}");
    assert_eq!(key["data"]["keys"].as_object().unwrap().len(), 1, "older versions are gone at the server: {key}");
}

#[test]
fn a_root_moves_to_another_transit_key() {
    let Some(server) = Server::start() else { return };
    let (old, new) = (server.key("old"), server.key("new"));
    let folder = tempdir().unwrap();
    let head = seal(&opened(&old, folder.path()), b"kept");
    // While it moves, the token must reach both keys.
    let root = server.token_file("new.token", "root");
    assert!(root.exists());
    let forest = opened(&new, folder.path());
    let done = forest.rotate().unwrap();
    assert!(
        done.destroyed[0].word.contains("transit key old") && done.destroyed[0].word.contains("version 1 trimmed"),
        "{done:?}"
    );
    assert!(reads(&forest, &head, b"kept"));
}

#[test]
fn a_server_that_refuses_or_is_not_there_has_a_code() {
    let Some(server) = Server::start() else { return };
    let _good = server.key("good");
    server.say(&["write", "-f", "transit/keys/rsa", "type=rsa-2048"]);
    server.say(&["write", "-f", "transit/keys/open", "type=aes256-gcm96", "exportable=true"]);
    server.token_file("wrong.token", "s.not-a-token");
    for key in ["rsa", "open", "missing"] {
        server.token_file(&format!("{key}.token"), "root");
    }
    let elsewhere = format!("https://127.0.0.1:{}/", ports::free());
    let folder = tempdir().unwrap();
    let try_with = |settings: VaultSettings| {
        let root = VaultRoot::new(folder.path(), settings).unwrap();
        Forest::open(folder.path(), Box::new(root)).err().expect("refused")
    };
    let stranger = VaultSettings { token_file: Some(server.folder.path().join("wrong.token")), ..server.settings("good") };
    for (settings, code) in [
        (VaultSettings { url: elsewhere, ..server.settings("good") }, 4107),
        (VaultSettings { ca: Vec::new(), ..server.settings("good") }, 4107),
        (stranger, 4109),
        (VaultSettings { token_file: None, ..server.settings("good") }, 4109),
        (server.settings("missing"), 4110),
        (server.settings("rsa"), 4117),
        (server.settings("open"), 4117),
    ] {
        let error = try_with(settings);
        assert_eq!(error.code(), Code(code), "{error}");
        assert!(!error.to_string().contains("s.not-a-token"), "{error}");
    }
    server.say(&["operator", "seal"]);
    assert_eq!(try_with(server.settings("good")).code(), Code(4108));
}
