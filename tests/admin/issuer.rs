//! A real OpenID Connect issuer from npm, as a process on loopback.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::http::{Request, Target};
use crate::ports;

pub struct Issuer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    port: u16,
}

impl Issuer {
    /// Starts one that knows these people: name to the claims of their tokens. `None` where there is no Node.
    pub fn start(people: &Value) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/admin/issuer");
        if Command::new("node").arg("--version").stdout(Stdio::null()).status().is_err() {
            println!("SKIPPED: node is not here (scripts/setup test installs it)");
            return None;
        }
        if !folder.join("node_modules").is_dir() {
            let installed = Command::new("npm").arg("ci").current_dir(&folder).stdin(Stdio::null()).status().unwrap();
            assert!(installed.success(), "npm ci failed in {}", folder.display());
        }
        let port = ports::free();
        let mut process = Command::new("node")
            .args(["issuer.mjs", &port.to_string(), &people.to_string()])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut issuer = Self { process, input, output, port };
        assert_eq!(issuer.answer(), "ready");
        Some(issuer)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A token of the client-credentials grant, signed with an algorithm, for an audience.
    pub fn token(&self, name: &str, audience: &str, algorithm: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={name}&client_secret={name}-secret&resource=urn:celosia:{audience}:{algorithm}"
        );
        let request = Request::post("/token", "application/x-www-form-urlencoded", form.as_bytes());
        let request = request.host(&format!("127.0.0.1:{}", self.port));
        let answer = request.send(&Target::Tcp(self.port)).must(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Claims as the issuer itself makes them, for this node.
    pub fn claims(&self, name: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        json!({ "iss": self.url(), "aud": "member1", "sub": name, "exp": now + 600, "iat": now, "roles": ["operator"] })
    }

    /// A token that no honest issuer gives: see `issuer.mjs`.
    pub fn forge(&mut self, sign: &str, claims: &Value, header: &Value) -> String {
        let answer = self.ask(&json!({ "forge": { "sign": sign, "claims": claims, "header": header } }));
        answer.as_str().unwrap().to_owned()
    }

    /// New keys; the old ones are no longer published.
    pub fn rotate(&mut self) {
        assert_eq!(self.ask(&json!({ "rotate": true })), "rotated");
    }

    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.input, "{what}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the issuer ended");
            // It greets and warns on the same output.
            if let Ok(value) = serde_json::from_str(&line) {
                return value;
            }
        }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
