//! Holds over a real store and a real forest of keys, in a folder of their own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::place::NewHold;
use super::rows::{Part, begin, put_hold, put_parts};
use super::*;
use crate::crypto::random;
use crate::enclave::EnclaveError;
use crate::erasure::{HoldKind, HoldState, Scope, Tags};
use crate::seal::hold::tests::Sample;
use crate::services::records::now;
use crate::services::rights::tests::{about, copy, node_under, of_subject, sent};
use crate::store::{Kind, Lookup, Write};
use crate::types::PayloadId;

mod refused;

struct Bench {
    folder: tempfile::TempDir,
    committee: Sample,
    node: Option<Arc<Node>>,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self { folder: tempfile::tempdir().expect("a folder"), committee: Sample::new(), node: None };
        bench.start();
        bench
    }

    fn settings(&self) -> HoldSettings {
        HoldSettings { committee: Some(self.committee.committee.clone()), profile: Arc::default() }
    }

    fn start(&mut self) {
        self.node = Some(node_under(self.folder.path(), self.settings()));
    }

    /// The process ends and begins again.
    async fn restart(&mut self) {
        let node = self.node.take().expect("it runs");
        node.store.close().await.expect("closed");
        drop(node);
        self.start();
    }

    fn node(&self) -> &Arc<Node> {
        self.node.as_ref().expect("it runs")
    }

    async fn place(&self, kind: HoldKind, items: &[ItemId], lasts: u64) -> Hold {
        let scope = Scope::Items(items.to_vec());
        let new = NewHold { kind, ground: "legal-claims".into(), reference: "12/2026".into(), until: now() + lasts, scope };
        self.node().place_hold(new, "ana").await.expect("placed")
    }

    /// Export, committee, answer, release.
    async fn release(&self, hold: HoldId) -> Result<Hold, Error> {
        let request = self.node().export_hold(hold, "ana").await?;
        for (count, answer) in (1..).zip(self.committee.answers(&request)) {
            assert_eq!(self.node().answer_hold(hold, answer).await?, (count, 2));
        }
        self.node().release_hold(hold, "ana and bea").await
    }

    async fn read(&self, item: ItemId) -> Option<Vec<u8>> {
        match self.node().receive(id_of(item), None).await {
            Ok(received) => Some(received.payload.to_vec()),
            Err(Error::NotFound(_)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Ends what is over, after some milliseconds.
    async fn later(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        self.node().expire_holds().await.expect("ended");
    }

    async fn is_destroyed(&self, item: ItemId) -> bool {
        matches!(self.node().store.head(Kind::Payload, &id_of(item)).await.expect("reads"), Lookup::Erased(_))
            && self.node().parts(&item).await.expect("reads").is_empty()
            && self.node().holds_of(&item).await.expect("reads").is_empty()
    }
}

fn id_of(item: ItemId) -> PayloadId {
    match item {
        ItemId::Payload(id) => id,
        ItemId::Document(_) => panic!("a payload"),
    }
}

const LONG: u64 = 1_000_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_blocked_nobody_reads_until_the_committee_releases_it() {
    let mut bench = Bench::new();
    let (item, other) = (sent(bench.node(), about(&["ana"])).await, sent(bench.node(), about(&["ana"])).await);
    let old_head = bench.node().head(Kind::Payload, &id_of(item)).await.expect("reads").expect("here");
    let hold = bench.place(HoldKind::Block, &[item], LONG).await;
    assert_eq!(bench.node().hold_figures(), (1, 1));
    assert_eq!((bench.read(item).await, bench.read(other).await.as_deref()), (None, Some(&b"payload"[..])));
    // The index does not confirm who is in it; the old head opens nothing with any key of the node.
    assert_eq!(of_subject(bench.node(), "ana").await, [other]);
    assert!(matches!(bench.node().enclave.meta(id_of(item), &old_head).await, Err(EnclaveError::Erased)));
    assert!(matches!(bench.node().tags_of(item).await, Err(Error::ItemNotFound(_))));
    assert!(matches!(bench.node().erase(id_of(item)).await, Err(Error::NotFound(_))));
    bench.restart().await;
    assert_eq!(bench.read(item).await, None);
    assert!(matches!(bench.node().release_hold(hold.id, "ana").await, Err(Error::Hold(HoldError::AnswerNeeded(_)))));
    let released = bench.release(hold.id).await.expect("released");
    assert_eq!((released.state, released.ended_by.as_deref()), (HoldState::Released, Some("ana and bea")));
    assert_eq!(bench.read(item).await.as_deref(), Some(&b"payload"[..]));
    let mut found = of_subject(bench.node(), "ana").await;
    found.sort();
    let mut both = [item, other];
    both.sort();
    assert_eq!((found, bench.node().tags_of(item).await.expect("here")), (both.to_vec(), Some(about(&["ana"]))));
    assert_eq!(bench.node().hold_figures(), (0, 0));
    // Tags are taken again, and it is erased like any other.
    bench.node().tag(item, Tags::default()).await.expect("tagged");
    bench.node().erase(id_of(item)).await.expect("erased");
    assert!(bench.is_destroyed(item).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_end_it_is_destroyed_for_the_committee_and_for_backups_too() {
    let mut bench = Bench::new();
    let item = sent(bench.node(), about(&["ana"])).await;
    let hold = bench.place(HoldKind::Block, &[item], 400).await;
    let request = bench.node().export_hold(hold.id, "ana").await.expect("exported");
    let opened = bench.committee.answer(&request, 0);
    // A backup of the store, as it was while the hold stood.
    bench.node().store.close().await.expect("closed");
    bench.node = None;
    let backup = tempfile::tempdir().expect("a folder");
    copy(&bench.folder.path().join("store"), backup.path());
    bench.start();
    // Control: with the key trees of that time the envelope opens.
    let parts = bench.node().parts(&item).await.expect("reads");
    assert!(bench.node().enclave.hold_lock(item, &parts[0].envelope().expect("one")).await.is_ok());
    bench.later(500).await;
    assert!(bench.is_destroyed(item).await);
    assert_eq!(bench.node().hold(hold.id).await.expect("its row stays").state, HoldState::Expired);
    assert_eq!(bench.read(item).await, None);
    // The backup's store, today's keys, the committee's key and its answer: nothing opens.
    bench.node().store.close().await.expect("closed");
    bench.node = None;
    std::fs::remove_dir_all(bench.folder.path().join("store")).expect("removed");
    copy(backup.path(), &bench.folder.path().join("store"));
    bench.start();
    assert_eq!(bench.node().parts(&item).await.expect("reads"), parts);
    let gone = bench.node().enclave.hold_lock(item, &parts[0].envelope().expect("one")).await;
    assert!(matches!(gone, Err(EnclaveError::Erased)), "{gone:?}");
    // The row says that it stands; the answer went with the process that asked.
    let late = bench.node().answer_hold(hold.id, opened).await;
    assert!(matches!(late, Err(Error::Enclave(EnclaveError::HoldKeyGone))), "{late:?}");
    assert!(matches!(bench.node().release_hold(hold.id, "ana").await, Err(Error::Enclave(EnclaveError::Erased))));
    assert_eq!(bench.read(item).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_hold_stands_before_an_erasure_and_hides_nothing() {
    let bench = Bench::new();
    let item = sent(bench.node(), Tags::default()).await;
    let hold = bench.place(HoldKind::LegalHold, &[item], LONG).await;
    let short = bench.place(HoldKind::LegalHold, &[item], 200).await;
    assert!(bench.read(item).await.is_some());
    assert_eq!(bench.node().held_until(&item).await.expect("reads"), Some(hold.until));
    assert!(matches!(bench.node().erase(id_of(item)).await, Err(Error::Hold(HoldError::Held { .. }))));
    bench.later(300).await;
    assert_eq!(bench.node().hold(short.id).await.expect("there").state, HoldState::Expired);
    assert!(matches!(bench.node().export_hold(hold.id, "ana").await, Err(Error::Hold(HoldError::Nothing))));
    bench.node().release_hold(hold.id, "ana").await.expect("nothing is sealed");
    assert!(bench.read(item).await.is_some(), "its end destroys nothing");
    bench.node().erase(id_of(item)).await.expect("erased");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_holds_the_last_decides() {
    let bench = Bench::new();
    let mut items = Vec::new();
    for _ in 0..4 {
        items.push(sent(bench.node(), Tags::default()).await);
    }
    // Two blocks: one envelope, released with the second.
    let (a, b) = (bench.place(HoldKind::Block, &items[..1], LONG).await, bench.place(HoldKind::Block, &items[..1], LONG).await);
    assert_eq!(bench.node().hold_figures(), (2, 1));
    bench.node().release_hold(a.id, "ana").await.expect("the other stands: nothing is opened");
    assert_eq!(bench.read(items[0]).await, None);
    bench.release(b.id).await.expect("released");
    assert!(bench.read(items[0]).await.is_some());
    // The first ends by time: its item stays blocked, and goes with the second.
    bench.place(HoldKind::Block, &items[1..2], 200).await;
    let second = bench.place(HoldKind::Block, &items[1..2], LONG).await;
    // A block that ends under a legal hold: nothing is destroyed, nothing is readable, until that ends.
    bench.place(HoldKind::Block, &items[2..3], 200).await;
    let legal = bench.place(HoldKind::LegalHold, &items[2..3], LONG).await;
    // A block that is released under a legal hold is read again.
    let block = bench.place(HoldKind::Block, &items[3..], LONG).await;
    bench.place(HoldKind::LegalHold, &items[3..], LONG).await;
    bench.later(300).await;
    for item in &items[1..3] {
        assert!(bench.read(*item).await.is_none() && !bench.is_destroyed(*item).await);
    }
    bench.release(second.id).await.expect("released");
    assert!(bench.read(items[1]).await.is_some());
    // Letting that hold go destroys nothing either: it takes the committee, as for a block.
    let alone = bench.node().release_hold(legal.id, "ana").await;
    assert!(matches!(alone, Err(Error::Hold(HoldError::AnswerNeeded(_)))) && !bench.is_destroyed(items[2]).await);
    bench.release(legal.id).await.expect("released");
    assert!(bench.read(items[2]).await.is_some());
    bench.release(block.id).await.expect("released");
    assert!(bench.read(items[3]).await.is_some());
    assert!(matches!(bench.node().erase(id_of(items[3])).await, Err(Error::Hold(HoldError::Held { .. }))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_any_two_steps_of_a_block_is_made_good() {
    for step in ["written down", "in its envelope", "punctured"] {
        let mut bench = Bench::new();
        let item = sent(bench.node(), about(&["ana"])).await;
        let id = id_of(item);
        let hold = Hold {
            id: HoldId(random()),
            kind: HoldKind::Block,
            ground: "legal-claims".into(),
            reference: "12/2026".into(),
            placed: now(),
            by: "ana".into(),
            until: now() + LONG,
            items: 1,
            state: HoldState::Active,
            ended: None,
            ended_by: None,
        };
        let node = bench.node();
        node.store.write(begin(&hold, &[item]), Vec::new()).await.expect("written");
        if step != "written down" {
            let head = node.head(Kind::Payload, &id).await.expect("reads").expect("here");
            let label = crate::erasure::HoldLabel {
                network: node.hold_network(),
                item,
                hold: hold.id,
                ground: hold.ground.clone(),
                reference: hold.reference.clone(),
                until: hold.until,
            };
            let tags = node.store.row(Table::Tag, item.as_bytes()).await.expect("reads").expect("tags");
            let committee = bench.committee.committee.key;
            let beside = vec![(crate::services::rights::TAGS.to_owned(), tags)];
            let envelope = node.enclave.block_record(item, &head, beside, committee, label.encode()).await.expect("sealed");
            let part = Part::new(Kind::Payload, &head, &envelope, &hold);
            node.store.write(vec![put_parts(&item, &[part])], Vec::new()).await.expect("written");
            if step == "punctured" {
                node.enclave.erase(vec![head.leaf()]).await.expect("punctured");
            }
        }
        bench.restart().await;
        bench.later(0).await;
        assert_eq!(bench.read(item).await, None, "{step}");
        assert!(bench.node().unfinished_holds().await.expect("reads").is_empty());
        assert_eq!(bench.node().parts(&item).await.expect("reads").len(), 1);
        bench.release(hold.id).await.expect("released");
        assert_eq!(bench.read(item).await.as_deref(), Some(&b"payload"[..]), "{step}");
        assert_eq!(bench.node().tags_of(item).await.expect("here"), Some(about(&["ana"])), "{step}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_a_release_or_at_the_end_is_made_good() {
    let mut bench = Bench::new();
    let (item, ended) = (sent(bench.node(), about(&["ana"])).await, sent(bench.node(), Tags::default()).await);
    let hold = bench.place(HoldKind::Block, &[item], LONG).await;
    let short = bench.place(HoldKind::Block, &[ended], 100).await;
    // Its head is back, its rows are not yet.
    let request = bench.node().export_hold(hold.id, "ana").await.expect("exported");
    let opened = bench.committee.answers(&request);
    for answer in opened.clone() {
        bench.node().answer_hold(hold.id, answer).await.expect("taken");
    }
    let to_open = bench.node().to_open(&hold).await.expect("reads");
    let restored = bench.node().open_all(&hold, to_open).await.expect("opens");
    let (part, record) = &restored[0].records[0];
    bench.node().put_back(part.kind(), id_of(item), &record.head).await.expect("written");
    // Destroyed, and its hold's rows are still there.
    bench.node().erase_all(&[id_of(ended)]).await.expect("erased");
    bench.restart().await;
    bench.later(150).await;
    assert!(bench.is_destroyed(ended).await);
    assert_eq!(bench.node().hold(short.id).await.expect("there").state, HoldState::Expired);
    // The answer went with the process that made its key: it is asked for again.
    let again = bench.node().answer_hold(hold.id, opened[0].clone()).await;
    assert!(matches!(again, Err(Error::Enclave(EnclaveError::HoldKeyGone))), "{again:?}");
    bench.release(hold.id).await.expect("released");
    assert_eq!(bench.read(item).await.as_deref(), Some(&b"payload"[..]));
    assert_eq!(of_subject(bench.node(), "ana").await, [item]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_damaged_are_named_so() {
    let bench = Bench::new();
    let item = sent(bench.node(), Tags::default()).await;
    let hold = bench.place(HoldKind::Block, &[item], LONG).await;
    let mut broken = put_hold(&hold);
    broken.value = Some(b"{".as_slice().into());
    let envelope = Write::put(Table::Hold, rows::envelope_key(&item), b"x".as_slice());
    bench.node().store.write(vec![broken, envelope], Vec::new()).await.expect("written");
    for error in [bench.node().hold(hold.id).await.map(drop), bench.node().parts(&item).await.map(drop)] {
        assert_eq!(error.expect_err("damaged").code().to_string(), "CEL4001");
    }
    let _: &Path = bench.folder.path();
}
