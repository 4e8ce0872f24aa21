//! A report as a page: HTML of one file, without scripts, without anything from elsewhere.

use std::fmt::Write as _;

use super::{Party, Report, Row};
use crate::types::escape_html;

const STYLE: &str = "body{font:16px/1.5 Georgia,serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d1d1f}\
h1{font-size:1.6rem}table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{border:1px solid #bbb;padding:.4rem .6rem;\
text-align:left;vertical-align:top;overflow-wrap:anywhere}.state{font-size:1.15rem;padding:.6rem;border:2px solid #1d1d1f}small{color:#555}\
@media print{body{margin:0}}";

/// The page of a report.
pub fn page(report: &Report) -> String {
    let mut page = begin(report, "Report of a disclosure");
    let _ = write!(
        page,
        "<p class=\"state\">{} payload(s) opened and verified, {} not opened.</p><table>",
        report.opened, report.not_opened
    );
    let rows = [
        ("Grant", report.grant.to_string()),
        ("Network", report.network.to_string()),
        ("Auditor", party(&report.auditor)),
        ("Mandate", report.mandate.clone()),
        ("Purpose", report.purpose.clone()),
        ("Legal basis", report.basis.clone()),
        ("Asked for", report.scope.clone()),
        ("Window", report.window.clone()),
        (
            "Secrecy order",
            if report.secrecy.is_empty() { "none: those concerned were told".into() } else { report.secrecy.clone() },
        ),
        ("Holder", party(&report.holder)),
        ("On record", format!("{}, in {}", report.view, report.log)),
        ("Witnesses of the record", if report.witnesses.is_empty() { "none yet".into() } else { report.witnesses.join(", ") }),
    ];
    for (name, value) in rows {
        let _ = write!(page, "<tr><th>{name}</th><td>{}</td></tr>", escape_html(&value));
    }
    page.push_str("</table><h2>Approved by</h2><ul>");
    for officer in &report.officers {
        let _ = write!(page, "<li>{}</li>", escape_html(&party(officer)));
    }
    page.push_str("</ul><h2>Payloads</h2>");
    if !report.reasons.is_empty() {
        let reasons: Vec<_> = report.reasons.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        let _ = write!(page, "<p>Not opened, by the code of the reason: {}.</p>", escape_html(&reasons.join("; ")));
    }
    if report.pages.is_empty() {
        put_rows(&mut page, &report.payloads);
    } else {
        page.push_str("<table><tr><th>Page</th><th>Payloads</th><th>SHA-256 of the JSON</th></tr>");
        for of in &report.pages {
            let name = escape_html(&html_of(&of.file));
            let _ = write!(
                page,
                "<tr><td><a href=\"{name}\">{name}</a></td><td>{}</td><td>{}</td></tr>",
                of.rows,
                escape_html(&of.sha256)
            );
        }
        page.push_str("</table>");
    }
    page.push_str(
        "<p><small>The files beside this page are the evidence; this page only shows it. They are verified again with \
         <code>celosia auditor verify</code>, and without the key of the grant with <code>celosia disclosure verify</code>.</small></p></html>\n",
    );
    page
}

/// A page of rows of a report that has pages; `file` is the name of its JSON.
pub fn page_of_rows(report: &Report, file: &str, rows: &[Row]) -> String {
    let mut page = begin(report, &format!("Payloads of a disclosure: {file}"));
    page.push_str("<p><a href=\"report.html\">The report</a></p>");
    put_rows(&mut page, rows);
    page.push_str("</html>\n");
    page
}

/// The name of the page for people beside a file of rows.
pub fn html_of(file: &str) -> String {
    file.strip_suffix(".json").unwrap_or(file).to_owned() + ".html"
}

fn begin(report: &Report, title: &str) -> String {
    let title = escape_html(title);
    let grant = report.grant;
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Disclosure {grant}</title><style>{STYLE}</style><h1>{title}</h1>"
    )
}

fn put_rows(page: &mut String, rows: &[Row]) {
    page.push_str(
        "<table><tr><th>Id on the chain</th><th>Made</th><th>Sent by</th><th>Acknowledged by</th><th>Content</th></tr>",
    );
    for row in rows {
        put_row(page, row);
    }
    page.push_str("</table>");
}

fn put_row(page: &mut String, row: &Row) {
    let acknowledged: Vec<_> = row.acknowledged.iter().map(party).collect();
    let class = row.class.map_or_else(String::new, |class| format!(" ({class})"));
    let mut content = if row.why_not.is_empty() {
        format!("{}: {} bytes, SHA-256 {}", row.file, row.bytes, row.sha256)
    } else {
        format!("not opened: {} [{}]", row.why_not, row.code)
    };
    for wrong in &row.wrong_shares {
        // Writing to a string does not fail.
        let _ = write!(content, "; {wrong}");
    }
    let cells = [
        row.id.to_string(),
        format!("{}{class}", row.made),
        row.sender.as_ref().map_or_else(String::new, party),
        acknowledged.join("; "),
        content,
    ];
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<td>{}</td>", escape_html(&cell));
    }
    page.push_str("</tr>");
}

fn party(party: &Party) -> String {
    let id = if party.id.is_empty() { String::new() } else { format!(" ({})", party.id) };
    format!("{}{id}, {}, {}", party.name, party.entity, party.time)
}
