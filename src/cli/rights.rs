//! `celosia subject`, `ropa`, `breach-radius`, `tag`, `retention`: what is known of data and of the people it is about.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use hyper::Method;
use serde_json::{Map, Value, json};

use super::admin::{Door, Node};
use super::http::block_on;
use crate::types::{Address, ItemId, MemberId};

/// Arguments of `celosia subject`.
#[derive(clap::Args, Debug)]
pub(crate) struct SubjectArgs {
    #[command(subcommand)]
    command: SubjectCommand,
}

#[derive(Debug, Subcommand)]
enum SubjectCommand {
    /// Export everything that is kept about a person (GDPR art. 15 and 20), as JSON Lines.
    Export {
        #[command(flatten)]
        node: Node,
        /// Their pseudonym, as it was tagged.
        #[arg(long)]
        subject: String,
        /// With the payloads themselves, as files of the folder.
        #[arg(long)]
        plaintext: bool,
        /// An empty or new folder, or `-` for standard output.
        #[arg(long, value_name = "FOLDER|-")]
        out: String,
    },
}

/// Arguments of `celosia ropa`.
#[derive(clap::Args, Debug)]
pub(crate) struct RopaArgs {
    #[command(subcommand)]
    command: RopaCommand,
}

#[derive(Debug, Subcommand)]
enum RopaCommand {
    /// Print the records of processing activities (GDPR art. 30) as JSON.
    Export {
        #[command(flatten)]
        node: Node,
    },
}

/// Arguments of `celosia breach-radius`.
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("lost").required(true).args(["identity", "disk", "member"]))]
pub(crate) struct RadiusArgs {
    #[command(flatten)]
    node: Node,
    /// The private half of this key was lost: a sender's or recipient's address.
    #[arg(long = "lost-key", value_name = "ADDRESS")]
    identity: Option<Address>,
    /// This node's disk was lost: its store and its key folder.
    #[arg(long)]
    disk: bool,
    /// Everything that this member has was lost.
    #[arg(long, value_name = "ID")]
    member: Option<MemberId>,
}

/// Arguments of `celosia tag`.
#[derive(clap::Args, Debug)]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    command: TagCommand,
}

#[derive(Debug, Subcommand)]
enum TagCommand {
    /// Show what is known of a payload or document beyond its header.
    Show {
        #[command(flatten)]
        node: Node,
        /// Its id, base64.
        id: ItemId,
    },
    /// Declare what is known of it, in place of what was known before.
    Set {
        #[command(flatten)]
        node: Node,
        /// Its id, base64.
        id: ItemId,
        /// public, business, personal or special.
        #[arg(long)]
        class: Option<String>,
        /// Why it is processed.
        #[arg(long)]
        purpose: Option<String>,
        /// GDPR art. 6(1): consent, contract, legal-obligation, vital-interests, public-task or legitimate-interests.
        #[arg(long)]
        basis: Option<String>,
        /// How long, or until when: 1825d, P5Y, 2031-12-31.
        #[arg(long)]
        retention: Option<String>,
        /// Address of the contract that it belongs to.
        #[arg(long)]
        contract: Option<String>,
        /// Pseudonym of a person it is about; may be repeated.
        #[arg(long = "subject")]
        subjects: Vec<String>,
    },
}

/// Arguments of `celosia retention`.
#[derive(clap::Args, Debug)]
pub(crate) struct RetentionArgs {
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    /// List what is due to be erased, the longest due first, as JSON Lines.
    Due {
        #[command(flatten)]
        node: Node,
        /// At most so many.
        #[arg(long, default_value_t = 1_000)]
        limit: usize,
    },
}

/// Runs `celosia subject`.
pub(super) fn subject(args: &SubjectArgs) -> anyhow::Result<()> {
    let SubjectCommand::Export { node, subject, plaintext, out } = &args.command;
    let body = json!({ "subject": subject, "payloads": plaintext });
    let door = node.admin()?;
    if out == "-" {
        return print(&door, Method::POST, "/subjects/export", Some(&body));
    }
    let folder = Path::new(out);
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    if fs::read_dir(folder).with_context(|| folder.display().to_string())?.next().is_some() {
        bail!("{} is not empty: name a new folder", folder.display());
    }
    let mut export = Export::begin(folder)?;
    block_on(door.stream(Method::POST, "/subjects/export", Some(&body), &mut |line| export.take(line)))?;
    let items = export.finish()?;
    say!("{items} items in {}", folder.join("export.jsonl").display());
    Ok(())
}

