//! `celosia auditor`: for auditors who have no node. One folder is one grant: its keys open this grant and nothing else.
//!
//! ```text
//! auditor.key      32 random bytes, locked by a password: the keys of the grant are derived from them
//! auditor.json     name, entity, grant, public keys
//! request.json     the signed request
//! case.cbor        what it resolved to, with approvals and the record of the view
//! shares.cbor      the officers' shares
//! release.cbor     what the holder gave
//! out/             payloads, report.json, report.html; of more than 1,000 payloads the rows in payloads-NNNNNN.json and .html
//! ```

mod folder;
mod keygen;
mod open;
mod request;
mod sheets;

pub(super) use folder::{KNOWN, Known, REQUEST_FILE, Unlock};
pub(super) use keygen::make as make_folder;
pub(super) use open::Package;

use clap::Subcommand;

use super::Failure;
use super::admin::Node;
use super::disclosure::{Frames, Looked, fetch, now};
use super::http::block_on;
use crate::crypto::sign::SigningKey;
use crate::disclosure::{Bundle, Part, Refused, Taking, case_digest};

/// Arguments of `celosia auditor`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the folder and the keys of one grant.
    Keygen(keygen::Args),
    /// Write and sign a request, and hand it in if a node is named.
    Request(Box<request::Args>),
    /// Show how the grant stands: from the node, or from the files that are there.
    Status {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        folder: std::path::PathBuf,
        #[command(flatten)]
        node: Node,
    },
    /// Fetch case file, shares and release: a view, which the holder counts.
    Collect {
        #[command(flatten)]
        unlock: Unlock,
        #[command(flatten)]
        node: Node,
    },
    /// Combine, decrypt and check everything, offline; write payloads and report.
    Open(Unlock),
    /// The same without writing payloads: whether everything still holds.
    Verify(Unlock),
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Keygen(args) => keygen::run(args),
        Command::Request(args) => request::run(args),
        Command::Status { folder, node } => status(folder, node),
        Command::Collect { unlock, node } => collect(&unlock.folder, &unlock.keys()?.signing, node),
        Command::Open(unlock) => open::run(unlock, true),
        Command::Verify(unlock) => open::run(unlock, false),
    }
}

pub(super) fn status(path: &std::path::Path, node: &Node) -> Result<(), Failure> {
    let known = folder::Known::read(path)?;
    if node.admin.is_some() || node.config.is_some() {
        let door = node.admin()?;
        let shown = block_on(async { door.get(&format!("/disclosures/{}", known.grant)).await?.json() })?;
        say!("{shown:#}");
        return Ok(());
    }
    for name in [folder::REQUEST_FILE, folder::CASE, folder::SHARES, folder::RELEASE] {
        say!("{name}: {}", if path.join(name).is_file() { "here" } else { "not here yet" });
    }
    if path.join(folder::CASE).is_file() {
        Looked::open(&path.join(folder::CASE), &folder::Known::network(path)?)?.verify_and_show(0)?;
    }
    Ok(())
}

/// With the key that signed the request: the holder gives to nobody else.
pub(super) fn collect(path: &std::path::Path, key: &SigningKey, node: &Node) -> Result<(), Failure> {
    let (known, asked, door) = (folder::Known::read(path)?, folder::Known::request(path)?, node.admin()?);
    let at = |what: &str| format!("/disclosures/{}/{what}", known.grant);
    let file = path.join(folder::CASE);
    fetch(&door, &at("case"), None, &file)?;
    let coded = |refused: Refused| Failure::coded(2, &refused);
    let head = String::from_utf8(Frames::open(&file)?.expect()?).unwrap_or_default();
    let bundle = Bundle::read(&head).map_err(coded)?;
    // Threat: the word for one holder's list is asked for under the name of another's.
    if bundle.request != asked {
        return Err(coded(Refused::OtherCase("case file")));
    }
    let case = case_digest(&bundle.docket.docket);
    let taking = |part| Taking { network: asked.request.network, case, part, time: now() }.sign(key).encode();
    // The release last: it is what counts as a view.
    fetch(&door, &at("shares/all"), Some(&taking(Part::Shares)), &path.join(folder::SHARES))?;
    fetch(&door, &at("release"), Some(&taking(Part::Release)), &path.join(folder::RELEASE))?;
    Ok(())
}
