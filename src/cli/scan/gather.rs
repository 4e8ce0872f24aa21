use std::time::Duration;

use super::super::fsck::Places;
use crate::cli::Failure;
use crate::enclave::local::{look, look_at_document};
use crate::scan::{Needles, What};
use crate::services::document_traces;
use crate::shred::SealedHead;
use crate::store::rocks::RocksStore;
use crate::store::{Kind, Lookup, Store, StoreError, Table};
use crate::types::{DocumentId, ItemId, PayloadId};

/// How often the store is opened once more.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Everything that an item leaves in its store and its file, and its keys where they can be read. The node may run.
pub(super) fn gather(item: ItemId, places: &Places, notes: &mut Vec<String>) -> Result<Needles, Failure> {
    match item {
        ItemId::Payload(id) => payload(id, places, notes),
        ItemId::Document(id) => document(id, places, notes),
    }
}

/// Opens the store. Beside a node that runs a file may go between the reading of the list of files and its opening: then once more.
fn open(places: &Places) -> Result<RocksStore, Failure> {
    let mut tries = 0;
    loop {
        match RocksStore::open_read_only(&places.store) {
            Ok(store) => return Ok(store),
            Err(_) if tries < TRIES => {
                tries += 1;
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(Failure::coded(2, &error)),
        }
    }
}

fn document(id: DocumentId, places: &Places, notes: &mut Vec<String>) -> Result<Needles, Failure> {
    let store = open(places)?;
    let mut needles = Needles::default();
    let read = async {
        let traces = document_traces(&store, &places.documents, id).await?;
        if let Some(sealed) = store.row(Table::Tag, id.as_bytes()).await? {
            needles.add(What::Tag, &sealed);
        }
        for (salt, record) in traces.traced.map_or(Ok(Vec::new()), |name| store.erasable_events(&name))? {
            needles.add(What::JournalSalt, &salt);
            needles.add_whole(What::JournalRecord, &record);
        }
        Ok::<_, StoreError>(traces)
    };
    let traces = super::super::block_on(read)?.map_err(|error| Failure::coded(2, &error))?;
    for chunk in &traces.chunks {
        needles.add(What::Ciphertext, chunk);
    }
    if let Some(card) = &traces.card {
        // Its first bytes are version and leaf, as of a head.
        needles.add(What::Card, SealedHead::from_bytes(card.clone()).as_ref().map_or(&card[..], SealedHead::sealed));
    }
    notes.extend(traces.unread.map(|why| format!("not searched for: the document's chunks ({why})")));
    let Some(head) = &traces.head else {
        let here = if traces.is_erased { "is erased here" } else { "is not here" };
        notes.push(format!(
            "the document {here}: there is nothing of it to search for. That nothing is left shows a needle file that was saved before \
             the erasure (--save, then --needles), or its content (--plaintext)"
        ));
        return Ok(needles);
    };
    needles.add(What::SealedHead, head.sealed());
    let opened = match places.root.open(&places.keys) {
        Ok(root) => look_at_document(&places.keys, root, id, head).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match opened {
        Ok((leaf, data)) => {
            needles.add(What::LeafKey, leaf.expose());
            needles.add(What::DataKey, data.expose());
        }
        Err(why) => notes.push(format!("not searched for: the document's keys ({why})")),
    }
    Ok(needles)
}

fn payload(id: PayloadId, places: &Places, notes: &mut Vec<String>) -> Result<Needles, Failure> {
    let store = open(places)?;
    let mut needles = Needles::default();
    let heads = super::super::block_on(rows(&store, id, &mut needles, notes))?.map_err(|error| Failure::coded(2, &error))?;
    needles.add_index_row(&id);
    for head in heads {
        keys(id, &head, places, &mut needles, notes);
    }
    Ok(needles)
}

async fn rows(
    store: &RocksStore,
    id: PayloadId,
    needles: &mut Needles,
    notes: &mut Vec<String>,
) -> Result<Vec<SealedHead>, StoreError> {
    let mut heads = Vec::new();
    let mut buried = false;
    for kind in [Kind::Payload, Kind::Raw] {
        match store.get(kind, &id).await? {
            Lookup::Found(record) => {
                needles.add(What::Ciphertext, &record.ciphertext);
                needles.add(What::Nonce, &record.nonce);
                // Its first bytes are version and leaf: the next payload's are almost the same.
                needles.add(What::SealedHead, record.head.sealed());
                heads.push(record.head);
            }
            Lookup::Erased(_) => buried = true,
            Lookup::Absent => {}
        }
    }
    if heads.is_empty() {
        let here = if buried { "is erased here" } else { "is not here" };
        notes.push(format!(
            "the payload {here}: only its index row can be searched for. That nothing else of it is left shows a needle file that was \
             saved before the erasure (--save, then --needles), or its plaintext (--plaintext)"
        ));
    }
    if let Some(sealed) = store.beside(&id).await? {
        needles.add(What::Beside, &sealed);
    }
    if let Some(sealed) = store.row(Table::Tag, id.as_bytes()).await? {
        needles.add(What::Tag, &sealed);
    }
    for (salt, record) in store.erasable_events(&id)? {
        needles.add(What::JournalSalt, &salt);
        // It names the payload and the moment; its pieces are in the records of others, and the id is in the tombstone.
        needles.add_whole(What::JournalRecord, &record);
    }
    Ok(heads)
}

fn keys(id: PayloadId, head: &SealedHead, places: &Places, needles: &mut Needles, notes: &mut Vec<String>) {
    let opened = match places.root.open(&places.keys) {
        Ok(root) => look(&places.keys, root, id, head).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match opened {
        Ok(keys) => {
            needles.add(What::LeafKey, keys.leaf.expose());
            needles.add(What::DataKey, keys.data.expose());
            needles.add(What::Metadata, &keys.recipient_nonce);
        }
        Err(why) => notes.push(format!("not searched for: the payload's keys ({why})")),
    }
}
