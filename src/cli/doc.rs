//! `celosia doc`: documents of a running node, over its application surface. Holds one piece of a document, however long it is.

mod get;
mod put;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Subcommand;
use hyper::Method;
use serde_json::{Value, json};

use super::admin::{Door, Node, target};
use crate::config::Surface;
use crate::net::client::{Answer, Target};
use crate::types::{Address, DocumentId};

/// Bytes of one exchange.
const PIECE: usize = 8 << 20;
/// Longest that one exchange may last: the last piece may wait until every recipient has the document.
const PATIENCE: Duration = Duration::from_mins(15);

/// Arguments of `celosia doc`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Which running node is meant.
#[derive(clap::Args, Debug)]
pub(crate) struct At {
    /// Application surface of the node: `http://host:port`, `https://host:port` or `unix:/path`.
    #[arg(long, value_name = "ADDRESS", env = "CELOSIA_APPLICATION", conflicts_with = "config", value_parser = target)]
    application: Option<Target>,
    /// Configuration file of the node: its application surface is asked.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Client certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Private key of the client certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Authorities that vouch for the node's certificate, PEM.
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put a file, or standard input, and print the document's id.
    Put(put::Put),
    /// Write a document, or a part of it, to a file or to standard output. A download that broke off goes on where it ended.
    Get(get::Get),
    /// Share a document that was put here with more recipients.
    Share {
        #[command(flatten)]
        at: At,
        /// The document's id: base64, or hexadecimal.
        #[arg(value_parser = DocumentId::from_words)]
        id: DocumentId,
        /// A recipient's public key; may be repeated.
        #[arg(long, value_name = "KEY", required = true)]
        to: Vec<Address>,
    },
    /// List the documents of the node.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Show what is known of a document: for whom it is, and who has it.
    Show {
        #[command(flatten)]
        at: At,
        /// The document's id: base64, or hexadecimal.
        #[arg(value_parser = DocumentId::from_words)]
        id: DocumentId,
    },
    /// Write the receipts of a document into a folder, a file for each member that has it; `celosia receipt verify` takes them.
    Receipts {
        #[command(flatten)]
        at: At,
        /// The document's id: base64, or hexadecimal.
        #[arg(value_parser = DocumentId::from_words)]
        id: DocumentId,
        /// Where to write them.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Erase a document for ever: at every holder, if it was put here; else this node's copy.
    Erase {
        #[command(flatten)]
        at: At,
        /// The document's id: base64, or hexadecimal.
        #[arg(value_parser = DocumentId::from_words)]
        id: DocumentId,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    super::http::block_on(async {
        match &args.command {
            Command::Put(put) => put.run().await,
            Command::Get(get) => get.run().await,
            Command::Share { at, id, to } => share(at, id, to).await,
            Command::List { at } => list(at).await,
            Command::Show { at, id } => show(at, id).await,
            Command::Receipts { at, id, out } => receipts(at, id, out).await,
            Command::Erase { at, id } => erase(at, id).await,
        }
    })
}

impl At {
    fn door(&self) -> anyhow::Result<Door> {
        let Self { application, config, cert, key, ca } = self;
        if application.is_none() && config.is_none() {
            bail!("name the node: --config FILE or --application ADDRESS");
        }
        let node = Node {
            admin: application.clone(),
            config: config.clone(),
            token_file: None,
            cert: cert.clone(),
            key: key.clone(),
            ca: ca.clone(),
        };
        node.surface(Surface::Application, PATIENCE)
    }
}

async fn share(at: &At, id: &DocumentId, to: &[Address]) -> anyhow::Result<()> {
    let body = json!({ "to": to }).to_string();
    let media = [("content-type", "application/json")];
    let answer = at.door()?.request(Method::POST, &format!("{}/share", path(id)), &media, body.into()).await?;
    say!("{:#}", json(answer)?);
    Ok(())
}

async fn list(at: &At) -> anyhow::Result<()> {
    let door = at.door()?;
    let mut after = String::new();
    loop {
        let page = json(door.request(Method::GET, &format!("/documents{after}"), &[], Bytes::new()).await?)?;
        for document in page["documents"].as_array().into_iter().flatten() {
            let word = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            let size = document["size"].as_u64().map_or_else(String::new, |size| size.to_string());
            say!("{} {:9} {:8} {:>12} {}", word("hex"), word("state"), word("class"), size, printable(&word("name")));
        }
        match page["next"].as_str() {
            Some(next) => {
                after = format!("?after={}", percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC));
            }
            None => return Ok(()),
        }
    }
}

async fn show(at: &At, id: &DocumentId) -> anyhow::Result<()> {
    let answer = at.door()?.request(Method::GET, &format!("{}/info", path(id)), &[], Bytes::new()).await?;
    say!("{:#}", json(answer)?);
    Ok(())
}

async fn receipts(at: &At, id: &DocumentId, out: &std::path::Path) -> anyhow::Result<()> {
    let answer = json(at.door()?.request(Method::GET, &format!("{}/receipts", path(id)), &[], Bytes::new()).await?)?;
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    for one in answer["receipts"].as_array().into_iter().flatten() {
        let (member, receipt) = (one["member"].as_str().unwrap_or_default(), one["receipt"].as_str().unwrap_or_default());
        // What a node says becomes a file's name: only as a member's name, which has no slash.
        let member: crate::types::MemberId = member.parse().context("the answer names no member")?;
        let file = out.join(format!("{member}.receipt"));
        std::fs::write(&file, crate::types::base64(receipt.as_bytes()).context("the answer holds no receipt")?)
            .with_context(|| file.display().to_string())?;
        say!("{}", file.display());
    }
    Ok(())
}

async fn erase(at: &At, id: &DocumentId) -> anyhow::Result<()> {
    let answer = at.door()?.request(Method::DELETE, &path(id), &[], Bytes::new()).await?;
    good(answer)?;
    say!("erased: {}", id.to_hex());
    Ok(())
}

fn path(id: &DocumentId) -> String {
    format!("/documents/{}", &id.to_hex()[2..])
}

/// The answer, if it is a success; else its words and its code.
fn good(answer: Answer) -> anyhow::Result<Answer> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let code = answer.headers.get("celosia-error").and_then(|code| code.to_str().ok()).unwrap_or("no code");
    bail!("{}: {} [{code}]", answer.status, printable(&String::from_utf8_lossy(&answer.body)))
}

fn json(answer: Answer) -> anyhow::Result<Value> {
    serde_json::from_slice(&good(answer)?.body).context("the answer is not JSON")
}

/// A name that somebody else chose, on a terminal.
fn printable(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(400).collect()
}
