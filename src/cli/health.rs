//! `celosia health`: whether a node works, as an exit code. For container health checks and load balancers.

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use super::http::{Place, block_on};
use crate::config::{Endpoint, Surface, load};

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

/// Which running node is meant.
#[derive(clap::Args, Debug)]
pub(crate) struct Node {
    /// Admin surface of the node: `http://host:port` or `unix:/path`.
    #[arg(long, value_name = "ADDRESS", env = "CELOSIA_ADMIN", conflicts_with = "config")]
    pub admin: Option<Place>,
    /// Configuration file of the node: its admin surface is asked, or its node surface if it has none.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Where a running node is asked.
pub(crate) enum Asked {
    /// `/ready` and `/status`.
    Admin(Place),
    /// `/upcheck` only.
    Node(Place),
}

/// Prints what the node says if it is ready; an error gives the reason if not.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let said = block_on(async {
        let (place, path) = match args.node.locate()? {
            Asked::Admin(place) => (place, "/ready"),
            Asked::Node(place) => (place, "/upcheck"),
        };
        let answer = place.get(path).await?;
        if !answer.status.is_success() {
            bail!("not ready: {}", answer.text());
        }
        Ok(answer.text())
    })?;
    if !args.quiet {
        println!("{said}");
    }
    Ok(())
}

impl Node {
    pub(crate) fn locate(&self) -> anyhow::Result<Asked> {
        if let Some(place) = &self.admin {
            return Ok(Asked::Admin(place.clone()));
        }
        let path = self.config.as_deref().context("name the node: --config FILE or --admin ADDRESS")?;
        let config = load(path, &[])?.config;
        let plain = |surface| config.servers_of(surface).find_map(|server| plain_place(&server.address));
        plain(Surface::Admin)
            .map(Asked::Admin)
            .or_else(|| plain(Surface::Node).map(Asked::Node))
            .with_context(|| format!("{} has neither an admin surface nor a node surface without TLS", path.display()))
    }
}

fn plain_place(endpoint: &Endpoint) -> Option<Place> {
    endpoint.to_string().parse().ok()
}
