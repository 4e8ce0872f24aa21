//! Notices: what a member was told of its own payloads.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::Value;

use super::{carried, show_request};
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::erase::text;
use crate::cli::http::block_on;
use crate::directory::CharterFolder;
use crate::disclosure::{Refused, SignedNotice, case_digest, moment, tally, to_json};
use crate::types::NetworkId;

/// The format of a notice's file.
const NOTICE: &str = "celosia-disclosure-notice-1";

pub(super) fn list(node: &Node, out: Option<&Path>) -> Result<(), Failure> {
    let door = node.admin()?;
    if let Some(out) = out {
        std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    }
    let mut after = String::new();
    loop {
        let page = block_on(async { door.get(&format!("/disclosures/notices{after}")).await?.json() })?;
        let Some(page) = page.as_array().filter(|page| !page.is_empty()) else { return Ok(()) };
        for entry in page {
            show(entry, out)?;
        }
        after = page.last().map_or_else(String::new, |last| format!("?after={}", text(&last["name"])));
    }
}

fn show(entry: &Value, out: Option<&Path>) -> Result<(), Failure> {
    let bytes = crate::types::base64(text(&entry["notice"]).as_bytes()).context("the node's answer")?;
    let signed = SignedNotice::decode(&bytes).map_err(|refused| Failure::coded(2, &refused))?;
    let (notice, request) = (&signed.notice, &signed.notice.request.request);
    say!(
        "{}  {}  {}  {} payload(s) of yours  by {}, {}: {}  held by {}",
        moment(notice.time),
        request.grant,
        notice.stage,
        notice.items.len(),
        request.name,
        request.entity,
        request.purpose,
        notice.docket.docket.member,
    );
    if let Some(folder) = out {
        let name = text(&entry["name"]);
        let file = folder.join(format!("{}-{}-{}.notice", request.grant, notice.stage, &name[name.len().saturating_sub(8)..]));
        std::fs::write(&file, to_json(NOTICE, &[bytes])).with_context(|| file.display().to_string())?;
        eprintln!("{}", file.display());
    }
    Ok(())
}

/// From the file and the network's documents: who asked, what of ours, who approved, whether the view is on record.
pub(super) fn verify(file: &Path, network: &NetworkId, witnesses: usize, directory: Option<&Path>) -> Result<(), Failure> {
    let coded = |refused: Refused| Failure::coded(2, &refused);
    let folder =
        directory.ok_or_else(|| Failure::plain(2, "a notice is verified with the network's documents: give --directory"))?;
    let folder = CharterFolder::open(folder, Some(*network), Timestamp::now()).map_err(|error| Failure::coded(2, &error))?;
    let charter = folder.charter();
    for bytes in carried(file, NOTICE)? {
        let signed = SignedNotice::decode(&bytes).map_err(coded)?;
        let notice = &signed.notice;
        let (request, docket) = (&notice.request.request, &notice.docket.docket);
        if notice.network != *network {
            return Err(coded(Refused::Network("notice")));
        }
        signed.verify(charter).map_err(coded)?;
        say!(
            "good: {} tells {} that {} payload(s) of its own were {}",
            docket.member,
            notice.to,
            notice.items.len(),
            notice.stage
        );
        show_request(request);
        let view = notice.view.as_ref().map(|view| view.check(charter, docket, &notice.verdicts)).transpose().map_err(coded)?;
        let time = view.as_ref().map_or(notice.time, |view| view.at);
        let tally = tally(charter, request, &docket.epochs, &case_digest(docket), &notice.verdicts, time).map_err(coded)?;
        for officer in &tally.approvals {
            say!("approved: {} ({}), {}: {}", officer.name, officer.entity, moment(officer.time), officer.text);
        }
        for officer in &tally.refusals {
            say!("refused: {} ({}), {}: {}", officer.name, officer.entity, moment(officer.time), officer.text);
        }
        if let Some(view) = view {
            tally.is_enough().and_then(|()| view.is_witnessed(witnesses)).map_err(coded)?;
            say!("on record: view {}, {}, entry {} of {} in {}", view.view, moment(view.at), view.index, view.size, view.log);
            say!("witnesses: {}", view.witnesses_named());
        }
        for id in signed.ids() {
            say!("payload: {id}");
        }
    }
    Ok(())
}
