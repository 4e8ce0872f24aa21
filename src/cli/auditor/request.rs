use anyhow::Context as _;
use jiff::Timestamp;

use super::folder::{Known, REQUEST_FILE, Unlock};
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::disclosure::{LONG, REQUEST, hand_in, show_request, write_carried};
use crate::cli::erase::text;
use crate::disclosure::{By, GrantId, Request, Scope, Secrecy, SignedRequest};
use crate::governance::Contract;
use crate::types::{Class, MemberId, NetworkId, PayloadId};

/// Arguments of `celosia auditor request`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    unlock: Unlock,
    /// Id of the network, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    network: NetworkId,
    /// What you act on: an engagement, a warrant.
    #[arg(long)]
    mandate: String,
    /// What it is for.
    #[arg(long)]
    purpose: String,
    /// The article or contract that permits it.
    #[arg(long)]
    basis: String,
    #[command(flatten)]
    scope: ScopeArgs,
    /// From when it may be used, such as 2026-03-01T00:00:00Z; now if absent.
    #[arg(long)]
    from: Option<Timestamp>,
    /// Until when; at most 92 days later.
    #[arg(long)]
    until: Timestamp,
    /// How many times the whole may be taken.
    #[arg(long, default_value_t = 1)]
    views: u32,
    /// An order not to tell those concerned: its reference.
    #[arg(long, requires = "secret_until")]
    secrecy: Option<String>,
    /// When that order ends, at most a year from now: then they are told.
    #[arg(long, requires = "secrecy")]
    secret_until: Option<Timestamp>,
    /// The grant that this one renews.
    #[arg(long, value_name = "GRANT")]
    renews: Option<GrantId>,
    #[command(flatten)]
    node: Node,
}

/// What is to be seen: one of these, or a time alone.
#[derive(clap::Args, Debug)]
struct ScopeArgs {
    /// A payload, by its id in base64. Give it once for each.
    #[arg(long = "id", value_name = "BASE64", conflicts_with_all = ["member", "contract", "class"])]
    ids: Vec<PayloadId>,
    /// What a member sent.
    #[arg(long, value_name = "ID", conflicts_with_all = ["contract", "class"])]
    member: Option<MemberId>,
    /// What is tagged with a contract.
    #[arg(long, value_name = "0x…", conflicts_with = "class")]
    contract: Option<Contract>,
    /// What is of a class.
    #[arg(long)]
    class: Option<Class>,
    /// Made from when on, by the day.
    #[arg(long, requires = "made_until")]
    made_from: Option<Timestamp>,
    /// Made until when, by the day.
    #[arg(long, requires = "made_from")]
    made_until: Option<Timestamp>,
}

impl ScopeArgs {
    fn scope(&self) -> anyhow::Result<Scope> {
        let made =
            self.made_from.zip(self.made_until).map(|(from, until)| Ok::<_, anyhow::Error>((millis(from)?, millis(until)?)));
        let by = match (&self.member, &self.contract, self.class) {
            _ if !self.ids.is_empty() => By::Items(self.ids.clone()),
            (Some(member), ..) => By::Member(member.clone()),
            (_, Some(contract), _) => By::Contract(*contract),
            (.., Some(class)) => By::Class(class),
            _ => By::Time,
        };
        Ok(Scope { by, made: made.transpose()? })
    }
}

fn millis(time: Timestamp) -> anyhow::Result<u64> {
    u64::try_from(time.as_millisecond()).context("a date before 1970")
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let folder = &args.unlock.folder;
    let known = Known::read(folder)?;
    let now = millis(Timestamp::now())?;
    let secrecy = args.secrecy.clone().zip(args.secret_until);
    let secrecy =
        secrecy.map(|(reference, until)| Ok::<_, anyhow::Error>(Secrecy { reference, until: millis(until)? })).transpose()?;
    let request = Request {
        network: args.network,
        grant: known.grant,
        name: known.name,
        entity: known.entity,
        mandate: args.mandate.clone(),
        purpose: args.purpose.clone(),
        basis: args.basis.clone(),
        scope: args.scope.scope()?,
        from: args.from.map_or(Ok(now), millis)?,
        until: millis(args.until)?,
        views: args.views,
        secrecy,
        renews: args.renews,
        key: known.key,
        box_key: known.box_key,
        time: now,
    };
    let signed = request.sign(&args.unlock.keys()?.signing);
    // What a node would refuse is refused here.
    let read = SignedRequest::decode(&signed.encode()).and_then(|read| read.verify(&args.network).cloned());
    show_request(&read.map_err(|refused| Failure::coded(2, &refused))?);
    write_carried(&folder.join(REQUEST_FILE), REQUEST, signed.encode())?;
    if args.node.admin.is_some() || args.node.config.is_some() {
        let shown = hand_in(&args.node.patient_admin(LONG)?, "/disclosures", &signed.encode())?;
        say!("{}: {} item(s)", text(&shown["state"]), shown["items"]);
    }
    Ok(())
}
