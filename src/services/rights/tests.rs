//! The index of subjects over a real store and a real forest of keys, in a folder of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use zeroize::Zeroizing;

use super::index::{Bucket, SUBJECT, generation_prefix, word};
use crate::crypto::secret::Secret;
use crate::directory::{Directory, Trust};
use crate::enclave::local::LocalEnclave;
use crate::enclave::{Enclave, EnclaveError, IndexKey};
use crate::erasure::{Basis, Scope, Tags};
use crate::services::{
    Capabilities, Delivered, Error, HoldSettings, Node, PeerError, Peers, ResendScope, SendRequest, SendSignedRequest, Settings,
    Terms, WithdrawToken,
};
use crate::shred::{FileRoot, Forest, SealedHead};
use crate::store::rocks::RocksStore;
use crate::store::{Table, Write};
use crate::types::{Address, Class, Codec, DocumentId, ItemId, PayloadId, PeerUrl};

/// Nobody else is in the network.
struct Alone;

#[async_trait]
impl Peers for Alone {
    async fn push(&self, to: &PeerUrl, _: Codec, _: Bytes) -> Result<Delivered, PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn withdraw(&self, to: &PeerUrl, _: &PayloadId, _: WithdrawToken) -> Result<(), PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn party_info(&self, to: &PeerUrl, _: Bytes) -> Result<Capabilities, PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn validate(&self, to: &PeerUrl, _: Bytes) -> Result<Bytes, PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn resend(&self, to: &PeerUrl, _: &Address, _: ResendScope) -> Result<Bytes, PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn resend_batch(&self, to: &PeerUrl, _: &Address) -> Result<u64, PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn push_batch(&self, to: &PeerUrl, _: Vec<Bytes>) -> Result<(), PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
    async fn push_group(&self, to: &PeerUrl, _: Bytes) -> Result<(), PeerError> {
        Err(PeerError::Offline(to.clone()))
    }
}

/// A node over a folder.
pub(in crate::services) fn node(folder: &Path) -> Arc<Node> {
    node_under(folder, HoldSettings::default())
}

/// The same under a law and with a hold committee.
pub(in crate::services) fn node_under(folder: &Path, holds: HoldSettings) -> Arc<Node> {
    let (trees, key) = (folder.join("keys"), folder.join("key"));
    std::fs::create_dir_all(&trees).expect("a folder");
    let secret = match std::fs::read(&key) {
        Ok(bytes) => Secret::from_slice(&bytes).expect("a key"),
        Err(_) => {
            let fresh = Secret::<32>::random();
            std::fs::write(&key, fresh.expose()).expect("written");
            fresh
        }
    };
    let forest = Forest::open(&trees, Box::new(FileRoot::open(&trees).expect("a root"))).expect("a forest");
    let enclave: Arc<dyn Enclave> = Arc::new(LocalEnclave::new(vec![secret], Arc::new(forest)).expect("a key"));
    let store = Arc::new(RocksStore::open(&folder.join("store")).expect("a store"));
    let own_url: PeerUrl = "http://127.0.0.1:1/".parse().expect("a URL");
    let directory = Directory::new(own_url.clone(), &enclave.addresses(), Vec::new(), Trust::Open);
    let settings = Settings {
        always_send_to: Vec::new(),
        enhanced_privacy: false,
        multiple_private_states: false,
        validate_keys: false,
        recovering: false,
        peer_budget: Duration::from_secs(1),
        poll_interval: Duration::from_secs(1),
        acknowledge_within: Duration::from_millis(200),
        node_cache: Duration::ZERO,
        max_guards: 1_000_000,
        cosign: crate::services::CosignSettings::default(),
        own_url,
        holds,
    };
    Arc::new(Node::new(enclave, store, Arc::new(directory), Arc::new(Alone), settings))
}

pub(in crate::services) fn about(subjects: &[&str]) -> Tags {
    Tags { subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(), ..Tags::default() }
}

pub(in crate::services) async fn sent(node: &Arc<Node>, tags: Tags) -> ItemId {
    let terms = Terms { tags, ..Terms::default() };
    let payload = Zeroizing::new(b"payload".to_vec());
    ItemId::Payload(node.send(SendRequest { payload, terms, ..SendRequest::default() }).await.expect("sent").id)
}

pub(in crate::services) async fn of_subject(node: &Node, subject: &str) -> Vec<ItemId> {
    node.resolve(&Scope::Subject(subject.to_owned())).await.expect("resolves")
}

fn payload_id(item: ItemId) -> PayloadId {
    match item {
        ItemId::Payload(id) => id,
        ItemId::Document(_) => panic!("a payload"),
    }
}

fn sorted(mut items: Vec<ItemId>) -> Vec<ItemId> {
    items.sort();
    items
}

