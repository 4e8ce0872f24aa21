//! `celosia root`: the root of the key trees of a running node.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::admin::Node;
use super::http::block_on;

/// A rotation rewrites every tree and may ask a key service.
const PATIENCE: Duration = Duration::from_mins(10);

/// Arguments of `celosia root`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show where the root is, its generation, and its last rotation.
    Status {
        #[command(flatten)]
        node: Node,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Make a new generation of the root and destroy the older ones: copies of the key trees from before are dead from then on.
    Rotate {
        #[command(flatten)]
        node: Node,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Status { node, json } => {
            let door = node.admin()?;
            let status = block_on(async { door.get("/root").await?.json() })?;
            if *json {
                say!("{status:#}");
            } else {
                status_lines(&status);
            }
        }
        Command::Rotate { node, json } => {
            let door = node.patient_admin(PATIENCE)?;
            let done = block_on(async { door.post("/root/rotate", &json!({})).await?.json() })?;
            if *json {
                say!("{done:#}");
            } else {
                rotation_lines(&done);
            }
        }
    }
    Ok(())
}

fn status_lines(status: &Value) {
    say!("root        {}", text(&status["place"]));
    say!("kind        {}", text(&status["kind"]));
    say!("generation  {}", status["generation"]);
    if status["oldest"] != status["generation"] {
        say!("unfinished  generation {} still opens: rotate again, or look into the log", status["oldest"]);
    }
    say!("trees       {} ({} bytes, {} leaves punctured)", status["trees"], status["state-bytes"], status["punctured"]);
    say!("next        {}", status["next-rotation"].as_u64().map_or("on demand".to_owned(), time));
    match &status["last"] {
        Value::Null => say!("last        never rotated"),
        last => rotation_lines(last),
    }
}

fn rotation_lines(done: &Value) {
    let at = |name: &str| done[name].as_u64().filter(|at| *at > 0).map_or("an unknown time".to_owned(), time);
    say!(
        "rotated     {} -> {}, {} trees, begun {}, done {}",
        done["from"],
        done["to"],
        done["trees"],
        at("started-at"),
        at("finished-at")
    );
    for word in done["destroyed"].as_array().map(Vec::as_slice).unwrap_or_default() {
        say!("destroyed   {}: {}", word["generation"], text(&word["word"]));
    }
}

fn time(millis: u64) -> String {
    let at = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    at.map_or_else(|| millis.to_string(), |at| at.to_string())
}

/// What comes from the node is printed without what could move the cursor.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().filter(|c| !c.is_control()).collect()
}
