//! What the auditor writes down.

use super::super::sample::NOW;
use super::super::*;
use super::case;

#[test]
fn a_report_names_people_and_reads_back() {
    let case = case(&["<b>x</b>"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let tally = case.tally(&verdicts, NOW).expect("a tally");
    let view = case.world.view(&case.docket.docket, &verdicts);
    let view = view.check(&case.world.charter, &case.docket.docket, &verdicts).expect("on record");
    let mut report = Report::new(&case.world.charter, &case.request, &case.docket.docket, &tally.approvals, &view);
    let opened = case.open_with(&[1, 2, 3], 0).expect("it opens");
    report.add(Row::opened(case.world.charter.members(), &opened, "000001.bin".into(), "00".into()));
    let why = Refused::Erased(case.items[0].id, "a <certificate>".into());
    report.add(Row::not_opened(case.items[0].id, &why));
    assert_eq!(Report::from_json(&report.to_json()), Ok(report.clone()));
    assert_eq!((report.opened, report.not_opened, report.reasons.get("CEL7118")), (1, 1, Some(&1)));
    let page = page(&report);
    for word in ["banco S.A.", "otro S.A.", "officer 2, Entity 2", "a &lt;certificate&gt;", "CEL7118", "Ana Auditora"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("<certificate>"));
    // A long one has its rows in pages, each with its digest.
    let (file, text, rows) = report.turn();
    assert_eq!((file.as_str(), rows.len(), report.payloads.len()), ("payloads-000001.json", 2, 0));
    assert_eq!(report.pages[0].sha256, data_encoding::HEXLOWER.encode(&crate::crypto::hash::sha256(&[text.as_bytes()])));
    assert_eq!(serde_json::from_str::<Vec<Row>>(&text).expect("rows"), rows);
    assert_eq!(Report::from_json(&report.to_json()), Ok(report.clone()));
    let (whole, part) = (super::super::page(&report), page_of_rows(&report, "payloads-000001.json", &rows));
    assert!(whole.contains("payloads-000001.html") && whole.contains("1 payload(s) opened and verified, 1 not opened"));
    assert!(!whole.contains("otro S.A.") && whole.contains("CEL7118: 1"), "{whole}");
    assert!(part.contains("otro S.A.") && part.contains("report.html") && part.contains("a &lt;certificate&gt;"), "{part}");
}
