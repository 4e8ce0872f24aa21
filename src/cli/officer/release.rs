//! `celosia officer release`: an officer's part of what was approved, for the auditor's eyes alone.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::Unlock;
use super::approve::{look, now};
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::disclosure::{LONG, Looked, submit};
use crate::disclosure::{Refused, committee_at, frame, make_shares};
use crate::types::folded;

/// Arguments of `celosia officer release`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    unlock: Unlock,
    /// The case file with the approvals and the record of the view, fetched after the grant.
    case: PathBuf,
    /// Members that must have cosigned the log in which the view is on record. Right after the grant there are none: fetch the case again.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    witnesses: usize,
    /// Where to write the shares. Of a list under several keys, each further file has its epoch as an ending.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    node: Node,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let coded = |refused: Refused| Failure::coded(2, &refused);
    // Each capsule's proof is checked where its share is made.
    let looked = look(&args.unlock, &args.case, Looked::open_bare)?;
    let (bundle, charter) = (&looked.bundle, &looked.charter);
    let (request, time) = (&bundle.request.request, now());
    // Threat: something is given that leaves no trace. Without the record in the holder's log, with the approvals that it names, no share.
    let (view, _) = bundle.check_view(charter).map_err(coded)?;
    view.is_witnessed(args.witnesses).map_err(coded)?;
    request.is_open(time).map_err(coded)?;
    bundle.tally(charter, time).and_then(|tally| tally.is_enough()).map_err(coded)?;
    let folder = args.unlock.open()?;
    let card = folder.identity();
    if folded(&card.entity) == folded(&request.entity) {
        return Err(coded(Refused::OwnEntity(card.entity.clone())));
    }
    let mut given = 0;
    for epoch in &looked.epochs {
        let committee = committee_at(charter, *epoch, time).map_err(coded)?;
        if committee.signer(&card.signing_key).is_none() {
            continue;
        }
        let share = folder.share(&request.network, committee).map_err(super::coded)?;
        let key = (&committee.key, &share, *epoch, committee.generation);
        let sign = |message: &[u8]| folder.sign(message);
        let (head, chunks) = make_shares(&bundle.request, &bundle.docket.docket, &looked.items, key, sign).map_err(coded)?;
        let out = if given == 0 { args.out.clone() } else { args.out.with_extension(epoch.to_string()) };
        let mut file = std::fs::File::create(&out).with_context(|| out.display().to_string())?;
        for part in std::iter::once(head.encode()).chain(chunks) {
            file.write_all(&frame(&part)).with_context(|| out.display().to_string())?;
        }
        eprintln!("{}: {} share(s) for view {}", out.display(), head.shares.count, view.view);
        if args.node.admin.is_some() || args.node.config.is_some() {
            submit(&args.node.patient_admin(LONG)?, request.grant, &out)?;
        }
        given += 1;
    }
    if given == 0 { Err(coded(Refused::NotOfficer)) } else { Ok(()) }
}
