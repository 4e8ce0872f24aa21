//! The journal: rows into tiles, and the verification of a log of 10^6 leaves, beside the hashing that it is made of:
//! `cargo bench --bench journal`. Bar: at most 10 s for the verification. Nothing here passes or fails.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::{Signature, SigningKey, VerifyKey};
use celosia::journal::{Cause, Sequencer, Signer, Source};
use celosia::translog::commitment::{Commitment, commit};
use celosia::translog::hash;

const LEAVES: u64 = 1_000_000;

/// Rows that are computed as they are asked for.
struct Rows(AtomicU64);

#[async_trait]
impl Source for Rows {
    async fn size(&self) -> Result<u64, Cause> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    async fn commitments(&self, from: u64, limit: usize) -> Result<Vec<Commitment>, Cause> {
        let end = self.size().await?.min(from + limit as u64);
        Ok((from..end).map(|n| commit(&[7; 32], &n.to_be_bytes())).collect())
    }
}

struct Key(SigningKey);

#[async_trait]
impl Signer for Key {
    async fn sign(&self, message: &[u8]) -> Result<Signature, Cause> {
        Ok(self.0.sign(message))
    }

    fn verify_key(&self) -> VerifyKey {
        self.0.verify_key()
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let hashes = seconds(|| {
        let leaf = hash::leaf(&[7; 32]);
        (0..LEAVES).fold(leaf, |hash, _| hash::node(&hash::leaf(&hash), &leaf))
    });
    println!("hash 10^6 leaves and nodes           {hashes:>8.2} s  1.00 ×");
    let (rows, key) = (Arc::new(Rows(AtomicU64::new(LEAVES))), Arc::new(Key(SigningKey::from_seed(&Secret::random()))));
    let sequencer =
        runtime.block_on(Sequencer::open(folder.path(), "bench".into(), Arc::clone(&rows) as _, key)).expect("opened");
    let advance = || drop(runtime.block_on(sequencer.advance(Some(1))).expect("advanced"));
    let append = seconds(advance);
    let rate = f64::from(u32::try_from(LEAVES).expect("small")) / append;
    println!("sequence 10^6 rows, on the disk      {append:>8.2} s  {:>4.2} ×  {rate:.0} rows/s", append / hashes);
    for rows_more in [1, 100, 5_000] {
        let each: f64 = (0..10)
            .map(|_| {
                rows.0.fetch_add(rows_more, Ordering::Relaxed);
                seconds(advance)
            })
            .sum();
        println!("one advance by {rows_more:>5} rows            {:>8.2} ms", each * 100.0);
    }
    let size = rows.0.load(Ordering::Relaxed);
    let index = size / 3;
    let note = sequencer.published().expect("published").note.clone();
    let proof = seconds(|| sequencer.log().proof(index, size, note.clone()).expect("a proof"));
    println!("one proof of inclusion               {:>8.2} ms", proof * 1_000.0);
    let mut verify = Command::new(env!("CARGO_BIN_EXE_celosia-verify"));
    verify.arg("log").arg(folder.path()).args(["--key", &sequencer.key().to_string()]);
    let verified = seconds(|| assert!(verify.status().expect("it runs").success()));
    println!("celosia-verify log, {size} leaves   {verified:>8.2} s  {:>4.2} ×", verified / hashes);
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_secs_f64()
}
