//! Answers and requests that are not taken, each with its code.

use super::*;
use crate::crypto::hpke::BoxKey;
use crate::erasure::HoldRequest;

fn code(result: Result<Hold, Error>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.code().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_do_not_fit_are_refused_by_name() {
    let bench = Bench::new();
    let (item, other) = (sent(bench.node(), Tags::default()).await, sent(bench.node(), Tags::default()).await);
    let (hold, another) = (bench.place(HoldKind::Block, &[item], LONG).await, bench.place(HoldKind::Block, &[other], LONG).await);
    let node = bench.node();
    let foreign = bench.committee.answer(&node.export_hold(another.id, "ana").await.expect("exported"), 0);
    let request = node.export_hold(hold.id, "ana").await.expect("exported");
    let good = bench.committee.answer(&request, 0);
    node.answer_hold(hold.id, bench.committee.answer(&request, 1)).await.expect("taken");
    let try_with = |answer: HoldAnswer| async move {
        if let Err(error) = node.answer_hold(hold.id, answer).await {
            return code(Err(error));
        }
        code(node.release_hold(hold.id, "ana").await)
    };
    let network = node.hold_network();
    let altered = |change: &dyn Fn(&mut HoldAnswer)| {
        let mut answer = good.clone();
        change(&mut answer);
        answer
    };
    let signed = |change: &dyn Fn(&mut HoldAnswer)| {
        let mut answer = altered(change);
        bench.committee.sign(0, &mut answer, &network);
        answer
    };
    let stranger = Sample::new();
    let strange = HoldRequest { envelopes: vec![], ..request.clone() };
    let strange = stranger.answer(&strange, 0);
    for (what, answer, expected) in [
        ("of another hold", foreign, "CEL3388"),
        ("of another committee", strange, "CEL3388"),
        ("without an envelope", signed(&|answer| answer.envelopes.clear()), "CEL7041"),
        ("to a key that is gone", signed(&|answer| answer.key = BoxKey::new([9; 32])), "CEL3389"),
        ("of another format", altered(&|answer| answer.format = "celosia hold answer 1".into()), "CEL3388"),
        ("altered on the way", altered(&|answer| answer.envelopes[0].share[30] ^= 1), "CEL3388"),
        ("that opens nothing, by its officer", signed(&|answer| answer.envelopes[0].share[90] ^= 1), "CEL3388"),
        ("of the same officer twice", bench.committee.answer(&request, 1), "CEL7041"),
    ] {
        assert_eq!(try_with(answer).await, Err(expected.to_owned()), "{what}");
        assert_eq!(bench.read(item).await, None, "{what}");
    }
    let bad = signed(&|answer| answer.envelopes[0].share[90] ^= 1);
    node.answer_hold(hold.id, bad).await.expect("taken");
    let named = node.release_hold(hold.id, "ana").await.expect_err("its proof fails").to_string();
    assert!(named.contains("officer 1"), "{named}");
    // A label that was changed gets no answer at all.
    let mut lied = request.clone();
    lied.envelopes[0].label.reference = "something harmless".into();
    assert!(bench.committee.try_answer(&lied, 0).is_err());
    assert_eq!(try_with(good).await, Ok(()));
    assert!(bench.read(item).await.is_some());
}

/// What makes a request wrong.
type Change = fn(&mut NewHold);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_do_not_fit_are_refused_by_name() {
    let bench = Bench::new();
    let node = bench.node();
    let item = sent(node, Tags::default()).await;
    let hold = bench.place(HoldKind::LegalHold, &[item], LONG).await;
    node.release_hold(hold.id, "ana").await.expect("nothing is sealed");
    let new = |change: fn(&mut NewHold)| {
        let scope = Scope::Items(vec![item]);
        let mut new =
            NewHold { kind: HoldKind::Block, ground: "legal-claims".into(), reference: "1".into(), until: u64::MAX, scope };
        change(&mut new);
        new
    };
    let document = |new: &mut NewHold| {
        new.scope = Scope::Items(vec![ItemId::Document(crate::types::DocumentId::new([1; 32]))]);
    };
    let cases: [(Change, &str); 5] = [
        (|new| new.ground = "because".into(), "CEL3384"),
        (|new| new.reference = "a\nb".into(), "CEL3385"),
        (|new| new.until = 1, "CEL3386"),
        (|new| new.scope = Scope::Items(Vec::new()), "CEL3387"),
        (document, "CEL3387"),
    ];
    for (change, expected) in cases {
        assert_eq!(code(node.place_hold(new(change), "ana").await), Err(expected.to_owned()));
    }
    assert_eq!(code(node.hold(HoldId([0; 16])).await), Err("CEL3380".to_owned()));
    assert_eq!(code(node.release_hold(hold.id, "ana").await), Err("CEL3381".to_owned()));
    let folder = tempfile::tempdir().expect("a folder");
    let without = node_under(folder.path(), HoldSettings::default());
    let item = sent(&without, Tags::default()).await;
    let mut block = new(|_| {});
    block.scope = Scope::Items(vec![item]);
    assert_eq!(code(without.place_hold(block, "ana").await), Err("CEL3382".to_owned()));
}
