//! `celosia certificate`: what an erasure's certificate proves, from the file alone.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::Failure;
use crate::erasure::{Certificate, Checked, HolderKind, render};
use crate::types::{Coded as _, NetworkId};

/// Arguments of `celosia certificate`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify every signature, order, receipt and log proof of a certificate. No node is asked.
    Verify {
        /// The certificate.
        file: PathBuf,
        /// Id of the network, 64 hexadecimal digits: the anchor of everything else. Without it the certificate is only true to itself.
        #[arg(long, value_name = "HEX")]
        network: Option<NetworkId>,
    },
    /// Verify it and write it as a page (HTML) that can be sent and printed.
    Page {
        /// The certificate.
        file: PathBuf,
        /// Id of the network.
        #[arg(long, value_name = "HEX")]
        network: Option<NetworkId>,
        /// Where to write the page.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Verify { file, network } => {
            let checked = check(file, network.as_ref())?;
            show(&checked, network.is_some());
        }
        Command::Page { file, network, out } => {
            let checked = check(file, network.as_ref())?;
            std::fs::write(out, render(&checked)).with_context(|| out.display().to_string())?;
            say!("{}", out.display());
        }
    }
    Ok(())
}

fn check(file: &Path, network: Option<&NetworkId>) -> Result<Checked, Failure> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Certificate::check(&text, network).map_err(|error| {
        let code = error.code();
        Failure::from(anyhow::anyhow!("the certificate does not hold: {error} [{code}]"))
    })
}

fn show(checked: &Checked, is_anchored: bool) {
    let certificate = &checked.certificate;
    say!("good: signed by {} ({}), case {}", certificate.controller, checked.controller, certificate.case);
    say!("network: {}{}", certificate.network, if is_anchored { "" } else { " (not compared: give --network)" });
    say!("ground: {} ({})", certificate.ground, certificate.ground.article());
    say!("items: {} (by {})", certificate.items, certificate.scope);
    say!(
        "{}",
        if certificate.complete { "complete: every holder that can answer has answered for good" } else { "NOT complete yet" }
    );
    for line in checked.recipients() {
        say!("{line}");
    }
    for holder in &checked.holders {
        let level = holder.level.map_or_else(|| "-".to_owned(), |level| level.to_string());
        say!("  {} ({}): {level}", holder.member, holder.legal_name);
        if holder.kind == HolderKind::Tessera {
            say!("    {} item(s): runs Tessera, takes no orders; nothing is certified of its copy", holder.items);
        }
        for (words, count) in &holder.answers {
            say!("    {count} x {words}");
        }
        if let Some(until) = holder.recoverable_until {
            say!("    recoverable from a backup with its root until {}", time(until));
        }
        if holder.in_journal > 0 {
            say!("    its journal has the receipt ({} order(s))", holder.in_journal);
        }
        if holder.unproved > 0 {
            say!("    {} receipt(s) that its journal has not been shown to have", holder.unproved);
        }
    }
    say!("outside its reach:");
    for outside in &certificate.outside {
        say!("  - {outside}");
    }
}

fn time(millis: u64) -> String {
    if millis == u64::MAX {
        return "somebody rotates it".to_owned();
    }
    let stamp = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| millis.to_string(), |stamp| stamp.to_string())
}
