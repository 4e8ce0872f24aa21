use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::mail::Kind;
use super::{ceremony, coded, mail, read, take_part};
use crate::ceremony::{Card, CeremonyId, CommitteeFile, Plan, Previous};
use crate::cli::Failure;
use crate::cli::admin::{Door, Node};
use crate::governance::{Officer, Purpose};
use crate::officer::{OfficerError, PLAN};
use crate::types::NetworkId;

/// What the three ceremonies have in common.
#[derive(clap::Args, Debug)]
pub(super) struct Shared {
    /// Folder of the ceremony: one that all share, or into which all files of the others are copied. With a node, which relays them, one in
    /// the officer's folder if absent.
    #[arg(long, value_name = "FOLDER", required_unless_present_any = ["admin", "config"])]
    pub(super) ceremony: Option<PathBuf>,
    /// The officer's folder. Without it the plan is written, and no more.
    #[arg(long, value_name = "FOLDER")]
    pub(super) folder: Option<PathBuf>,
    /// File whose first line is the password; asked if absent.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Do not ask whether the plan is right.
    #[arg(long)]
    pub(super) yes: bool,
    /// With a node: the ceremony's number, where several wait for this officer.
    #[arg(long, value_name = "NUMBER")]
    pub(super) id: Option<CeremonyId>,
    /// With a node: do not end before the committee is complete. The folder stays unlocked meanwhile.
    #[arg(long, requires = "folder")]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) node: Node,
}

/// `celosia officer dkg`.
#[derive(clap::Args, Debug)]
pub(super) struct Dkg {
    #[command(flatten)]
    shared: Shared,
    /// Begin: the network that the committee serves.
    #[arg(long, value_name = "ID", requires = "card")]
    network: Option<NetworkId>,
    /// Begin: `escrow` or `hold`.
    #[arg(long, value_name = "PURPOSE", default_value = "escrow", value_parser = purpose)]
    purpose: Purpose,
    /// Begin: which key of the purpose. One more than the last.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    epoch: u64,
    /// Begin: officers needed to open.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    threshold: u16,
    /// Begin: the card of each officer, `officer.pub` of its folder.
    #[arg(long, value_name = "FILE", requires = "network")]
    card: Vec<PathBuf>,
}

/// `celosia officer refresh`.
#[derive(clap::Args, Debug)]
pub(super) struct Refresh {
    #[command(flatten)]
    shared: Shared,
    #[command(flatten)]
    before: Before,
}

/// `celosia officer handover`.
#[derive(clap::Args, Debug)]
pub(super) struct Handover {
    #[command(flatten)]
    shared: Shared,
    #[command(flatten)]
    before: Before,
    /// Begin: an officer who leaves, or is lost.
    #[arg(long, value_name = "NAME", requires = "committee")]
    remove: Vec<String>,
    /// Begin: the card of an officer who comes.
    #[arg(long, value_name = "FILE", requires = "committee")]
    add: Vec<PathBuf>,
}

#[derive(clap::Args, Debug)]
struct Before {
    /// Begin: the complete committee that is in force.
    #[arg(long, value_name = "FILE")]
    committee: Option<PathBuf>,
    /// Begin: an old officer who deals. Default: those who stay, and of those who leave as many as are needed.
    #[arg(long, value_name = "NAME", requires = "committee")]
    dealer: Vec<String>,
    /// Begin: officers needed to open from now on; never fewer than before.
    #[arg(long, value_name = "NUMBER", requires = "committee")]
    threshold: Option<u16>,
}

fn purpose(text: &str) -> Result<Purpose, String> {
    let purpose = Purpose::ALL.iter().find(|purpose| purpose.name() == text);
    purpose.copied().ok_or_else(|| "expected escrow or hold".to_owned())
}

pub(super) fn dkg(args: &Dkg) -> Result<(), Failure> {
    if let Some(network) = args.network {
        let cards = args.card.iter().map(|file| card(file)).collect::<Result<_, _>>()?;
        let plan = Plan::generate(network, args.purpose, args.epoch, args.threshold, cards).map_err(ceremony)?;
        return begin(&args.shared, plan);
    }
    take_part::run(&args.shared, None, Kind::Key)
}

