use std::path::Path;
use std::sync::Arc;

use rocksdb::perf::{PerfContext, PerfMetric, PerfStatsLevel, set_perf_stats};
use tempfile::tempdir;

use super::*;
use crate::store::contract::{contract, record};

fn open(folder: &Path) -> Arc<dyn Store> {
    Arc::new(RocksStore::open(folder).expect("a store"))
}

contract!(open);

#[tokio::test]
async fn one_process_has_the_folder_and_anybody_may_look() {
    let folder = tempdir().expect("a folder");
    let (id, kept) = record(1, 100);
    let store = RocksStore::open(folder.path()).expect("a store");
    store.insert(Kind::Payload, id, kept.clone()).await.expect("kept");
    assert!(matches!(RocksStore::open(folder.path()), Err(StoreError::Locked(_))));
    let looking = RocksStore::open_read_only(folder.path()).expect("read only");
    assert_eq!(looking.get(Kind::Payload, &id).await.expect("read"), Lookup::Found(kept.clone()));
    let (other, record) = record(2, 100);
    assert!(matches!(looking.insert(Kind::Payload, other, record).await, Err(StoreError::Unavailable)));
    drop((store, looking));
    RocksStore::open(folder.path()).expect("free again");
}

#[test]
fn a_newer_format_and_a_folder_of_something_else_are_refused() {
    let folder = tempdir().expect("a folder");
    let store = RocksStore::open(folder.path()).expect("a store");
    store.db.put_opt(rows::FORMAT_KEY, (FORMAT + 1).to_be_bytes(), &rows::synced()).expect("written");
    drop(store);
    for opened in [RocksStore::open(folder.path()), RocksStore::open_read_only(folder.path())] {
        assert!(matches!(opened, Err(StoreError::Version { found, known: FORMAT }) if found == FORMAT + 1));
    }
    let empty = tempdir().expect("a folder");
    assert!(RocksStore::open_read_only(empty.path()).is_err());
    assert_eq!(std::fs::read_dir(empty.path()).expect("a folder").count(), 0, "looking leaves nothing behind");
}

/// Bytes on disk of a closed store: at most 1.15 a payload byte and 300 a record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_is_hardly_larger_than_what_it_keeps() {
    for (count, length) in [(4000_u32, 528_usize), (2000, 2064), (40, 1 << 20)] {
        let folder = tempdir().expect("a folder");
        let store = RocksStore::open(folder.path()).expect("a store");
        let writes = (0..count).map(|seed| {
            let (id, mut record) = record(seed, length);
            // As long as the head of a payload for one recipient.
            record.head = SealedHead::new(record.head.leaf(), &[3; 40 + 126]);
            store.insert(Kind::Payload, id, record)
        });
        futures_util::future::join_all(writes).await;
        store.close().await.expect("closed");
        let disk = store.stats().await.expect("figures").disk_bytes;
        let allowed = u64::from(count) * (u64::try_from(length).expect("small") * 115 / 100 + 300);
        println!("{count} of {length}: {} bytes a record", disk / u64::from(count));
        assert!(disk <= allowed + (64 << 10), "{disk} bytes for {count} of {length}, allowed {allowed}");
    }
}

/// An erasure asks of every item what stands before it; what it removed lies behind, until a purge.
#[tokio::test]
async fn a_search_for_what_is_not_there_walks_over_nothing_that_was_removed() {
    let folder = tempdir().expect("a folder");
    let store = RocksStore::open(folder.path()).expect("a store");
    let keys: Vec<Bytes> = (0..3_000_u32).map(|number| number.to_be_bytes().to_vec().into()).collect();
    let put = keys.iter().map(|key| Write::put(Table::Subject, key.clone(), Bytes::new())).collect();
    store.write(put, Vec::new()).await.expect("written");
    let delete = keys.iter().map(|key| Write::delete(Table::Subject, key.clone())).collect();
    store.write(delete, Vec::new()).await.expect("written");
    set_perf_stats(PerfStatsLevel::EnableCount);
    let mut perf = PerfContext::default();
    let mut walked = async |table: Table| {
        perf.reset();
        assert!(store.rows(table, &[1], None, 10).await.expect("read").is_empty());
        perf.metric(PerfMetric::InternalDeleteSkippedCount)
    };
    assert_eq!(walked(Table::Hold).await, 0, "the table before");
    assert_eq!(walked(Table::Subject).await, 0, "another prefix of the same");
    perf.reset();
    assert!(store.rows(Table::Subject, &[0], None, 10).await.expect("read").is_empty());
    assert!(perf.metric(PerfMetric::InternalDeleteSkippedCount) > 0, "the figure counts");
    set_perf_stats(PerfStatsLevel::Disable);
}
