//! What a purge must leave alone, in every store. What it must take out of the files is each backend's own test.

use super::*;
use crate::store::{Event, StoreError, Table, Write};

pub(crate) async fn a_purge_keeps_what_was_not_erased_and_runs_beside_writes(subject: Subject) {
    {
        let store = subject.open();
        let many: Vec<_> = (0..120).map(|seed| record(seed, 3000)).collect();
        join_all(many.iter().map(|(id, kept)| store.insert(Kind::Payload, *id, kept.clone()))).await;
        store.note(Event::new(Some(many[1].0), Bytes::from_static(b"of one that goes"))).await.unwrap();
        store.note(Event::new(None, Bytes::from_static(b"of one that stays"))).await.unwrap();
        join_all(
            many.iter().step_by(2).map(|(id, kept)| store.replace_head(Kind::Payload, *id, kept.head.clone(), head(7, b"again"))),
        )
        .await;
        join_all(many.iter().skip(1).step_by(2).map(|(id, _)| store.bury(*id, tombstone(1)))).await;
        let late: Vec<_> = (1000..1120).map(|seed| record(seed, 3000)).collect();
        let writes = join_all(late.iter().map(|(id, kept)| store.insert(Kind::Payload, *id, kept.clone())));
        let (first, second, written) = tokio::join!(store.purge(), store.purge(), writes);
        assert!(first.unwrap().bytes_before > 0 && second.unwrap().bytes_after > 0);
        assert!(written.into_iter().all(|answer| answer.unwrap() == Inserted::New));
    }
    let store = subject.open();
    store.purge().await.unwrap();
    for seed in (0..120).chain(1000..1120) {
        let (id, kept) = record(seed, 3000);
        let expected = match seed {
            1000.. => Lookup::Found(kept),
            seed if seed % 2 == 0 => Lookup::Found(Record { head: head(7, b"again"), ..kept }),
            _ => Lookup::Erased(Tombstone { leaves: store_leaves(seed), time: 99 }),
        };
        assert_eq!(store.get(Kind::Payload, &id).await.unwrap(), expected, "{seed}");
    }
    let rows = store.journal(0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.content.is_some()).collect::<Vec<_>>(), [false, true]);
    store.close().await.unwrap();
    assert!(matches!(store.purge().await, Err(StoreError::Unavailable)));
}

/// The tombstone's own and that of the record which it replaced.
fn store_leaves(seed: u32) -> Vec<LeafRef> {
    let mut leaves = tombstone(1).leaves;
    leaves.push(LeafRef { tree: 1, leaf: seed });
    leaves.sort_unstable();
    leaves.dedup();
    leaves
}

pub(crate) async fn only_what_was_removed_makes_a_purge_due(subject: Subject) {
    let (id, kept) = record(1, 300);
    {
        let store = subject.open();
        store.insert(Kind::Payload, id, kept.clone()).await.unwrap();
        store.write(vec![Write::put(Table::State, &b"a"[..], &b"1"[..])], vec![]).await.unwrap();
        store.write(vec![Write::delete(Table::State, &b"never there"[..])], vec![]).await.unwrap();
        assert!(!store.purge_due());
        store.write(vec![Write::delete(Table::State, &b"a"[..])], vec![]).await.unwrap();
        assert!(store.purge_due());
        store.purge().await.unwrap();
        assert!(!store.purge_due());
        store.bury(id, tombstone(1)).await.unwrap();
        assert!(store.purge_due());
    }
    let store = subject.open();
    assert!(store.purge_due(), "a restart forgets nothing");
    store.purge().await.unwrap();
    assert!(!store.purge_due());
    drop(store);
    assert!(!subject.open().purge_due());
}