pub(super) fn refresh(args: &Refresh) -> Result<(), Failure> {
    if let Some(file) = &args.before.committee {
        let file = committee(file)?;
        let seats = file.committee.officers.iter().map(seat).collect();
        return reshare(&args.shared, &args.before, file, seats, &[]);
    }
    take_part::run(&args.shared, None, Kind::Shares)
}

pub(super) fn handover(args: &Handover) -> Result<(), Failure> {
    if let Some(file) = &args.before.committee {
        let file = committee(file)?;
        let mut seats: BTreeMap<u16, Card> = BTreeMap::new();
        let mut free = Vec::new();
        for officer in &file.committee.officers {
            if args.remove.contains(&officer.name) { free.push(officer.index) } else { seats.extend([seat(officer)]) }
        }
        if let Some(unknown) = args.remove.iter().find(|name| !file.committee.officers.iter().any(|old| old.name == **name)) {
            return Err(Failure::plain(2, format!("the committee has no officer {unknown}")));
        }
        // Who comes takes the place of who goes; then the next free ones.
        let others = (1..=u16::MAX).filter(|index| file.committee.officer(*index).is_none());
        let places = free.into_iter().chain(others);
        for (index, file) in places.zip(&args.add) {
            seats.insert(index, card(file)?);
        }
        return reshare(&args.shared, &args.before, file, seats, &args.remove);
    }
    take_part::run(&args.shared, None, Kind::Shares)
}

fn reshare(
    shared: &Shared,
    before: &Before,
    file: CommitteeFile,
    seats: BTreeMap<u16, Card>,
    leaving: &[String],
) -> Result<(), Failure> {
    let old = &file.committee;
    let k = usize::try_from(old.threshold).unwrap_or(usize::MAX);
    let mut dealers: BTreeSet<u16> = BTreeSet::new();
    if before.dealer.is_empty() {
        let (gone, stays): (Vec<&Officer>, Vec<&Officer>) =
            old.officers.iter().partition(|officer| leaving.contains(&officer.name));
        let lacking = k.saturating_sub(stays.len());
        dealers.extend(stays.into_iter().chain(gone.into_iter().take(lacking)).map(|officer| officer.index));
    }
    for name in &before.dealer {
        let officer = old.officers.iter().find(|officer| officer.name == *name);
        let officer = officer.ok_or_else(|| Failure::plain(2, format!("the committee has no officer {name}")))?;
        dealers.insert(officer.index);
    }
    let threshold = before.threshold.unwrap_or(u16::try_from(old.threshold).unwrap_or(u16::MAX));
    let plan = Plan::reshare(Previous { file, dealers }, threshold, seats).map_err(ceremony)?;
    begin(shared, plan)
}

fn card(file: &Path) -> Result<Card, Failure> {
    Card::parse(&read(file)?).map_err(ceremony)
}

fn committee(file: &Path) -> Result<CommitteeFile, Failure> {
    let file = CommitteeFile::parse(&read(file)?).map_err(ceremony)?;
    file.check_own().map_err(ceremony)?;
    Ok(file)
}

/// An officer who stays keeps its index.
fn seat(officer: &Officer) -> (u16, Card) {
    (officer.index, Card::of(officer))
}

/// The plan is written, or given to the node, or both; then its author takes part, if it is an officer.
fn begin(shared: &Shared, plan: Plan) -> Result<(), Failure> {
    if let Some(ceremony) = &shared.ceremony {
        write(ceremony, &plan)?;
    }
    if let Some(door) = shared.door()? {
        mail::open(&door, &plan)?;
    }
    take_part::run(shared, Some(plan), Kind::Key)
}

/// A plan is never overwritten: it is the name of its ceremony.
fn write(ceremony: &Path, plan: &Plan) -> Result<(), Failure> {
    let path = ceremony.join(PLAN);
    let io = |source| coded(OfficerError::Io { path: path.clone(), source });
    std::fs::create_dir_all(ceremony).map_err(io)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(io)?;
    std::io::Write::write_all(&mut file, plan.to_toml().as_bytes()).map_err(io)?;
    say!("{} is the plan of ceremony {}", path.display(), plan.id());
    Ok(())
}

impl Shared {
    /// The node that relays, if one is named.
    pub(super) fn door(&self) -> Result<Option<Door>, Failure> {
        let is_named = self.node.admin.is_some() || self.node.config.is_some();
        Ok(if is_named { Some(self.node.admin()?) } else { None })
    }
}
