use super::*;
use crate::matter::{Attachment, Level, Outcome};
use crate::services::rights::tests::node as node_in;

const CODE: Code = Code(6032);

fn member(name: &str) -> MemberId {
    name.parse().expect("a name")
}

async fn only(node: &Node) -> Matter {
    let all = node.matters_after(None, 9).await.expect("reads");
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().expect("one")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_is_one_case_until_it_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node_in(folder.path());
    for _ in 0..3 {
        node.notice(CODE, Some(&member("b")), "the policy refused a send");
    }
    node.turn_matters().await.expect("written");
    node.notice(CODE, Some(&member("b")), "the policy refused a send");
    node.turn_matters().await.expect("written");
    let open = only(&node).await;
    assert_eq!(
        (open.times, open.code.as_deref(), open.member, open.kind),
        (4, Some("CEL6032"), Some(member("b")), MatterKind::Violation)
    );
    for step in [Step::Assign("ana".into()), Step::Decide(Outcome::Remedied, "told them".into()), Step::Close] {
        node.step_matter(open.id, step, "ana").await.expect("taken");
    }
    assert!(node.step_matter(open.id, Step::Close, "ana").await.is_err());
    node.notice(CODE, Some(&member("b")), "the policy refused a send");
    node.notice(CODE, Some(&member("c")), "the policy refused a send");
    node.turn_matters().await.expect("written");
    assert_eq!(node.matters_after(None, 9).await.expect("reads").len(), 3, "a new one for b, and one for c");
    let counted = node.indicators().await.expect("counts");
    assert_eq!(counted.violations.get("CEL6032"), Some(&6));
    assert_eq!(node.matter_figures(), MatterFigures { open: 2, waiting: 3, overdue: 0, climbed: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_climbs_over_a_restart_and_stops_when_somebody_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node_in(folder.path());
    let id = node
        .open_matter(NewMatter { kind: MatterKind::Grievance, title: "12/2026".into(), member: None }, "bea")
        .await
        .expect("opened")
        .id;
    assert!(matches!(
        node.open_matter(NewMatter { kind: MatterKind::Violation, title: "x".into(), member: None }, "bea").await,
        Err(Error::Matter(MatterError::Violation))
    ));
    let file = Attachment { name: "a.pdf".into(), bytes: 1, sha256: "00".repeat(32), at: 0, by: String::new() };
    node.step_matter(id, Step::Attach(file), "bea").await.expect("attached");
    node.store.close().await.expect("closed");
    drop(node);
    let node = node_in(folder.path());
    assert_eq!(node.matter(id).await.expect("kept").notice.level, Level::Dpo);
    node.let_climb(now() + 10_000).await.expect("climbs");
    assert_eq!(node.matter(id).await.expect("kept").notice.level, Level::Governor);
    let lower = node.step_matter(id, Step::Acknowledge(Level::Dpo), "dpo").await;
    assert!(matches!(lower, Err(Error::Matter(MatterError::Level(Level::Governor)))));
    node.step_matter(id, Step::Acknowledge(Level::Governor), "gov").await.expect("the level");
    node.let_climb(now() + 10_000_000).await.expect("nothing to do");
    node.count_matters().await.expect("counts");
    assert_eq!(node.matter_figures(), MatterFigures { open: 1, waiting: 0, overdue: 0, climbed: 1 });
}
