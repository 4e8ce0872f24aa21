//! `celosia demo`: a private network on this machine, and what it does with a payload, step by step.

mod contract;
mod disk;
mod lawful;
mod node;
mod stage;
mod story;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::http::block_on;
use super::network::Network;

/// Arguments of `celosia demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Members of the network; three are needed to see who cannot read.
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub members: usize,
    /// Keep keys, configuration, logs and data in this folder (it must be empty or absent). Without it everything is removed at the end.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Leave the members running until Ctrl-C.
    #[arg(long)]
    pub stay: bool,
    /// GoQuorum's `geth` (with `bootnode` beside it): put a node on each member and deploy a private contract.
    #[arg(long, value_name = "PATH")]
    pub geth: Option<PathBuf>,
    /// Show lawful sight instead: officers make a committee's key, an auditor asks, officers approve, those concerned are told, and what
    /// was erased opens for nobody. All folders stay, in --keep or in a new folder.
    #[arg(long, conflicts_with = "geth")]
    pub lawful: bool,
}

/// Starts the members, tells the story, stops them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!((3..=26).contains(&args.members), "the demo shows a sender, a recipient and a stranger: --members 3 to 26");
    if args.lawful { lawful(args) } else { erasing(args) }
}

/// Ctrl-C, or whoever ends this process.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn watched() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for it.
    async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What a member reads and does not, what lies on the disks, and an erasure.
fn erasing(args: &Args) -> anyhow::Result<()> {
    block_on(async {
        let mut end = End::watched()?;
        say!("Starting {} members on loopback.", args.members);
        // Dropped, and with it every process, on each way out of here.
        let mut network = Network::start(args.members, args.keep.as_deref()).context("the network did not start")?;
        // Nodes end before the members that they need.
        let nodes = tokio::select! {
            told = story::tell(&mut network, args.geth.as_deref()) => told?,
            () = end.wanted() => return Ok(()),
        };
        if args.stay {
            say!("\nThe members run until Ctrl-C.");
            end.wanted().await;
        }
        drop(nodes);
        drop(network);
        match &args.keep {
            Some(folder) => say!("\nStopped. Everything is kept in {}.", folder.display()),
            None => say!("\nStopped, and everything removed. (--stay keeps it running, --keep DIR keeps the files.)"),
        }
        Ok(())
    })
}

/// Under a committee. Files stay, or there would be nothing to verify.
fn lawful(args: &Args) -> anyhow::Result<()> {
    let folder = match &args.keep {
        Some(folder) => folder.clone(),
        None => tempfile::Builder::new().prefix("celosia-lawful-").tempdir()?.keep(),
    };
    block_on(async {
        let mut end = End::watched()?;
        let (network, id) = lawful::begin(args.members, &folder).context("the network did not start")?;
        tokio::select! {
            told = lawful::tell(&network, &id) => told?,
            () = end.wanted() => return Ok(()),
        }
        if args.stay {
            say!("\nThe members run until Ctrl-C.");
            end.wanted().await;
        }
        drop(network);
        say!(
            "\nStopped. Everything is kept in {}: the keys are of no use but here; remove the folder when you have seen it.",
            folder.display()
        );
        Ok(())
    })
}