/// Copies a folder, as a backup does.
pub(in crate::services) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scope_finds_its_items_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let contract = format!("0x{}", "ab".repeat(20));
    let ana = sent(&node, about(&["ana", "bea"])).await;
    let bea = sent(&node, Tags { purpose: Some("nóminas".into()), ..about(&["bea"]) }).await;
    let business = sent(&node, Tags { class: Some(Class::Business), contract: Some(contract.clone()), ..Tags::default() }).await;
    let bare = sent(&node, Tags::default()).await;
    let resolve = async |scope: Scope| node.resolve(&scope).await.expect("resolves");
    assert_eq!(of_subject(&node, "ana").await, [ana]);
    assert_eq!(of_subject(&node, "bea").await, sorted(vec![ana, bea]));
    assert!(of_subject(&node, "eve").await.is_empty());
    assert_eq!(resolve(Scope::Purpose("nóminas".into())).await, [bea]);
    assert_eq!(resolve(Scope::Contract(contract.to_ascii_uppercase().replace("0X", "0x"))).await, [business]);
    assert_eq!(resolve(Scope::Class(Class::Business)).await, [business]);
    assert_eq!(resolve(Scope::Class(Class::Personal)).await, sorted(vec![ana, bea, bare]), "the unknown is personal");
    let own = node.enclave().addresses()[0];
    assert_eq!(resolve(Scope::Key(own)).await, sorted(vec![ana, bea, business, bare]));
    assert!(resolve(Scope::Key(Address::new([9; 32]))).await.is_empty());
    let nowhere = ItemId::Document(DocumentId::new([1; 32]));
    assert_eq!(resolve(Scope::Items(vec![bea, ana, bea, nowhere])).await, sorted(vec![ana, bea]));
    node.erase(payload_id(bea)).await.expect("erased");
    assert_eq!(of_subject(&node, "bea").await, [ana], "what is erased is in no scope");
    assert!(matches!(node.tags_of(bea).await, Err(Error::ItemNotFound(_))));
    assert!(
        node.resolve(&Scope::Subject("a,b".into())).await.is_err() && node.resolve(&Scope::Contract("ab".into())).await.is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_are_sealed_replaced_and_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (item, first) = {
        let node = node(folder.path());
        let item = sent(&node, Tags { basis: Some(Basis::Consent), ..about(&["ana", "carl"]) }).await;
        let first = node.tags_of(item).await.expect("here").expect("tagged");
        assert_eq!((first.subjects.len(), first.basis), (2, Some(Basis::Consent)));
        node.tag(item, about(&["bea", "ana"])).await.expect("tagged");
        assert_eq!(of_subject(&node, "ana").await, [item]);
        assert!(of_subject(&node, "carl").await.is_empty());
        node.store().close().await.expect("closed");
        (item, first)
    };
    let node = node(folder.path());
    let tags = node.tags_of(item).await.expect("here").expect("tagged");
    assert_eq!(tags, about(&["ana", "bea"]));
    assert_ne!(tags, first);
    assert_eq!(of_subject(&node, "bea").await, [item]);
    let row = node.store().row(Table::Tag, item.as_bytes()).await.expect("read").expect("a row");
    assert!(!row.windows(3).any(|part| part == b"ana" || part == b"bea"), "no name lies on the disk");
    let index = node.store().rows(Table::Subject, b"", None, 99).await.expect("read");
    assert!(index.iter().all(|(key, value)| value.is_empty() && !key.windows(3).any(|part| part == b"ana")));
    assert!(matches!(node.tag(ItemId::Payload(PayloadId::new([1; 64])), about(&["ana"])).await, Err(Error::ItemNotFound(_))));
    assert!(matches!(node.tag(item, about(&["a,b"])).await, Err(Error::Tag(_))));
}

