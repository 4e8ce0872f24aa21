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
