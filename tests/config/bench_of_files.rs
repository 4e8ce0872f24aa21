//! A folder with the files that the test configurations name, and the binary run in it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

pub struct Bench(TempDir);

/// Public demo keys of the 7nodes example.
pub const N1: [&str; 2] = ["Wl+xSyXVuuqzpvznOS7dOobhcn4C5auxkFRi7yLtgtA=", "BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo="];
pub const N2: [&str; 2] = ["nDFwJNHSiT1gNzKBy9WJvMhmYRkW3TzFUmPsNzR6oFk=", "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc="];

impl Bench {
    pub fn new() -> Self {
        let bench = Self(TempDir::new().unwrap());
        for (name, [private, public]) in [("n1", N1), ("n2", N2)] {
            bench.write(&format!("{name}.key"), &format!(r#"{{"type":"unlocked","data":{{"bytes":"{private}"}}}}"#));
            bench.write(&format!("{name}.pub"), public);
        }
        for name in ["passwords", "server.key", "server.pem", "ca.pem", "known-clients"] {
            bench.write(name, "\n");
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.answer(arguments, "")
    }

    /// Runs the binary in the folder with text on its standard input.
    pub fn answer(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_celosia"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("HOME", "/home/operator")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that asks nothing may have closed its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            exit: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A file of this project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares with a file of the project; `CELOSIA_BLESS=1` writes it instead.
pub fn golden(path: &str, actual: &str) {
    let path = project(path);
    if std::env::var_os("CELOSIA_BLESS").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; CELOSIA_BLESS=1 accepts", path.display());
}