/// The promise of the index: an older copy of the store with all keys of today confirms no name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_and_all_keys_of_now_confirm_no_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let number = node.buckets_of(&["ana"]).await.expect("a bucket")[0];
    let (item, other) = (sent(&node, about(&["ana"])).await, sent(&node, about(&["bea"])).await);
    let backup: Vec<(Bytes, Bytes)> = node.store().rows(Table::Subject, b"", None, 99).await.expect("read");
    let old = node.bucket(number).await.expect("keys");
    // What somebody does who guesses a name and holds rows and keys.
    let confirms = async |key: &SealedHead, generation: u32, rows: &[(Bytes, Bytes)]| {
        let token = node.enclave().index_tokens(IndexKey::Bucket(number), key, vec![word(SUBJECT, "ana")]).await?;
        let place = [&generation_prefix(number, generation)[..], &token[0]].concat();
        Ok::<_, EnclaveError>(rows.iter().any(|(key, _)| key.starts_with(&place)))
    };
    assert!(confirms(&old.key, old.generation, &backup).await.expect("the key lives"), "control: before, the name is confirmed");

    node.unindex(&[item]).await.expect("unindexed");
    node.erase(payload_id(item)).await.expect("erased");
    assert!(matches!(confirms(&old.key, old.generation, &backup).await, Err(EnclaveError::Erased)));
    let new = node.bucket(number).await.expect("keys");
    assert_ne!(new.key.leaf(), old.key.leaf());
    assert_eq!((new.generation, new.before.clone()), (old.generation + 1, None));
    let rows = node.store().rows(Table::Subject, b"", None, 99).await.expect("read");
    for generation in [old.generation, new.generation] {
        for rows in [&backup, &rows] {
            assert!(!confirms(&new.key, generation, rows).await.expect("it lives"), "the new key confirms nothing old");
        }
    }
    assert_eq!(of_subject(&node, "bea").await, [other], "others are found as before");
    assert!(matches!(node.tag(item, about(&["ana"])).await, Err(Error::Leaving(_) | Error::ItemNotFound(_))));
}