/// Runs `celosia ropa`.
pub(super) fn ropa(args: &RopaArgs) -> anyhow::Result<()> {
    let RopaCommand::Export { node } = &args.command;
    let mut text = Vec::new();
    let take = &mut |line: &[u8]| {
        text.extend_from_slice(line);
        Ok(())
    };
    let door = node.admin()?;
    block_on(door.stream(Method::GET, "/ropa", None, take))?;
    say!("{:#}", serde_json::from_slice::<Value>(&text).context("the answer is not JSON")?);
    Ok(())
}

/// Runs `celosia breach-radius`.
pub(super) fn radius(args: &RadiusArgs) -> anyhow::Result<()> {
    let encode = |text: String| percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let lost = match (&args.identity, &args.member) {
        (Some(key), _) => format!("key={}", encode(key.to_string())),
        (None, Some(member)) => format!("member={}", encode(member.to_string())),
        (None, None) => "disk=true".to_owned(),
    };
    print(&args.node.admin()?, Method::GET, &format!("/breach-radius?{lost}"), None)
}

/// Runs `celosia tag`.
pub(super) fn tag(args: &TagArgs) -> anyhow::Result<()> {
    let path = |id: &ItemId| {
        format!("/tags/{}", percent_encoding::utf8_percent_encode(&id.to_string(), percent_encoding::NON_ALPHANUMERIC))
    };
    match &args.command {
        TagCommand::Show { node, id } => {
            let door = node.application()?;
            say!("{:#}", block_on(async { door.get(&path(id)).await?.json() })?);
        }
        TagCommand::Set { node, id, class, purpose, basis, retention, contract, subjects } => {
            let words =
                [("class", class), ("purpose", purpose), ("basis", basis), ("retention", retention), ("contract", contract)];
            let words = words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), json!(word.as_ref()?))));
            let mut body: Map<String, Value> = words.collect();
            body.insert("subjects".to_owned(), json!(subjects));
            let door = node.application()?;
            let answer = block_on(door.put(&path(id), &body.into()))?;
            if !answer.status.is_success() {
                bail!("{}", answer.text());
            }
        }
    }
    Ok(())
}

/// Runs `celosia retention`.
pub(super) fn retention(args: &RetentionArgs) -> anyhow::Result<()> {
    let RetentionCommand::Due { node, limit } = &args.command;
    print(&node.admin()?, Method::GET, &format!("/retention/due?limit={limit}"), None)
}

fn print(door: &Door, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
    block_on(door.stream(method, path, body, &mut |line| {
        say!("{}", String::from_utf8_lossy(line));
        Ok(())
    }))
}

/// An export that becomes a folder: `export.jsonl`, and each payload as a file of its own.
struct Export<'a> {
    folder: &'a Path,
    file: BufWriter<File>,
    payloads: u64,
    /// The document whose content comes.
    document: Option<File>,
    ended: Option<u64>,
}

impl<'a> Export<'a> {
    fn begin(folder: &'a Path) -> anyhow::Result<Self> {
        let file = private(&folder.join("export.jsonl"))?;
        Ok(Self { folder, file: BufWriter::new(file), payloads: 0, document: None, ended: None })
    }

    fn take(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let mut line: Value = serde_json::from_slice(line).context("the answer is not JSON Lines")?;
        if let Some(payload) = line.as_object_mut().and_then(|line| line.remove("payload")) {
            let bytes =
                crate::types::base64(payload.as_str().unwrap_or_default().as_bytes()).context("a payload is not base64")?;
            self.payloads += 1;
            let name = format!("payload-{:06}.bin", self.payloads);
            private(&self.folder.join(&name))?.write_all(&bytes).with_context(|| name.clone())?;
            line["file"] = name.into();
        }
        if line["kind"] == "piece" {
            let bytes =
                crate::types::base64(line["data"].as_str().unwrap_or_default().as_bytes()).context("a piece is not base64")?;
            let file = self.document.as_mut().context("a piece of no document")?;
            return file.write_all(&bytes).context("a document");
        }
        if line.as_object_mut().and_then(|line| line.remove("content")).is_some() {
            self.payloads += 1;
            let name = format!("document-{:06}.bin", self.payloads);
            self.document = Some(private(&self.folder.join(&name))?);
            line["file"] = name.into();
        }
        if line["kind"] == "end" {
            self.ended = line["items"].as_u64();
        }
        writeln!(self.file, "{line}").context("export.jsonl")
    }

    fn finish(mut self) -> anyhow::Result<u64> {
        self.file.flush().context("export.jsonl")?;
        self.ended.context("the export broke off: it has no last line, so something is missing")
    }
}

/// Threat: personal data of the export, readable by everybody on the machine.
fn private(path: &Path) -> anyhow::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| path.display().to_string())
}
