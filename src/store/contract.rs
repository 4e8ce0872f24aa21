//! What every store must do, whatever it stands on. Each case runs against each backend: see [`contract`].

mod journal;
mod purge;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{Inserted, Kind, Lookup, Record, Store, Tombstone};
use crate::crypto::hash::payload_id;
use crate::shred::{LeafRef, SealedHead};
use crate::types::{GroupId, PayloadId};

/// A backend: opens the store that lives in a folder.
pub(crate) type Open = fn(&Path) -> Arc<dyn Store>;

/// A folder, and how to open the store in it.
pub(crate) struct Subject {
    folder: tempfile::TempDir,
    open: Open,
}

impl Subject {
    pub(crate) fn new(open: Open) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), open }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn open(&self) -> Arc<dyn Store> {
        (self.open)(&self.path())
    }
}

/// One test for each case; `$open` is an [`Open`].
macro_rules! contract {
    ($open:expr; $($case:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::store::contract::$case($crate::store::contract::Subject::new($open)).await;
        })+
    };
    ($open:expr) => {
        $crate::store::contract::contract! { $open;
            a_closed_store_takes_no_writes_and_loses_none
            buried_ids_stay_buried
            forgotten_ids_can_come_again
            groups_are_kept_and_replaced
            heads_change_only_from_what_they_were
            kinds_are_apart_and_buried_together
            large_payloads_come_back_whole
            one_of_many_inserts_is_new
            a_purge_keeps_what_was_not_erased_and_runs_beside_writes
            only_what_was_removed_makes_a_purge_due
            journal_rows_come_with_what_they_record
            an_erased_payload_leaves_commitments_alone
            bytes_beside_a_payload_go_with_it
            records_come_back_as_they_were
            rows_come_with_a_new_record_alone_and_heads_without_ciphertext
            an_erasure_silences_what_was_said_before
            rows_of_tables_come_in_order_and_go_together
            scans_are_ordered_and_paged
            what_was_answered_survives_a_restart
        }
    };
}
pub(crate) use contract;

pub(crate) use purge::{a_purge_keeps_what_was_not_erased_and_runs_beside_writes, only_what_was_removed_makes_a_purge_due};
pub(crate) use table::{
    an_erasure_silences_what_was_said_before, rows_come_with_a_new_record_alone_and_heads_without_ciphertext,
    rows_of_tables_come_in_order_and_go_together,
};

pub(crate) use journal::{
    an_erased_payload_leaves_commitments_alone, bytes_beside_a_payload_go_with_it, journal_rows_come_with_what_they_record,
};

/// A record that differs with its seed.
pub(crate) fn record(seed: u32, length: usize) -> (PayloadId, Record) {
    let mut ciphertext = vec![u8::try_from(seed % 251).expect("below 256"); length.max(4)];
    ciphertext[..4].copy_from_slice(&seed.to_be_bytes());
    let head = head(seed, b"first");
    let time = 1_700_000_000_000 + u64::from(seed) * 40_000_000;
    (payload_id(&ciphertext), Record { time, nonce: [7; 24], head, ciphertext: ciphertext.into() })
}

fn head(leaf: u32, words: &[u8]) -> SealedHead {
    SealedHead::new(LeafRef { tree: 1, leaf }, &[[5; 40].as_slice(), words].concat())
}

fn tombstone(leaf: u32) -> Tombstone {
    Tombstone { time: 99, leaves: vec![LeafRef { tree: 1, leaf }, LeafRef { tree: 2, leaf }] }
}

pub(crate) async fn records_come_back_as_they_were(subject: Subject) {
    let store = subject.open();
    let (id, kept) = record(1, 300);
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Absent);
    assert_eq!(store.head(Kind::Payload, &id).await.unwrap(), Lookup::Absent);
    assert_eq!(store.insert(Kind::Payload, id, kept.clone()).await.unwrap(), Inserted::New);
    let (_, other) = record(2, 10);
    assert_eq!(store.insert(Kind::Payload, id, other).await.unwrap(), Inserted::Exists);
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Found(kept.clone()));
    assert_eq!(store.head(Kind::Payload, &id).await.unwrap(), Lookup::Found(kept.head));
    assert_eq!(store.stats().await.unwrap().payloads, 1);
}

