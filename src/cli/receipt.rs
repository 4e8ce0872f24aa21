//! `celosia receipt`: who sent what to whom and who took it, as a file that is verified offline.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::admin::Node;
use super::http::block_on;
use crate::directory::CharterFolder;
use crate::types::PayloadId;
use crate::wire::Receipt;

/// Arguments of `celosia receipt`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a node for the receipt of a payload, show it, and keep it as a file if asked to.
    Show {
        #[command(flatten)]
        node: Node,
        /// The payload's id, base64.
        id: PayloadId,
        /// Where to write the receipt.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Verify a receipt with the keys of a directory: no node is asked.
    Verify {
        /// The receipt.
        file: PathBuf,
        /// Folder of the network's documents.
        #[arg(long, value_name = "FOLDER")]
        directory: PathBuf,
        /// The payload's id, if the receipt must be of that one.
        #[arg(long, value_name = "BASE64")]
        id: Option<PayloadId>,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Show { node, id, out } => show(node, *id, out.as_deref()),
        Command::Verify { file, directory, id } => verify(file, directory, *id),
    }
}

fn show(node: &Node, id: PayloadId, out: Option<&Path>) -> anyhow::Result<()> {
    let door = node.admin()?;
    let id = percent_encoding::utf8_percent_encode(&id.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let answer = block_on(async { door.get(&format!("/receipts/{id}")).await })?;
    if !answer.status.is_success() {
        bail!("{}", answer.text());
    }
    let receipt = Receipt::decode(&answer.body).context("the answer is not a receipt")?;
    if let Some(path) = out {
        std::fs::write(path, &answer.body).with_context(|| path.display().to_string())?;
    }
    say!("{:#}", readable(&receipt));
    Ok(())
}

fn verify(file: &Path, folder: &Path, id: Option<PayloadId>) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let receipt = Receipt::decode(&bytes).with_context(|| format!("{} is not a receipt", file.display()))?;
    let folder = CharterFolder::open(folder, Some(receipt.header.network), Timestamp::now())?;
    let members = folder.charter().members();
    if let Some(id) = id.filter(|id| *id != receipt.header.id) {
        bail!("the receipt is of payload {}, not of {id}", receipt.header.id);
    }
    receipt.verify(|member, time| folder.charter().signing_keys(member, time)).context("the receipt does not hold")?;
    say!("{:#}", readable(&receipt));
    let named =
        |member: &crate::types::MemberId| members.by_id(member).map_or_else(String::new, |member| member.legal_name.clone());
    say!("good: sent by {} ({}), acknowledged by:", receipt.header.member, named(&receipt.header.member));
    for signed in &receipt.acks {
        say!("  {} ({}) at {}", signed.ack.member, named(&signed.ack.member), time(signed.ack.time));
    }
    Ok(())
}

/// A receipt for people. The audience stays what it is: a hash.
fn readable(receipt: &Receipt) -> Value {
    let header = &receipt.header;
    let acks: Vec<_> = receipt
        .acks
        .iter()
        .map(|signed| {
            let ack = &signed.ack;
            json!({ "member": ack.member, "addresses": ack.addresses, "time": time(ack.time), "durable": ack.durable })
        })
        .collect();
    json!({
        "payload": header.id,
        "network": header.network,
        "sender": header.sender,
        "member": header.member,
        "class": header.class,
        "policy": header.policy,
        "time": time(header.time),
        "audience": data_encoding::HEXLOWER.encode(&header.audience),
        "acknowledged": acks,
    })
}

fn time(millis: u64) -> String {
    let stamp = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| millis.to_string(), |stamp| stamp.to_string())
}
