use std::path::{Path, PathBuf};

use super::{GovernanceError, files};
use crate::cli::Failure;
use crate::crypto::random;
use crate::governance::{Document, DocumentHash, Genesis, Governor, Policy};

/// What a new network's classes are: the GDPR's, with data of persons kept in the European Economic Area.
const CLASSES: &str = include_str!("classes.toml");

/// `celosia governance init`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The network's name, for people.
    #[arg(long)]
    name: String,
    /// A governor: its line `name+hash+key`, or the file that holds it. Give it once for each.
    #[arg(long = "governor", value_name = "VKEY", required = true)]
    governors: Vec<String>,
    /// Signatures that a document needs: more than half of the governors.
    #[arg(long, value_name = "K")]
    threshold: u64,
    /// The proposal.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let mut governors = args.governors.iter().map(|text| governor(text)).collect::<Result<Vec<_>, _>>()?;
    governors.sort_by(|a, b| a.name().cmp(b.name()));
    let nonce = DocumentHash::new(random());
    let genesis = Genesis { name: args.name.clone(), nonce, threshold: args.threshold, governors };
    let network = genesis.network_id();
    let list: Vec<String> = genesis.governors.iter().map(|governor| format!("\"{governor}\"")).collect();
    let quorum = format!("threshold = {}\ngovernors = [{}]\n", args.threshold, list.join(", "));
    let name = toml::Value::String(args.name.clone());
    let text = format!(
        "format = \"{}\"\nnetwork = \"{network}\"\nversion = 1\nissued = \"{}\"\ngrace = \"24h\"\n{quorum}[genesis]\nname = {name}\nnonce = \"{nonce}\"\n{quorum}{CLASSES}",
        Policy::FORMAT,
        files::now(),
    );
    let document = Document::from_toml(&text).map_err(GovernanceError::document(&args.out))?;
    files::write_new(&args.out, 0o644, &document.text())?;
    say!("{} proposes network {network}", args.out.display());
    say!("It needs {} of {} signatures: celosia governance sign {} --key KEY", args.threshold, list.len(), args.out.display());
    Ok(())
}

/// A governor by its line, or by a file with it.
pub(super) fn governor(text: &str) -> Result<Governor, GovernanceError> {
    let line = if text.contains('+') { text.to_owned() } else { files::read_text(Path::new(text))? };
    line.parse().map_err(|error| GovernanceError::Edit(format!("{text}: {error}")))
}