pub(crate) async fn kinds_are_apart_and_buried_together(subject: Subject) {
    let store = subject.open();
    let (id, kept) = record(1, 300);
    assert_eq!(store.insert(Kind::Raw, id, kept.clone()).await.unwrap(), Inserted::New);
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Absent);
    assert_eq!(store.insert(Kind::Payload, id, kept).await.unwrap(), Inserted::New);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.payloads, stats.raws, stats.tombstones), (1, 1, 0));
    store.bury(id, tombstone(1)).await.unwrap();
    for kind in [Kind::Payload, Kind::Raw] {
        assert_eq!(store.get(kind, &id).await.unwrap(), Lookup::Erased(tombstone(1)));
    }
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.payloads, stats.raws, stats.tombstones), (0, 0, 1));
}

pub(crate) async fn buried_ids_stay_buried(subject: Subject) {
    let (id, kept) = record(1, 300);
    {
        let store = subject.open();
        store.insert(Kind::Payload, id, kept.clone()).await.unwrap();
        store.bury(id, tombstone(1)).await.unwrap();
        assert_eq!(store.insert(Kind::Payload, id, kept.clone()).await.unwrap(), Inserted::Buried);
        assert_eq!(store.insert(Kind::Raw, id, kept.clone()).await.unwrap(), Inserted::Buried);
        store.bury(id, tombstone(2)).await.unwrap();
        let (never_seen, _) = record(2, 1);
        store.bury(never_seen, tombstone(3)).await.unwrap();
        assert_eq!(store.stats().await.unwrap().tombstones, 2);
    }
    let store = subject.open();
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Erased(tombstone(1)), "the first one says when");
    assert_eq!(store.insert(Kind::Payload, id, kept).await.unwrap(), Inserted::Buried);
    assert!(store.scan(Kind::Payload, None, 10).await.unwrap().is_empty());
}

pub(crate) async fn one_of_many_inserts_is_new(subject: Subject) {
    let store = subject.open();
    for seed in 0..10 {
        let (id, kept) = record(seed, 100);
        let racers = (0..64_u32).map(|racer| {
            let (store, mut mine) = (Arc::clone(&store), kept.clone());
            mine.head = head(racer, b"racer");
            tokio::spawn(async move {
                let answer = store.insert(Kind::Payload, id, mine.clone()).await.unwrap();
                // Whoever is answered can read it at once.
                assert!(matches!(store.head(Kind::Payload, &id).await.unwrap(), Lookup::Found(_)));
                (answer, mine)
            })
        });
        let answers: Vec<_> = join_all(racers).await.into_iter().map(|joined| joined.expect("no panic")).collect();
        let winners: Vec<_> = answers.iter().filter(|(answer, _)| *answer == Inserted::New).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Found(winners[0].1.clone()));
    }
    assert_eq!(store.stats().await.unwrap().payloads, 10);
}

pub(crate) async fn heads_change_only_from_what_they_were(subject: Subject) {
    let store = subject.open();
    let (id, kept) = record(1, 300);
    store.insert(Kind::Payload, id, kept.clone()).await.unwrap();
    assert!(!store.replace_head(Kind::Payload, id, head(1, b"other"), head(1, b"second")).await.unwrap());
    assert!(!store.replace_head(Kind::Raw, id, kept.head.clone(), head(1, b"second")).await.unwrap());
    let racers = (0..32_u8).map(|racer| store.replace_head(Kind::Payload, id, kept.head.clone(), head(1, &[racer])));
    let won = join_all(racers).await.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
    assert_eq!(won, 1, "all started from the same head");
    let Lookup::Found(now) = store.get(Kind::Payload, &id).await.unwrap() else { panic!("it was there") };
    assert_ne!(now.head, kept.head);
    assert_eq!((now.time, now.nonce, now.ciphertext), (kept.time, kept.nonce, kept.ciphertext));
}

pub(crate) async fn forgotten_ids_can_come_again(subject: Subject) {
    let store = subject.open();
    let (id, kept) = record(1, 300);
    store.insert(Kind::Payload, id, kept.clone()).await.unwrap();
    assert!(!store.forget(Kind::Payload, id, head(9, b"other")).await.unwrap());
    assert!(store.forget(Kind::Payload, id, kept.head.clone()).await.unwrap());
    assert!(!store.forget(Kind::Payload, id, kept.head.clone()).await.unwrap());
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Absent);
    assert_eq!(store.stats().await.unwrap().payloads, 0);
    let again = Record { time: kept.time + 90_000_000, ..kept };
    assert_eq!(store.insert(Kind::Payload, id, again.clone()).await.unwrap(), Inserted::New);
    assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Found(again));
}

