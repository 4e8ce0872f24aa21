use serde_json::Value;

use super::publish::refused;
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::http::block_on;

/// `celosia governance status`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The node to ask.
    #[command(flatten)]
    node: Node,
    /// Print the JSON as it came.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let door = args.node.admin()?;
    let answer = block_on(async { door.get("/governance/status").await })?;
    if !answer.status.is_success() {
        return Err(refused(&door, &answer).into());
    }
    let status = answer.json()?;
    if args.json {
        say!("{status:#}");
    } else {
        say_part!("{}", table(&status));
    }
    Ok(())
}

fn table(status: &Value) -> String {
    let word = |field: &str| status.get(field).map_or_else(|| "-".to_owned(), plain);
    let mut out = String::new();
    for field in ["network", "version", "policy", "directory"] {
        out.extend([format!("{field:9}  {}\n", word(field))]);
    }
    let version = status.get("version").and_then(Value::as_u64).unwrap_or_default();
    let none = Vec::new();
    let members = status.get("members").and_then(Value::as_array).unwrap_or(&none);
    let of = |member: &Value| member.get("version").and_then(Value::as_u64).unwrap_or_default();
    let behind: Vec<&Value> = members.iter().filter(|member| of(member) < version).collect();
    let (all, there) = (members.len(), members.len() - behind.len());
    out.extend([format!("{there} of {all} members are on version {version} or later\n")]);
    for member in behind {
        let word = |field: &str| member.get(field).map_or_else(|| "-".to_owned(), plain);
        out.extend([format!("  {}  on version {}, seen {}\n", word("id"), word("version"), word("seen"))]);
    }
    out
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "never".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_lag_behind_are_named() {
        let status = json!({
            "network": "ab", "version": 7, "policy": 3, "directory": 7,
            "members": [
                {"id": "azul", "version": 7, "seen": "2026-01-31T12:00:00Z"},
                {"id": "rojo", "version": 5, "seen": "2026-01-30T12:00:00Z"},
                {"id": "gris", "version": null, "seen": null},
            ],
        });
        let told = table(&status);
        assert!(told.contains("1 of 3 members are on version 7 or later"), "{told}");
        assert!(
            told.contains("  rojo  on version 5, seen 2026-01-30T12:00:00Z\n  gris  on version never, seen never\n"),
            "{told}"
        );
        assert!(!told.contains("azul"), "{told}");
    }
}
