//! What was collected, given to this member's own node: each payload's keys sealed to a one-time key of its enclave.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::cli::Failure;
use crate::cli::admin::{Door, Node};
use crate::cli::auditor::{Package, Unlock};
use crate::cli::disclosure::SEQUENCE;
use crate::cli::erase::text;
use crate::cli::http::block_on;
use crate::crypto::hpke::{self, BoxKey};
use crate::disclosure::{Bundle, GrantId, Item, Opened, Released, frame};
use crate::enclave::returned::INFO;
use crate::types::{Coded as _, PayloadId};

/// A node that asks every member for erasures first takes its time.
const PATIENCE: Duration = Duration::from_mins(10);

/// What is to be done with it.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// All of it is kept.
    All { despite_silent: bool },
    /// One goes the whole way, and is not kept.
    Drill(PayloadId),
}

/// What became of how many.
#[derive(Debug, Default)]
struct Counts {
    kept: u64,
    here: u64,
    erased: u64,
    held: u64,
    drilled: u64,
    refused: u64,
    not_opened: u64,
}

pub(super) fn run(unlock: &Unlock, node: &Node, what: What) -> Result<(), Failure> {
    let mut package = Package::open(unlock)?;
    let door = node.patient_admin(PATIENCE)?;
    let bundle = package.looked.bundle.clone();
    let grant = bundle.request.request.grant;
    let leaves: Vec<u8> = package.looked.items.iter().flat_map(Item::leaf).collect();
    let key = begin(&door, &bundle, &leaves, what)?;
    let mut counts = Counts::default();
    package.each(&mut |item, frame, opened| {
        if matches!(what, What::Drill(id) if id != item.id) {
            return Ok(());
        }
        let outcome = match (frame, opened) {
            (Some(frame), Ok(opened)) => give(&door, (grant, &key), item, frame, &opened),
            (_, Err(refused)) => {
                say!("not opened: {refused} [{}]", refused.code());
                counts.not_opened += 1;
                return Ok(());
            }
            (None, Ok(_)) => return Ok(()),
        };
        match outcome.as_ref().map(|settled| text(&settled["fate"])) {
            Ok(fate) => counts.add(&fate),
            Err(error) => {
                say!("not taken: {}: {error:#}", item.id);
                counts.refused += 1;
            }
        }
        Ok(())
    })?;
    counts.say(what)
}

impl Counts {
    fn add(&mut self, fate: &str) {
        match fate {
            "kept" => self.kept += 1,
            "here" => self.here += 1,
            "erased" => self.erased += 1,
            "held" => self.held += 1,
            _ => {
                say!(
                    "{}",
                    if fate == "drilled-same" { "drill: the same key as the one that is kept here" } else { "drill: it opens" }
                );
                self.drilled += 1;
            }
        }
    }

    fn say(&self, what: What) -> Result<(), Failure> {
        let Self { kept, here, erased, held, drilled, refused, not_opened } = self;
        if let What::Drill(id) = what {
            return if *drilled == 1 {
                Ok(())
            } else {
                Err(Failure::plain(2, format!("the drill failed: {id} did not go the whole way")))
            };
        }
        say!(
            "{kept} kept, {here} here already, {erased} erased and left so, {held} blocked and left so, {refused} not taken, {not_opened} not opened"
        );
        if kept + here == 0 || *refused > 0 { Err(Failure::plain(2, "not everything came back")) } else { Ok(()) }
    }
}

/// Begins at the node; the key that everything is sealed to.
fn begin(door: &Door, bundle: &Bundle, leaves: &[u8], what: What) -> Result<BoxKey, Failure> {
    let parts = [frame(&bundle.request.encode()), frame(&bundle.docket.encode()), frame(leaves)].concat();
    let how = match what {
        What::Drill(_) => "?drill=true",
        What::All { despite_silent: true } => "?despite_silent=true",
        What::All { despite_silent: false } => "",
    };
    let path = format!("/recoveries/{}{how}", bundle.request.request.grant);
    let begun: Value = block_on(async { door.post_bytes(&path, SEQUENCE, Bytes::from(parts)).await?.json() })?;
    if begun["replayed"].as_u64().is_some_and(|orders| orders > 0) {
        eprintln!("carried out first: {} order(s) to erase that other members showed", begun["replayed"]);
    }
    Ok(text(&begun["key"]).parse().context("the node's one-time key")?)
}

/// Gives one payload.
///
/// Threat: its data key in the clear, on the way to the node or in the node. It is sealed here, and opened by the enclave alone.
fn give(door: &Door, (grant, key): (GrantId, &BoxKey), item: &Item, frame_of: &[u8], opened: &Opened) -> anyhow::Result<Value> {
    let Released::Given { ciphertext, .. } = Released::decode(frame_of)? else {
        anyhow::bail!("it was not released");
    };
    let mut plain = Zeroizing::new([0; 88]);
    plain[..32].copy_from_slice(opened.keys.data_key.expose());
    plain[32..64].copy_from_slice(opened.keys.sigma.expose());
    plain[64..].copy_from_slice(&opened.keys.nonce);
    let sealed = hpke::seal(key, INFO, &opened.label.encode(), &*plain).context("the node's one-time key is none")?;
    let parts = [item.encode(), sealed, ciphertext, opened.provenance.encode()];
    let body: Vec<u8> = parts.iter().flat_map(|part| frame(part)).collect();
    let path = format!("/recoveries/{grant}/payloads?key={}", escaped(key));
    block_on(async { door.post_bytes(&path, SEQUENCE, Bytes::from(body)).await?.json() })
}

/// A key as it stands in a query.
fn escaped(key: &BoxKey) -> String {
    key.to_string().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}