pub(crate) async fn scans_are_ordered_and_paged(subject: Subject) {
    let store = subject.open();
    let mut expected: Vec<_> = (0..50).map(|seed| record(seed, 64)).collect();
    join_all(expected.iter().map(|(id, kept)| store.insert(Kind::Payload, *id, kept.clone()))).await;
    let (raw, kept) = record(1000, 64);
    store.insert(Kind::Raw, raw, kept).await.unwrap();
    let (buried, _) = expected.pop().expect("fifty");
    store.bury(buried, tombstone(1)).await.unwrap();
    expected.sort_by_key(|(id, _)| *id);
    for page in [1, 7, 49, 1000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let rows = store.scan(Kind::Payload, after, page).await.unwrap();
            assert!(rows.len() <= page);
            let Some((last, _)) = rows.last() else { break };
            after = Some(*last);
            found.extend(rows);
        }
        assert_eq!(found, expected);
    }
    assert_eq!(store.scan(Kind::Raw, None, 10).await.unwrap().len(), 1);
}

pub(crate) async fn groups_are_kept_and_replaced(subject: Subject) {
    let group = |name: &str| GroupId(name.as_bytes().to_vec());
    {
        let store = subject.open();
        assert_eq!(store.group(&group("a")).await.unwrap(), None);
        store.put_group(group("a"), Bytes::from_static(b"one")).await.unwrap();
        store.put_group(group("b"), Bytes::from_static(b"two")).await.unwrap();
        store.put_group(group("a"), Bytes::from_static(b"three")).await.unwrap();
    }
    let store = subject.open();
    assert_eq!(store.group(&group("a")).await.unwrap().as_deref(), Some(b"three".as_slice()));
    let all = store.groups().await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.contains(&(group("b"), Bytes::from_static(b"two"))));
}

pub(crate) async fn large_payloads_come_back_whole(subject: Subject) {
    let large: Vec<_> = (0..24).map(|seed| record(seed, 1 << 20)).collect();
    {
        let store = subject.open();
        let answers = join_all(large.iter().map(|(id, kept)| store.insert(Kind::Payload, *id, kept.clone()))).await;
        assert!(answers.into_iter().all(|answer| answer.unwrap() == Inserted::New));
        let empty = Record { ciphertext: Bytes::new(), ..record(99, 4).1 };
        store.insert(Kind::Payload, payload_id(b""), empty.clone()).await.unwrap();
        assert_eq!(store.get(Kind::Payload, &payload_id(b"")).await.unwrap(), Lookup::Found(empty));
    }
    let store = subject.open();
    for (id, kept) in large {
        assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Found(kept));
    }
}

pub(crate) async fn what_was_answered_survives_a_restart(subject: Subject) {
    let kept: Vec<_> = (0..200).map(|seed| record(seed, 2048)).collect();
    for part in kept.chunks(50) {
        // Dropped without a close, as a crash does.
        let store = subject.open();
        join_all(part.iter().map(|(id, record)| store.insert(Kind::Payload, *id, record.clone()))).await;
        let (id, record) = &part[0];
        assert!(store.replace_head(Kind::Payload, *id, record.head.clone(), head(1, b"second")).await.unwrap());
    }
    let store = subject.open();
    for (at, (id, record)) in kept.iter().enumerate() {
        let head = if at % 50 == 0 { head(1, b"second") } else { record.head.clone() };
        let expected = Record { head, ..record.clone() };
        assert_eq!(store.get(Kind::Payload, id).await.unwrap(), Lookup::Found(expected));
    }
    assert_eq!(store.stats().await.unwrap().payloads, 200);
}

pub(crate) async fn a_closed_store_takes_no_writes_and_loses_none(subject: Subject) {
    let store = subject.open();
    let many: Vec<_> = (0..100).map(|seed| record(seed, 200)).collect();
    let writes = join_all(many.iter().map(|(id, kept)| store.insert(Kind::Payload, *id, kept.clone())));
    let (answers, closed) = tokio::join!(writes, store.close());
    closed.unwrap();
    let (late, record) = record(1000, 10);
    assert!(store.insert(Kind::Payload, late, record).await.is_err());
    drop(store);
    let store = subject.open();
    for (answer, (id, kept)) in answers.into_iter().zip(many) {
        if answer.is_ok() {
            assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), Lookup::Found(kept));
        }
    }
    assert!(store.stats().await.unwrap().disk_bytes > 0);
}
