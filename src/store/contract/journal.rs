//! What every store must do with the journal's rows.

use super::*;
use crate::store::{Event, JournalRow};

fn event(about: Option<PayloadId>, words: &'static [u8]) -> Event {
    Event::new(about, Bytes::from_static(words))
}

fn row(event: &Event) -> JournalRow {
    let commitment = crate::crypto::hash::hmac_sha256(&event.salt, &event.record);
    JournalRow { commitment, content: Some((event.salt, event.record.clone())) }
}

pub(crate) async fn journal_rows_come_with_what_they_record(subject: Subject) {
    let (id, kept) = record(1, 50);
    let (stored, again, alone) = (event(Some(id), b"stored"), event(Some(id), b"again"), event(None, b"alone"));
    {
        let store = subject.open();
        assert_eq!(store.insert_noted(Kind::Payload, id, kept.clone(), Some(stored.clone())).await.unwrap(), Inserted::New);
        assert_eq!(store.insert_noted(Kind::Payload, id, kept, Some(again)).await.unwrap(), Inserted::Exists);
        assert_eq!(store.note(alone.clone()).await.unwrap(), 1);
    }
    let store = subject.open();
    assert_eq!((store.journal_size().await.unwrap(), store.stats().await.unwrap().events), (2, 2));
    assert_eq!(store.journal(0, 10).await.unwrap(), [row(&stored), row(&alone)]);
    assert_eq!(store.journal(1, 1).await.unwrap(), [row(&alone)]);
    assert_eq!(store.journal(2, 1).await.unwrap(), []);
    assert_eq!(store.trace(&id).await.unwrap(), [0]);
    let many = join_all((0..100).map(|_| store.note(event(None, b"one of many")))).await;
    let mut places: Vec<u64> = many.into_iter().map(Result::unwrap).collect();
    places.sort_unstable();
    assert_eq!(places, (2..102).collect::<Vec<_>>());
}

pub(crate) async fn an_erased_payload_leaves_commitments_alone(subject: Subject) {
    let store = subject.open();
    let ((id, kept), (other, other_kept)) = (record(1, 50), record(2, 50));
    let (stored, read, elsewhere) = (event(Some(id), b"stored"), event(Some(id), b"read"), event(Some(other), b"stored"));
    let erased = Event { lasting: true, ..event(Some(id), b"erased") };
    store.insert_noted(Kind::Payload, id, kept, Some(stored.clone())).await.unwrap();
    store.insert_noted(Kind::Payload, other, other_kept, Some(elsewhere.clone())).await.unwrap();
    // In the batch of the burial or in one before it: both are silenced.
    let (noted, buried) = tokio::join!(store.note(read.clone()), store.bury_noted(id, tombstone(1), Some(erased.clone())));
    noted.unwrap();
    buried.unwrap();
    store.bury_noted(id, tombstone(1), Some(erased.clone())).await.unwrap();
    let bare = |event: &Event| JournalRow { content: None, ..row(event) };
    assert_eq!(store.journal(0, 10).await.unwrap(), [bare(&stored), row(&elsewhere), bare(&read), row(&erased)]);
    assert_eq!(store.trace(&id).await.unwrap(), [0, 2, 3]);
}

pub(crate) async fn bytes_beside_a_payload_go_with_it(subject: Subject) {
    let store = subject.open();
    let (id, kept) = record(1, 50);
    let sealed = Bytes::from_static(b"sealed");
    assert!(!store.put_beside(id, sealed.clone(), Some(event(Some(id), b"x"))).await.unwrap());
    assert_eq!(store.journal_size().await.unwrap(), 0, "nothing is written");
    store.insert(Kind::Payload, id, kept.clone()).await.unwrap();
    assert!(store.put_beside(id, sealed.clone(), Some(event(Some(id), b"delivered"))).await.unwrap());
    assert_eq!(store.trace(&id).await.unwrap(), [0]);
    assert_eq!(store.beside(&id).await.unwrap(), Some(sealed));
    store.forget(Kind::Payload, id, kept.head).await.unwrap();
    assert_eq!(store.beside(&id).await.unwrap(), None);
}
