//! `celosia status`: keys, peers, store and rates of a running node, as a plain table.

use serde_json::Value;

use super::admin::Node;
use super::http::block_on;

/// Arguments of `celosia status`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The node to ask.
    #[command(flatten)]
    pub node: Node,
    /// Print the JSON as it came.
    #[arg(long)]
    pub json: bool,
}

/// Asks the admin surface and prints what it says.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let door = args.node.admin()?;
    let status = block_on(async { door.get("/status").await?.json() })?;
    if args.json {
        say!("{status:#}");
    } else {
        say_part!("{}", table(&status));
    }
    Ok(())
}

/// Sections of aligned names and values. Works for any object, so that the table never lags behind the document.
fn table(status: &Value) -> String {
    let mut out = String::new();
    let Value::Object(members) = status else { return format!("{}\n", plain(status)) };
    let (sections, facts): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| value.is_object() || is_table(value));
    rows(&mut out, "", &facts.iter().map(|(name, value)| ((*name).clone(), plain(value))).collect::<Vec<_>>());
    for (name, value) in sections {
        out.extend(["\n", &spaced(name), "\n"]);
        let lines: Vec<(String, String)> = match value {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            Value::Array(items) => items.iter().map(|item| (String::new(), plain(item))).collect(),
            other => vec![(String::new(), plain(other))],
        };
        rows(&mut out, "  ", &lines);
    }
    out
}

fn rows(out: &mut String, indent: &str, rows: &[(String, String)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in rows {
        let line = if width == 0 { format!("{indent}{value}") } else { format!("{indent}{:width$}  {value}", spaced(name)) };
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn is_table(value: &Value) -> bool {
    matches!(value, Value::Array(items) if !items.is_empty())
}

/// A value on one line.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| match value {
                Value::String(text) => text.clone(),
                value => format!("{} {}", spaced(name), plain(value)),
            };
            members.iter().map(member).collect::<Vec<_>>().join("  ")
        }
    }
}

fn spaced(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_a_table() {
        let status = json!({
            "version": "0.1.0",
            "keys": ["BULe=", "QfeD="],
            "peers": [{"url": "http://127.0.0.1:9002/", "keys": 2, "reached": true}],
            "store": {"payloads": 12, "free_bytes": null},
        });
        let lines: Vec<String> = table(&status).lines().map(str::to_owned).collect();
        for line in ["version  0.1.0", "keys", "  BULe=", "  payloads    12", "  free bytes  -"] {
            assert!(lines.iter().any(|found| found == line), "{line:?} is missing in {lines:#?}");
        }
        assert!(table(&status).contains("http://127.0.0.1:9002/"));
    }

    #[test]
    fn nothing_is_said_plainly() {
        assert_eq!(table(&json!({"peers": []})), "peers  none\n");
    }
}
