//! The radius of a key against a computation that knows nothing of it: all boxes that ever crossed, one by one.

use super::super::tests::{about, node, sent};
use super::*;
use proptest::prelude::*;

/// A network of keys: which node each is on.
const NODES: [usize; 6] = [0, 0, 1, 1, 2, 3];

fn key(n: usize) -> Address {
    Address::new([u8::try_from(n).expect("small"); 32])
}

proptest! {
    #[test]
    fn it_is_what_the_boxes_that_crossed_say(
        records in prop::collection::vec((0_usize..6, prop::collection::vec(0_usize..6, 1..5), any::<bool>()), 1..40),
        lost in 0_usize..7,
    ) {
        // Ours are the keys of node 0.
        let is_own = |key: &Address| NODES.iter().enumerate().any(|(n, node)| *node == 0 && super::tests::key(n) == *key);
        for (sender, recipients, is_native) in records {
            let addresses: Vec<Address> = recipients.iter().map(|n| key(*n)).collect();
            let item = Item { sender: key(sender), recipients: &addresses, is_native };
            let found = of_key(&key(lost), &item, is_own);
            let takes_part = sender == lost || recipients.contains(&lost);
            prop_assert_eq!(found.is_some(), takes_part);
            // What crossed as this node knows it: between its own keys nothing does.
            let crossed: Vec<(usize, usize)> = recipients
                .iter()
                .filter(|to| **to != sender && !(NODES[sender] == 0 && NODES[**to] == 0))
                .map(|to| (sender, *to))
                .collect();
            let opens = !is_native && crossed.iter().any(|(from, to)| *from == lost || *to == lost);
            prop_assert_eq!(found.is_some_and(Exposure::is_exposed), opens, "{:?} to {:?}, {} lost", sender, recipients, lost);
        }
    }
}

async fn lines(mut radius: Radius) -> Vec<Value> {
    let mut all = Vec::new();
    while let Some(lines) = radius.next().await.expect("a page") {
        all.extend(lines);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_disk_touches_all_that_is_not_erased_and_names_people_to_those_who_may_know() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let kept = sent(&node, about(&["ana"])).await;
    let gone = sent(&node, about(&["bea"])).await;
    node.store_raw(zeroize::Zeroizing::new(b"raw".to_vec()), None).await.expect("kept");
    let crate::types::ItemId::Payload(id) = gone else { panic!("a payload") };
    node.erase(id).await.expect("erased");
    let all = lines(node.breach_radius(Loss::Disk, true).await.expect("begins")).await;
    assert_eq!(all.len(), 3, "{all:?}");
    let payload = all.iter().find(|line| line["type"] == "payload").expect("the payload");
    assert_eq!((&payload["id"], &payload["subjects"], &payload["exposed"]), (&json!(kept), &json!(["ana"]), &json!(true)));
    let summary = all.last().expect("a summary");
    assert_eq!(
        (&summary["exposed"], &summary["exposed-subjects"], &summary["keys-exposed"]),
        (&json!(2), &json!(["ana"]), &json!(true))
    );
    let blind = lines(node.breach_radius(Loss::Disk, false).await.expect("begins")).await;
    assert!(!blind.iter().any(|line| line.to_string().contains("ana")), "{blind:?}");
    let own = node.enclave().addresses()[0];
    let key = lines(node.breach_radius(Loss::Key(own), true).await.expect("begins")).await;
    assert_eq!((&key[0]["exposure"], &key[1]["exposed"]), (&json!("never-sent"), &json!(0)));
    assert!(matches!(node.breach_radius(Loss::Member("bank".parse().expect("a name")), true).await, Err(Error::NotGoverned)));
}
