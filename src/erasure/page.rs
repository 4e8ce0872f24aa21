//! A certificate as a page that a data protection officer can send: HTML of one file, without scripts, without anything from elsewhere.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::certificate::{Checked, CheckedHolder, level_words};
use super::{HolderKind, Level};
use crate::types::escape_html;

const STYLE: &str = "body{font:16px/1.5 Georgia,serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1d1d1f}\
h1{font-size:1.6rem}table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{border:1px solid #bbb;padding:.4rem .6rem;\
text-align:left;vertical-align:top}.state{font-size:1.15rem;padding:.6rem;border:2px solid #1d1d1f}small{color:#555}\
@media print{body{margin:0}}";

/// The page of a verified certificate.
pub fn render(checked: &Checked) -> String {
    let certificate = &checked.certificate;
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Certificate of erasure {case}</title><style>{STYLE}</style>\
         <h1>Certificate of erasure</h1><p class=\"state\">{state}</p><table>",
        case = certificate.case,
        state = if certificate.complete {
            "Complete: every holder that can answer has answered for good."
        } else {
            "Not complete yet: what is missing is named below."
        },
    );
    let rows = [
        ("Answers for the data", format!("{} ({})", checked.controller, certificate.controller)),
        ("Case", certificate.case.to_string()),
        ("Ground", format!("{} ({})", certificate.ground, certificate.ground.article())),
        ("Scope", format!("{} item(s), by {}", certificate.items, certificate.scope)),
        ("Asked for", time(certificate.requested)),
        ("Answer due (GDPR art. 12(3))", time(certificate.due)),
        ("This certificate is of", time(certificate.issued)),
        ("Network", certificate.network.to_string()),
    ];
    for (name, value) in rows {
        let _ = write!(page, "<tr><th>{name}</th><td>{}</td></tr>", escape_html(&value));
    }
    for line in checked.recipients() {
        let words = line.strip_prefix("recipients: ").unwrap_or(&line);
        let _ = write!(page, "<tr><th>Recipients</th><td>{}</td></tr>", escape_html(words));
    }
    page.push_str("</table><h2>Holders (GDPR art. 19)</h2><table><tr><th>Who</th><th>What it answered</th><th>Level</th><th>Proof</th></tr>");
    for holder in &checked.holders {
        let answers: Vec<String> = holder.answers.iter().map(|(words, count)| format!("{count} × {words}")).collect();
        let answers = match holder.kind {
            HolderKind::Tessera => {
                format!("{} item(s): runs Tessera, which takes no orders; nothing is certified of its copy", holder.items)
            }
            HolderKind::Celosia => answers.join("; "),
        };
        let level = level_words(holder.level);
        let until = holder
            .recoverable_until
            .map_or_else(String::new, |until| format!("; a backup with its root can open it until {}", time(until)));
        let proof = proof_words(holder);
        let root = if holder.root.is_empty() { String::new() } else { format!("; root: {}", holder.root) };
        let _ = write!(
            page,
            "<tr><td>{} ({})</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape_html(&holder.legal_name),
            escape_html(holder.member.as_str()),
            escape_html(&answers),
            escape_html(&format!("{level}{until}")),
            escape_html(&format!("{proof}{root}")),
        );
    }
    page.push_str("</table><h2>What the levels mean</h2><ul>");
    let meanings = [
        (Level::E1, "the key is destroyed, durably: nobody can read it there any more"),
        (Level::E2, "ciphertext, indexes and journal contents are gone from the live files"),
        (Level::E3, "the root that older copies were sealed under is destroyed: a backup opens nothing"),
    ];
    for (level, meaning) in meanings {
        let _ = write!(page, "<li><b>{level}</b>: {meaning}.</li>");
    }
    page.push_str("</ul><h2>What is outside the reach of this erasure</h2><ul>");
    for outside in &certificate.outside {
        let _ = write!(page, "<li>{}</li>", escape_html(outside));
    }
    page.push_str(
        "</ul><p><small>The signed file beside this page is the evidence; this page only shows it. It is verified with \
         <code>celosia certificate verify</code> and the network's id, without anything else.</small></p></html>\n",
    );
    page
}

/// What of a holder's receipts its journal has shown.
fn proof_words(holder: &CheckedHolder) -> String {
    let shown = match holder.in_journal {
        0 => "none".into(),
        orders => format!("receipt in its journal ({orders} of its orders)"),
    };
    match holder.unproved {
        0 => shown,
        receipts => format!("{shown}; {receipts} receipt(s) that its journal has not been shown to have"),
    }
}

fn time(millis: u64) -> String {
    if millis == u64::MAX {
        return "somebody rotates it".to_owned();
    }
    let stamp = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| millis.to_string(), |stamp| stamp.to_string())
}
