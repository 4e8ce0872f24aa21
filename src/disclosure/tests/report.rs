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
    report.payloads.push(Row::opened(case.world.charter.members(), &opened, "000001.bin".into(), "00".into()));
    let why = Refused::Erased(case.items[0].id, "a <certificate>".into());
    report.payloads.push(Row::not_opened(case.items[0].id, &why));
    assert_eq!(Report::from_json(&report.to_json()), Ok(report.clone()));
    assert_eq!(report.counts(), (1, 1));
    let page = page(&report);
    for word in ["banco S.A.", "otro S.A.", "officer 2, Entity 2", "a &lt;certificate&gt;", "CEL7118", "Ana Auditora"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(!page.contains("<certificate>"));
}
