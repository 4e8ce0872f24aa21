//! `celosia officer approve` and `revoke`: an officer's word on a disclosure. Everything is checked here, on the officer's own machine.

use std::path::PathBuf;

use jiff::Timestamp;

use super::Unlock;
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::disclosure::{LONG, Looked, REVOCATION, VERDICT, submit, write_carried};
use crate::disclosure::{Bundle, GrantId, Refused, Revocation, Verdict, case_digest};
use crate::governance::Purpose;
use crate::officer::Folder;
use crate::types::{NetworkId, folded};

/// Arguments of `celosia officer approve`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    unlock: Unlock,
    /// The case file, from `celosia disclosure case`.
    case: PathBuf,
    /// Why, in one line; it is signed with the verdict.
    #[arg(long)]
    text: String,
    /// Until when the approval stands; the end of the request's window if absent.
    #[arg(long)]
    until: Option<Timestamp>,
    /// Refuse it.
    #[arg(long)]
    refuse: bool,
    /// Where to write the verdict.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    node: Node,
}

/// Arguments of `celosia officer revoke`.
#[derive(clap::Args, Debug)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    unlock: Unlock,
    /// Id of the network, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    network: NetworkId,
    /// The grant.
    grant: GrantId,
    /// Why, in one line; it is signed.
    #[arg(long)]
    text: String,
    /// Where to write the revocation.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let coded = |refused: Refused| Failure::coded(2, &refused);
    let looked = look(&args.unlock, &args.case, Looked::open)?;
    let request = &looked.bundle.request.request;
    looked.verify_and_show(0)?;
    let time = now();
    if time >= request.until {
        return Err(coded(Refused::Expired));
    }
    if looked.epochs.is_empty() {
        return Err(coded(Refused::State("without content", "nothing of it is in escrow")));
    }
    let folder = args.unlock.open()?;
    let card = folder.identity();
    // Threat: the requester's own people approve. The node counts them out, and this client does not sign.
    if !args.refuse && folded(&card.entity) == folded(&request.entity) {
        return Err(coded(Refused::OwnEntity(card.entity.clone())));
    }
    let until = args.until.map_or(request.until, |until| u64::try_from(until.as_millisecond()).unwrap_or_default());
    let verdict = Verdict {
        network: request.network,
        case: case_digest(&looked.bundle.docket.docket),
        officer: card.signing_key,
        approves: !args.refuse,
        text: args.text.clone(),
        time,
        until: until.min(request.until),
    };
    let signed = verdict.sign(|message| folder.sign(message));
    // What does not read back is not given away: a text that shows something else than it is.
    crate::disclosure::SignedVerdict::decode(&signed.encode()).map_err(coded)?;
    write_carried(&args.out, VERDICT, signed.encode())?;
    if args.node.admin.is_some() || args.node.config.is_some() {
        submit(&args.node.patient_admin(LONG)?, request.grant, &args.out)?;
    }
    Ok(())
}

pub(super) fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    let folder = args.unlock.open()?;
    let officer = folder.identity().signing_key;
    let revocation = Revocation { network: args.network, grant: args.grant, officer, text: args.text.clone(), time: now() };
    let signed = revocation.sign(|message| folder.sign(message));
    crate::disclosure::SignedRevocation::decode(&signed.encode()).map_err(|refused| Failure::coded(2, &refused))?;
    write_carried(&args.out, REVOCATION, signed.encode())?;
    Ok(())
}

/// Reads a case file and checks it against the committees that the officer's own folder knows.
///
/// Threat: a network, or a committee, that was made up for this case. The officer's folder has the network's id and the key of its committee,
/// from the ceremony that the officer was in. Or documents of before, in which shares of before and officers who left count: the folder
/// remembers what it saw in force.
pub(super) fn look(
    unlock: &Unlock,
    case: &std::path::Path,
    open: fn(&std::path::Path, &NetworkId) -> Result<Looked, Failure>,
) -> Result<Looked, Failure> {
    let known = Folder::committees_of(unlock.folder()).map_err(super::coded)?;
    let mut frames = crate::cli::disclosure::Frames::open(case)?;
    let head = String::from_utf8(frames.expect()?).unwrap_or_default();
    let network = Bundle::read(&head).map_err(|refused| Failure::coded(2, &refused))?.request.request.network;
    if !known.iter().any(|file| file.network == network) {
        return Err(Failure::coded(2, &Refused::Network("case file")));
    }
    let looked = open(case, &network)?;
    Folder::see(unlock.folder(), looked.charter.policy()).map_err(super::coded)?;
    for epoch in &looked.epochs {
        let committee = looked.charter.policy().committee(Purpose::Escrow, *epoch);
        let ours = known.iter().filter(|file| {
            file.network == network && (file.committee.purpose, file.committee.epoch) == (Purpose::Escrow, *epoch)
        });
        let mut ours = ours.peekable();
        let is_known =
            ours.peek().is_none() || ours.any(|file| committee.is_some_and(|committee| committee.key == file.committee.key));
        if !is_known {
            return Err(Failure::coded(
                2,
                &Refused::Charter(format!("its escrow committee of epoch {epoch} has another key than this folder's")),
            ));
        }
    }
    Ok(looked)
}

/// This machine's clock, milliseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}
