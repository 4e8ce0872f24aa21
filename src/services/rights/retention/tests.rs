use super::super::tests::{about, node, sent};
use crate::erasure::Tags;
use crate::services::records::now;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_due_when_their_tags_say_the_longest_due_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let begun = now();
    let until = |millis: u64| Tags { retain_until: Some(begun + millis), ..about(&["ana"]) };
    let (late, soon) = (sent(&node, until(2_000_000)).await, sent(&node, until(1_000_000)).await);
    let _never = sent(&node, about(&["ana"])).await;
    let due = async |after: u64, limit: usize| node.due(begun + after, limit).await.expect("read");
    assert!(due(0, 9).await.is_empty());
    assert_eq!(due(1_500_000, 9).await, [soon]);
    assert_eq!(due(3_000_000, 9).await, [soon, late]);
    assert_eq!(due(3_000_000, 1).await, [soon]);
    // Tagged anew: the old hint is passed over, and goes.
    node.tag(soon, until(5_000_000)).await.expect("tagged");
    assert_eq!(due(3_000_000, 9).await, [late]);
    assert_eq!(due(6_000_000, 9).await, [late, soon]);
    node.tag(late, about(&["ana"])).await.expect("tagged");
    let crate::types::ItemId::Payload(id) = soon else { panic!("a payload") };
    node.erase(id).await.expect("erased");
    assert!(due(6_000_000, 9).await.is_empty());
    let left = node.store().rows(crate::store::Table::State, super::PREFIX, None, 9).await.expect("read");
    assert!(left.is_empty(), "hints that came to nothing are gone");
}
