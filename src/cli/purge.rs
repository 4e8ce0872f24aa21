//! `celosia purge`: what was erased leaves the store's files now.

use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};

use super::admin::{Door, Node};
use super::http::block_on;

/// How often a long purge is asked after.
const LOOK: Duration = Duration::from_millis(500);

/// Takes the bytes of everything that was erased out of the store's files, and waits until they are gone.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
    /// Print the JSON as it came.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let door = args.node.admin()?;
    let figures = block_on(async { purge(&door).await })?;
    if args.json {
        say!("{figures:#}");
        return Ok(());
    }
    let number = |name: &str| figures[name].as_u64().unwrap_or_default();
    say!(
        "purged: {} bytes before, {} after, {} families, {} whole days, {} ms",
        number("bytes-before"),
        number("bytes-after"),
        number("families"),
        number("days"),
        number("millis")
    );
    Ok(())
}

async fn purge(door: &Door) -> anyhow::Result<Value> {
    let answer = door.post("/erasure/purge", &json!({})).await?;
    let begun = answer.json()?;
    if answer.status != hyper::StatusCode::ACCEPTED {
        return Ok(begun);
    }
    let failed = begun["failed"].as_u64();
    loop {
        tokio::time::sleep(LOOK).await;
        let now = door.get("/erasure/purge").await?.json()?;
        if now["failed"].as_u64() != failed {
            bail!("the purge did not end: the node's log says why");
        }
        if now["running"] == false {
            return Ok(now["last"].clone());
        }
    }
}
