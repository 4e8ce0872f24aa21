use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::{Signature, SigningKey, VerifyKey};
use celosia::journal::{Cause, Sequencer, Signer, Source};
use celosia::translog::commitment::{Commitment, commit};

use crate::go;

/// Rows in memory; row n of a seed is always the same.
pub(crate) struct Rows {
    seed: u8,
    size: Mutex<u64>,
}

pub(crate) fn salt(seed: u8) -> [u8; 32] {
    [seed; 32]
}

pub(crate) fn record(n: u64) -> Vec<u8> {
    format!("{{\"event\":\"stored\",\"n\":{n}}}").into_bytes()
}

impl Rows {
    pub(crate) fn to(seed: u8, size: u64) -> Arc<Self> {
        Arc::new(Self { seed, size: Mutex::new(size) })
    }

    pub(crate) fn grow(&self, size: u64) {
        *self.size.lock().unwrap() = size;
    }
}

#[async_trait]
impl Source for Rows {
    async fn size(&self) -> Result<u64, Cause> {
        Ok(*self.size.lock().unwrap())
    }

    async fn commitments(&self, from: u64, limit: usize) -> Result<Vec<Commitment>, Cause> {
        let end = self.size().await?.min(from + limit as u64);
        Ok((from..end).map(|n| commit(&salt(self.seed), &record(n))).collect())
    }
}

pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(seed: u8) -> Arc<Self> {
        Arc::new(Self(SigningKey::from_seed(&Secret::from_slice(&[seed; 32]).unwrap())))
    }
}

#[async_trait]
impl Signer for Key {
    async fn sign(&self, message: &[u8]) -> Result<Signature, Cause> {
        Ok(self.0.sign(message))
    }

    fn verify_key(&self) -> VerifyKey {
        self.0.verify_key()
    }
}

pub(crate) const ORIGIN: &str = "celosia/0011223344556677/banco-azul";

/// Opens the journal in a folder.
pub(crate) async fn open(folder: &Path, rows: &Arc<Rows>) -> Sequencer {
    Sequencer::open(folder, ORIGIN.into(), Arc::clone(rows) as _, Key::new(1)).await.unwrap()
}

/// A log of a row seed that published at each of the sizes; its key as text.
pub(crate) fn log(folder: &Path, seed: u8, sizes: &[u64]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let rows = Rows::to(seed, 0);
        let sequencer = open(folder, &rows).await;
        for size in sizes {
            rows.grow(*size);
            sequencer.advance(Some(*size)).await.unwrap().unwrap();
            fs::copy(folder.join("checkpoint"), folder.join(format!("checkpoint.{size}"))).unwrap();
        }
        sequencer.key().to_string()
    })
}

/// What a verifier says, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) exit: i32,
    pub(crate) text: String,
}

pub(crate) fn run(program: impl AsRef<Path>, arguments: &[&str]) -> Said {
    let output = Command::new(program.as_ref()).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Said { exit: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
}

/// The whole log by each of the three verifiers: ours, ours alone, and the foreign one last.
pub(crate) fn verify_log(folder: &Path, key: &str, since: Option<PathBuf>) -> [Said; 3] {
    let (folder, since) = (folder.to_str().unwrap(), since.map(|path| path.to_str().unwrap().to_owned()));
    let mut ours = vec!["log", folder, "--key", key];
    let mut theirs = vec![folder, key];
    if let Some(since) = &since {
        ours.extend(["--since", since.as_str()]);
        theirs.push(since.as_str());
    }
    [
        run(env!("CARGO_BIN_EXE_celosia"), &[&["verify"][..], &ours].concat()),
        run(env!("CARGO_BIN_EXE_celosia-verify"), &ours),
        run(go::program("tlog"), &theirs),
    ]
}

/// The folder and all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
