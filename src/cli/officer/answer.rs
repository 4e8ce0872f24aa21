use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::{Unlock, coded, read};
use crate::cli::Failure;
use crate::cli::erase::time;
use crate::erasure::{HoldRequest, REQUEST_FORMAT};
use crate::officer::OfficerError;

/// `celosia officer answer`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What the node asks: `request.json` of `celosia hold export`.
    #[arg(value_name = "FILE")]
    request: PathBuf,
    #[command(flatten)]
    unlock: Unlock,
    /// Where to write the answer, for whoever asked.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What is asked is shown before it is answered. What is shown is what the answer is good for: each word is bound to the capsule, and the
/// folder answers nothing where one is another.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let wrong = |error| Failure::plain(2, format!("{} is no request of a hold: {error}", args.request.display()));
    let request: HoldRequest = serde_json::from_str(&read(&args.request)?).map_err(|error| wrong(error.to_string()))?;
    if request.format != REQUEST_FORMAT {
        return Err(wrong(format!("its format is not {REQUEST_FORMAT}")));
    }
    eprintln!("to release hold {}: {} envelope(s)", request.hold, request.envelopes.len());
    let mut shown = BTreeSet::new();
    for label in request.envelopes.iter().map(|envelope| &envelope.label) {
        if shown.insert((label.network, label.hold, label.until)) {
            let (ground, reference) = (printable(&label.ground), printable(&label.reference));
            let until = time(&json!(label.until));
            eprintln!("  network {}, blocked under {} until {until}: {ground}, {reference}", label.network, label.hold);
        }
    }
    let answer = args.unlock.open()?.answer(&request).map_err(coded)?;
    let text = serde_json::to_string_pretty(&answer).expect("strings have a JSON form");
    std::fs::write(&args.out, text).map_err(|source| coded(OfficerError::Io { path: args.out.clone(), source }))?;
    say!("{}", args.out.display());
    Ok(())
}

/// What others wrote must not move the cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
