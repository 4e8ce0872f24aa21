use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;

use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::auditor::{KNOWN, Known, REQUEST_FILE, make_folder};
use crate::cli::disclosure::{LONG, REQUEST, hand_in, show_request, write_carried};
use crate::cli::erase::text;
use crate::cli::governance::load_signing_key;
use crate::cli::lock::Lock;
use crate::disclosure::{By, Request, Scope, SignedRequest};
use crate::types::{MemberId, NetworkId, PayloadId};

/// Arguments of `celosia recover request`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder; made with fresh keys of this grant if it is not there.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Id of the network, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    network: NetworkId,
    /// This member.
    #[arg(long, value_name = "ID")]
    member: MemberId,
    /// This member's legal name, as the directory has it.
    #[arg(long)]
    entity: String,
    /// Who asks for it.
    #[arg(long)]
    name: String,
    /// The new signing key of this member's node, as the directory names it.
    #[arg(long, value_name = "FILE")]
    signing_key: PathBuf,
    /// File with the password of that key.
    #[arg(long, value_name = "FILE")]
    signing_password_file: Option<PathBuf>,
    /// What happened: an incident, a drill.
    #[arg(long, default_value = "recovery after a loss")]
    mandate: String,
    /// The article or contract that permits it.
    #[arg(long)]
    basis: String,
    /// One payload alone, by its id in base64. Give it once for each; for a drill.
    #[arg(long = "id", value_name = "BASE64")]
    ids: Vec<PayloadId>,
    /// Until when; at most 92 days from now.
    #[arg(long)]
    until: Timestamp,
    /// How many times the whole may be taken.
    #[arg(long, default_value_t = 3)]
    views: u32,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    node: Node,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let signing = load_signing_key(&args.signing_key, args.signing_password_file.as_deref())?;
    let key = signing.verify_key();
    let known = if args.folder.join(KNOWN).is_file() {
        Known::read(&args.folder)?
    } else {
        make_folder(&args.folder, &args.lock, &args.name, &args.entity, Some(key))?
    };
    let millis = |time: Timestamp| u64::try_from(time.as_millisecond()).context("a date before 1970");
    let now = millis(Timestamp::now())?;
    let by = if args.ids.is_empty() { By::Party(args.member.clone()) } else { By::Items(args.ids.clone()) };
    let request = Request {
        network: args.network,
        grant: known.grant,
        name: known.name,
        entity: known.entity,
        mandate: args.mandate.clone(),
        purpose: format!("recovery of {}", args.member),
        basis: args.basis.clone(),
        scope: Scope { by, made: None },
        from: now,
        until: millis(args.until)?,
        views: args.views,
        secrecy: None,
        renews: None,
        key,
        box_key: known.box_key,
        time: now,
    };
    let signed = request.sign(&signing);
    // What a node would refuse is refused here.
    let read = SignedRequest::decode(&signed.encode()).and_then(|read| read.verify(&args.network).cloned());
    show_request(&read.map_err(|refused| Failure::coded(2, &refused))?);
    write_carried(&args.folder.join(REQUEST_FILE), REQUEST, signed.encode())?;
    if args.node.admin.is_some() || args.node.config.is_some() {
        let shown = hand_in(&args.node.patient_admin(LONG)?, "/disclosures", &signed.encode())?;
        say!("{}: {} item(s)", text(&shown["state"]), shown["items"]);
    }
    Ok(())
}
