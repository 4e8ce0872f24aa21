use super::super::fsck::Places;
use crate::cli::Failure;
use crate::enclave::local::look;
use crate::scan::{Needles, What};
use crate::shred::SealedHead;
use crate::store::rocks::RocksStore;
use crate::store::{Kind, Lookup, Store, StoreError, Table};
use crate::types::PayloadId;

/// Everything that a payload leaves in its store, and its keys where they can be read. The node may run.
pub(super) fn gather(id: PayloadId, places: &Places, notes: &mut Vec<String>) -> Result<Needles, Failure> {
    let store = RocksStore::open_read_only(&places.store).map_err(|error| Failure::coded(2, &error))?;
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
