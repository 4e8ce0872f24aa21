use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use crate::config::{RootTable, load};
use crate::crypto::secret::Secret;
use crate::enclave::Enclave;
use crate::enclave::local::LocalEnclave;
use crate::enclave::remote::RemoteEnclave;
use crate::services::{audit_copies, audit_documents};
use crate::shred::{FileRoot, Forest};
use crate::store::fsck::{Report, fsck};
use crate::store::rocks::RocksStore;
use crate::types::Coded;

/// How long a separate enclave may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// `celosia fsck`.
#[derive(clap::Args, Debug)]
#[group(id = "where", required = true, multiple = false, args = ["data_dir", "config"])]
pub(crate) struct Args {
    /// Configuration of the node, which must be stopped.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Its data folder.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where store and keys are.
pub(super) struct Places {
    pub(super) store: PathBuf,
    pub(super) documents: PathBuf,
    pub(super) keys: PathBuf,
    socket: Option<PathBuf>,
    pub(super) root: RootTable,
}

/// Exit code 0 if every record verifies, 1 if one does not, 2 if they cannot be checked.
pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let json = args.json;
    let places = places(args.data_dir, args.config)?;
    let report = super::block_on(check(&places))??;
    if json {
        say!("{}", serde_json::to_string_pretty(&report).map_err(|error| Failure::plain(2, error))?);
    } else {
        say!("{report}");
    }
    Ok(u8::from(!report.is_clean()))
}

/// Those of a data folder or of a configuration.
pub(super) fn places(data_dir: Option<PathBuf>, config: Option<PathBuf>) -> Result<Places, Failure> {
    let (data_dir, keys, socket, root) = match (data_dir, config) {
        (Some(data_dir), _) => (data_dir.clone(), data_dir.join("enclave"), None, RootTable::default()),
        (None, Some(file)) => {
            let config = load(&file, &[])?.config;
            let data_dir =
                config.data_dir.clone().ok_or_else(|| Failure::plain(2, "the configuration keeps its data nowhere"))?;
            (data_dir.clone(), config.enclave_dir(&data_dir), config.enclave.socket, config.root)
        }
        (None, None) => return Err(Failure::plain(super::USAGE, "give --config FILE or --data-dir DIR")),
    };
    Ok(Places { store: data_dir.join("store"), documents: data_dir.join("documents"), keys, socket, root })
}

async fn check(places: &Places) -> Result<Report, Failure> {
    let forest = if places.socket.is_none() { forest(places)? } else { None };
    let enclave: Option<Box<dyn Enclave>> = match (&places.socket, &forest) {
        (Some(socket), _) => Some(Box::new(RemoteEnclave::connect(socket, PATIENCE).await.map_err(|error| coded(&error))?)),
        // Heads open with the key trees alone; an enclave wants a private key, so it gets one that is nobody's.
        (None, Some(forest)) => {
            LocalEnclave::new(vec![Secret::random()], Arc::clone(forest)).ok().map(|local| Box::new(local) as _)
        }
        (None, None) => None,
    };
    let store = RocksStore::open_read_only(&places.store).map_err(|error| coded(&error))?;
    let store = Arc::new(store);
    let mut report = fsck(Arc::clone(&store), enclave.as_deref(), forest.as_deref()).await.map_err(|error| coded(&error))?;
    audit_documents(&*store, enclave.as_deref(), &places.documents, &mut report).await.map_err(|error| coded(&error))?;
    audit_copies(&*store, enclave.as_deref(), forest.as_deref(), &mut report).await.map_err(|error| coded(&error))?;
    Ok(report)
}

/// The key trees, if the root that they are sealed under is here. Their lock also tells a running node.
fn forest(places: &Places) -> Result<Option<Arc<Forest>>, Failure> {
    let root = places.root.open(&places.keys).map_err(|error| coded(&error))?;
    let is_here = FileRoot::open_existing(root.folder()).map_err(|error| coded(&error))?.is_some();
    if !is_here && root.unlock().map_err(|error| coded(&error))?.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Forest::open(&places.keys, root).map_err(|error| coded(&error))?)))
}

fn coded(error: &impl Coded) -> Failure {
    Failure::coded(2, error)
}
