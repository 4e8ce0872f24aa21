//! `celosia health`: whether a node works, as an exit code. For container health checks and load balancers.

use anyhow::bail;

use super::admin::{Asked, Node};
use super::http::block_on;

/// Arguments of `celosia health`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The node to ask.
    #[command(flatten)]
    pub node: Node,
    /// Say nothing.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Prints what the node says if it is ready; an error gives the reason if not.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let said = block_on(async {
        let (door, path) = match args.node.locate()? {
            Asked::Admin(door) => (door, "/ready"),
            Asked::Node(door) => (door, "/upcheck"),
        };
        let answer = door.get(path).await?;
        if !answer.status.is_success() {
            bail!("not ready: {}", answer.text());
        }
        Ok(answer.text())
    })?;
    if !args.quiet {
        say!("{said}");
    }
    Ok(())
}