/// The same across files: the store is put back, the key folder is that of now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_put_back_finds_nobody_under_the_keys_of_now() {
    let (folder, backup) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    {
        let first = node(folder.path());
        sent(&first, about(&["ana"])).await;
        sent(&first, about(&["ana", "bea"])).await;
        first.store().close().await.expect("closed");
    }
    copy(&folder.path().join("store"), &backup.path().join("store"));
    {
        let second = node(folder.path());
        let items = of_subject(&second, "ana").await;
        assert_eq!(items.len(), 2, "control");
        let stays = of_subject(&second, "bea").await[0];
        let goes = items.into_iter().find(|item| *item != stays).expect("the other");
        second.unindex(&[goes]).await.expect("unindexed");
        second.erase(payload_id(goes)).await.expect("erased");
        second.store().close().await.expect("closed");
    }
    std::fs::remove_dir_all(folder.path().join("store")).expect("removed");
    copy(&backup.path().join("store"), &folder.path().join("store"));
    let third = node(folder.path());
    let number = third.buckets_of(&["ana"]).await.expect("a bucket")[0];
    let keys = third.bucket(number).await.expect("the keys of the backup");
    let asked = third.enclave().index_tokens(IndexKey::Bucket(number), &keys.key, vec![word(SUBJECT, "ana")]).await;
    assert!(matches!(asked, Err(EnclaveError::Erased)), "the row is there, and nobody can ask it");
    assert_eq!(third.store().rows(Table::Subject, b"", None, 9).await.expect("read").len(), 3);
    // The node's own start brings the index up to its keys: who is still here is found, who was erased is not.
    third.finish_unindexing().await.expect("rebuilt");
    let bea = of_subject(&third, "bea").await;
    assert_eq!((bea.len(), of_subject(&third, "ana").await), (1, bea));
    assert_eq!(third.store().rows(Table::Subject, b"", None, 9).await.expect("read").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_was_cut_off_is_found_through_and_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let mut items = Vec::new();
    for _ in 0..5 {
        items.push(sent(&node, about(&["ana"])).await);
    }
    let items = sorted(items);
    let number = node.buckets_of(&["ana"]).await.expect("a bucket")[0];
    let Bucket { generation, key, .. } = node.bucket(number).await.expect("keys");
    // As a crash leaves it after the first step, with one row moved.
    let fresh = node.enclave().index_key(IndexKey::Bucket(number)).await.expect("a key");
    let cut = Bucket { generation: generation + 1, key: fresh, before: Some(key.clone()) };
    let token =
        node.enclave().index_tokens(IndexKey::Bucket(number), &cut.key, vec![word(SUBJECT, "ana")]).await.expect("it lives");
    let moved = [&generation_prefix(number, cut.generation)[..], &token[0], items[0].as_bytes()].concat();
    let old = node.store().rows(Table::Subject, &generation_prefix(number, generation), None, 9).await.expect("read");
    let gone = old.iter().find(|(key, _)| key.ends_with(items[0].as_bytes())).expect("its row").0.clone();
    let rows = vec![
        Write::put(Table::State, super::index::bucket_row(number), cut.encode()),
        Write::put(Table::Subject, moved, Bytes::new()),
        Write::delete(Table::Subject, gone),
    ];
    node.store().write(rows, Vec::new()).await.expect("written");
    assert_eq!(of_subject(&node, "ana").await, items, "both keys are asked");
    for _ in 0..2 {
        node.finish_unindexing().await.expect("finished");
        assert_eq!(of_subject(&node, "ana").await, items);
        assert_eq!(node.bucket(number).await.expect("keys").before, None);
    }
    let asked = node.enclave().index_tokens(IndexKey::Bucket(number), &key, Vec::new()).await;
    assert!(matches!(asked, Err(EnclaveError::Erased)));
    // The other end: punctured, and the state not yet written.
    let now = node.bucket(number).await.expect("keys");
    let late = Bucket { before: Some(key), generation: now.generation, key: now.key };
    let row = Write::put(Table::State, super::index::bucket_row(number), late.encode());
    node.store().write(vec![row], Vec::new()).await.expect("written");
    node.finish_unindexing().await.expect("finished");
    assert_eq!(of_subject(&node, "ana").await, items);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_keys_change_under_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let stays = sent(&node, about(&["ana"])).await;
    let writer = tokio::spawn({
        let node = Arc::clone(&node);
        async move {
            let mut items = Vec::new();
            for _ in 0..60 {
                items.push(sent(&node, about(&["ana"])).await);
            }
            items
        }
    });
    for _ in 0..12 {
        let goes = sent(&node, about(&["ana"])).await;
        node.unindex(&[goes]).await.expect("unindexed");
        node.erase(payload_id(goes)).await.expect("erased");
        assert!(of_subject(&node, "ana").await.contains(&stays));
    }
    let mut expected = writer.await.expect("sent");
    expected.push(stays);
    assert_eq!(of_subject(&node, "ana").await, sorted(expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_tag_at_once_one_counts_and_nothing_of_the_other_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let item = sent(&node, Tags::default()).await;
    let names: Vec<String> = (0..12).map(|n| format!("person {n}")).collect();
    let tagged = join_all(names.iter().map(|name| {
        let (node, name) = (Arc::clone(&node), name.clone());
        tokio::spawn(async move { node.tag(item, about(&[&name])).await })
    }));
    assert!(tagged.await.into_iter().all(|tagged| tagged.expect("ends").is_ok()));
    let counts = node.tags_of(item).await.expect("here").expect("tagged").subjects;
    for name in &names {
        assert_eq!(of_subject(&node, name).await.len(), usize::from(counts.contains(name)), "{name} of {counts:?}");
    }
    assert_eq!(node.store().rows(Table::Subject, b"", None, 99).await.expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failed_send_takes_back_leaves_the_index_and_may_come_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(folder.path());
    let raw = node.store_raw(Zeroizing::new(b"payload".to_vec()), None).await.expect("kept");
    let again = async || {
        let tags = Tags { purpose: Some("payroll".into()), ..about(&["ana"]) };
        let terms = Terms { tags, ..Terms::default() };
        node.send_signed(SendSignedRequest { id: raw, to: Vec::new(), terms }).await.expect("sent").id
    };
    let item = ItemId::Payload(again().await);
    assert_eq!(of_subject(&node, "ana").await, [item]);
    let number = node.buckets_of(&["ana"]).await.expect("a bucket")[0];
    let before = node.bucket(number).await.expect("keys");
    let head = node.head_of(item).await.expect("here");
    assert!(node.forget(payload_id(item), head).await.expect("forgotten"));
    assert!(node.store().rows(Table::Subject, b"", None, 9).await.expect("read").is_empty());
    let asked = node.enclave().index_tokens(IndexKey::Bucket(number), &before.key, Vec::new()).await;
    assert!(matches!(asked, Err(EnclaveError::Erased)));
    assert_eq!(ItemId::Payload(again().await), item);
    assert_eq!(of_subject(&node, "ana").await, [item]);
    node.erase(payload_id(item)).await.expect("erased");
    assert!(node.store().rows(Table::Subject, b"", None, 9).await.expect("read").is_empty());
}

/// How long a bucket with many items takes; `CELOSIA_MANY` sets how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_items_of_one_subject_leave_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let count: usize = std::env::var("CELOSIA_MANY").ok().and_then(|text| text.parse().ok()).unwrap_or(2_500);
    let node = node(folder.path());
    let stay = sorted(vec![sent(&node, about(&["ana"])).await, sent(&node, about(&["ana", "bea"])).await]);
    let mut items = Vec::new();
    while items.len() < count {
        items.extend(join_all((0..250).map(|_| sent(&node, about(&["ana"])))).await);
    }
    let begun = Instant::now();
    let found = of_subject(&node, "ana").await;
    let resolved = begun.elapsed();
    assert_eq!(found.len(), items.len() + 2);
    let begun = Instant::now();
    node.unindex(&items).await.expect("unindexed");
    println!("{} items: resolved in {resolved:?}, left in {:?}", items.len(), begun.elapsed());
    assert_eq!(of_subject(&node, "ana").await, stay);
}
