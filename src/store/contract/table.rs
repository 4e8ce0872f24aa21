//! What every store must do with the tables of the services.

use super::*;
use crate::store::{Event, Table, Write};

pub(crate) async fn rows_of_tables_come_in_order_and_go_together(subject: Subject) {
    let (id, kept) = record(1, 50);
    {
        let store = subject.open();
        let put = |table, key: &'static [u8], value: &'static [u8]| Write::put(table, key, value);
        let rows = vec![
            put(Table::Case, b"b", b"2"),
            put(Table::Case, b"a", b"1"),
            put(Table::Case, b"ba", b"3"),
            put(Table::Order, b"b", b"4"),
        ];
        store.write(rows, vec![Event::new(None, Bytes::from_static(b"written"))]).await.unwrap();
        store.insert(Kind::Payload, id, kept).await.unwrap();
        store.write(vec![Write::put(Table::Tag, id.as_bytes().to_vec(), &b"tag"[..])], vec![]).await.unwrap();
    }
    let store = subject.open();
    let pair = |key: &'static [u8], value: &'static [u8]| (Bytes::from_static(key), Bytes::from_static(value));
    assert_eq!(store.row(Table::Case, b"b").await.unwrap(), Some(Bytes::from_static(b"2")));
    assert_eq!(store.row(Table::Hold, b"b").await.unwrap(), None);
    assert_eq!(store.rows(Table::Case, b"", None, 9).await.unwrap(), [pair(b"a", b"1"), pair(b"b", b"2"), pair(b"ba", b"3")]);
    assert_eq!(store.rows(Table::Case, b"b", None, 1).await.unwrap(), [pair(b"b", b"2")]);
    assert_eq!(store.rows(Table::Case, b"b", Some(b"b"), 9).await.unwrap(), [pair(b"ba", b"3")]);
    assert_eq!(store.rows(Table::Order, b"", None, 9).await.unwrap(), [pair(b"b", b"4")]);
    assert_eq!(store.journal_size().await.unwrap(), 1);
    store.write(vec![Write::delete(Table::Case, &b"a"[..])], vec![]).await.unwrap();
    assert_eq!(store.row(Table::Case, b"a").await.unwrap(), None);
    assert!(store.row(Table::Tag, id.as_bytes()).await.unwrap().is_some());
    store.bury(id, tombstone(1)).await.unwrap();
    assert_eq!(store.row(Table::Tag, id.as_bytes()).await.unwrap(), None, "what is known of a payload goes with it");
}

pub(crate) async fn rows_come_with_a_new_record_alone_and_heads_without_ciphertext(subject: Subject) {
    let store = subject.open();
    let row = |value: &'static [u8]| vec![Write::put(Table::Tag, &b"t"[..], value)];
    let (one, first) = record(1, 50);
    let insert = async |id, kept: Record, rows| store.insert_with(Kind::Payload, id, kept, None, rows).await.unwrap();
    assert_eq!(insert(one, first.clone(), row(b"new")).await, Inserted::New);
    assert_eq!(insert(one, first.clone(), row(b"again")).await, Inserted::Exists);
    assert_eq!(store.row(Table::Tag, b"t").await.unwrap(), Some(Bytes::from_static(b"new")));
    let mut kept = vec![(one, first.time, first.head.clone())];
    for n in 2..6 {
        let (id, next) = record(n, 50);
        kept.push((id, next.time, next.head.clone()));
        assert_eq!(insert(id, next, Vec::new()).await, Inserted::New);
    }
    kept.sort_by_key(|(id, ..)| *id);
    assert_eq!(store.heads(Kind::Payload, None, 99).await.unwrap(), kept);
    assert_eq!(store.heads(Kind::Payload, Some(kept[1].0), 2).await.unwrap(), kept[2..4]);
    assert!(store.heads(Kind::Raw, None, 9).await.unwrap().is_empty());
    assert!(store.heads(Kind::Payload, Some(kept[4].0), 9).await.unwrap().is_empty());
    assert_eq!(store.dated_head(Kind::Payload, &one).await.unwrap(), Some((first.time, first.head.clone())));
    store.bury(one, tombstone(1)).await.unwrap();
    assert_eq!(store.dated_head(Kind::Payload, &one).await.unwrap(), None);
    assert_eq!(insert(one, first, row(b"buried")).await, Inserted::Buried);
    assert_eq!(store.row(Table::Tag, b"t").await.unwrap(), Some(Bytes::from_static(b"new")));
}

pub(crate) async fn an_erasure_silences_what_was_said_before(subject: Subject) {
    let about = PayloadId::new([7; 64]);
    let said = |id, lasting, record: &'static [u8]| Event { lasting, ..Event::new(Some(id), Bytes::from_static(record)) };
    {
        let store = subject.open();
        store.write(vec![], vec![said(about, false, b"stored")]).await.unwrap();
        store.write(vec![], vec![said(PayloadId::new([8; 64]), false, b"another")]).await.unwrap();
        store.write(vec![], vec![said(about, true, b"erased")]).await.unwrap();
    }
    let rows = subject.open().journal(0, 9).await.unwrap();
    let texts: Vec<_> = rows.iter().map(|row| row.content.as_ref().map(|(_, record)| record.as_ref())).collect();
    assert_eq!(texts, [None, Some(&b"another"[..]), Some(&b"erased"[..])], "its commitment stays");
}
