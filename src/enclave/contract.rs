//! What every enclave must do, in process or apart. Each case runs against both: see [`contract`].

mod copies;
mod documents;
mod escrow;
mod holds;
mod native;
mod returned;
mod subjects;

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use zeroize::Zeroizing;

pub(super) use self::copies::*;
pub(super) use self::documents::*;
pub(super) use self::escrow::*;
pub(super) use self::holds::*;
pub(super) use self::native::*;
pub(super) use self::returned::*;
pub(super) use self::subjects::*;
use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::crypto::{hash, nacl};
use crate::enclave::local::LocalEnclave;
use crate::shred::{FileRoot, Forest};
use crate::types::{Affected, GroupId, PrivacyFlag};

/// An enclave under test, and what must live as long as it.
pub(super) struct Subject {
    pub(super) enclave: Arc<dyn Enclave>,
    pub(super) _alive: Vec<Box<dyn Any + Send>>,
}

impl std::ops::Deref for Subject {
    type Target = dyn Enclave;

    fn deref(&self) -> &Self::Target {
        &*self.enclave
    }
}

/// The enclave in process, over a real forest in a temporary folder, named after its first key.
pub(super) fn local(keys: Vec<Secret<32>>) -> Subject {
    let (forest, folder) = forest();
    let member = name(&nacl::public_key(&keys[0]));
    let signing = SigningKey::from_seed(&Secret::random());
    let enclave = LocalEnclave::new(keys, forest).expect("keys").with_signing(signing, NETWORK, member);
    Subject { enclave: Arc::new(enclave), _alive: vec![Box::new(folder)] }
}

/// A forest and the temporary folder that it lives in.
pub(super) fn forest() -> (Arc<Forest>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let root = FileRoot::open(folder.path()).expect("a root");
    let forest = Forest::open(folder.path(), Box::new(root)).expect("a forest");
    (Arc::new(forest), folder)
}

/// One `#[tokio::test]` for each case below; `$start` makes a [`Subject`] from private keys.
macro_rules! contract {
    ($start:path: $($case:ident)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            $crate::enclave::contract::$case(&$start).await;
        })+
    };
    ($start:path) => {
        $crate::enclave::contract::contract! { $start:
            addresses_are_ours_default_first
            blocked_documents_come_back_with_the_committee_alone
            blocked_records_come_back_with_the_committee_alone
            altered_records_and_boxes_are_broken
            boxes_are_made_again_byte_for_byte
            capsules_open_by_mandate_at_every_holder
            capsules_that_do_not_fit_are_refused
            copies_hold_sigma_and_no_key
            documents_open_by_mandate_where_they_were_taken
            documents_go_with_their_manifest_and_die_with_their_leaf
            erased_leaves_open_nothing_more
            holders_make_capsules_of_tesseras_suite_themselves
            index_keys_die_with_their_leaf_and_are_not_mistaken
            many_calls_at_once_keep_apart
            native_deliveries_are_made_again_for_whom_they_are_for
            native_heads_work_as_the_others
            native_payloads_open_at_every_member
            native_proofs_agree_across_the_suites
            native_refusals_are_named
            nodes_sign_and_announce_a_key_a_day
            outsiders_get_nothing
            proofs_agree_at_sender_and_recipient
            raw_payloads_keep_id_and_ciphertext
            lost_payloads_come_back_under_a_one_time_key_alone
            rewritten_heads_keep_leaf_and_key
            roots_are_rotated_and_say_so
            sealed_payloads_open_at_every_party
            senders_rebuild_what_recipients_return
            texts_beside_a_record_die_with_it
            unusable_keys_are_named
        }
    };
}
pub(super) use contract;

type Start<'a> = &'a dyn Fn(Vec<Secret<32>>) -> Subject;

fn fresh(start: Start) -> Subject {
    start(vec![Secret::random()])
}

fn first(enclave: &Subject) -> Address {
    enclave.addresses()[0]
}

fn draft(plaintext: &[u8], sender: Address, recipients: &[Address]) -> Draft {
    let plaintext = Zeroizing::new(plaintext.to_vec());
    Draft { plaintext, sender, recipients: recipients.to_vec(), privacy: Privacy::default(), affected: Vec::new(), escrow: None }
}

async fn seal(from: &Subject, to: &[Address], plaintext: &[u8]) -> Sealed {
    from.seal(draft(plaintext, first(from), to)).await.expect("seals")
}

async fn take(at: &Subject, sealed: &Sealed) -> (SealedHead, Meta) {
    match at.ingest(sealed.id, &sealed.payload, None).await.expect("intact") {
        Ingest::Mine { head, meta } => (head, meta),
        Ingest::NotMine => panic!("a recipient"),
    }
}

async fn open(at: &Subject, sealed: &Sealed, head: &SealedHead) -> Result<Opened, EnclaveError> {
    at.open(sealed.id, head, sealed.payload.nonce, sealed.payload.ciphertext.clone()).await
}

fn record(sealed: &Sealed, head: &SealedHead) -> AffectedRecord {
    AffectedRecord { id: sealed.id, head: head.clone(), ciphertext: sealed.payload.ciphertext.clone() }
}

/// The answer to a head of another payload.
fn is_foreign<T>(result: &Result<T, EnclaveError>) -> bool {
    matches!(result, Err(EnclaveError::Shred(ShredError::Broken(_))))
}

pub(super) async fn addresses_are_ours_default_first(start: Start<'_>) {
    let keys = vec![Secret::<32>::random(), Secret::random(), Secret::random()];
    let expected: Vec<_> = keys.iter().map(crate::crypto::nacl::public_key).collect();
    let enclave = start(keys);
    assert_eq!(enclave.addresses()[..], expected);
    enclave.ping().await.expect("answers");
}

pub(super) async fn sealed_payloads_open_at_every_party(start: Start<'_>) {
    let (a, b) = (fresh(start), start(vec![Secret::random(), Secret::random()]));
    let to = [b.addresses()[1], first(&a)];
    for size in [0, 1, 2_048, 200_000] {
        let plaintext: Vec<_> = (0..=255).cycle().take(size).collect();
        let sealed = seal(&a, &to, &plaintext).await;
        assert_eq!(sealed.id, hash::payload_id(&sealed.payload.ciphertext));
        assert_eq!((sealed.payload.sender, sealed.payload.recipients.as_slice()), (first(&a), to.as_slice()));
        let own = open(&a, &sealed, &sealed.head).await.expect("our own");
        assert_eq!((&*own.plaintext, own.meta.recipients.as_slice()), (&plaintext, to.as_slice()));
        let (head, meta) = take(&b, &sealed).await;
        assert_eq!((meta.sender, meta.recipients.as_slice()), (first(&a), &to[..1]));
        let opened = open(&b, &sealed, &head).await.expect("received");
        assert_eq!((&*opened.plaintext, &opened.meta), (&plaintext, &meta));
        assert_eq!(b.meta(sealed.id, &head).await.expect("its head"), meta);
        let EncodedPayload { nonce, ciphertext, .. } = sealed.payload.clone();
        assert_eq!(b.verify(sealed.id, &head, nonce, ciphertext).await.expect("intact"), meta);
        assert_eq!(b.open_payload(&sealed.payload).await.expect("intact").expect("ours").as_slice(), plaintext);
    }
    let nobody = seal(&a, &[], b"kept for nobody").await;
    assert_eq!(open(&a, &nobody, &nobody.head).await.expect("our own").plaintext.as_slice(), b"kept for nobody");
}

pub(super) async fn outsiders_get_nothing(start: Start<'_>) {
    let (a, b, c) = (fresh(start), fresh(start), fresh(start));
    let sealed = seal(&a, &[first(&b)], b"for b").await;
    assert!(matches!(c.ingest(sealed.id, &sealed.payload, None).await, Ok(Ingest::NotMine)));
    assert!(matches!(c.open_payload(&sealed.payload).await, Ok(None)));
    let stolen = open(&c, &sealed, &sealed.head).await;
    assert!(stolen.is_err(), "a head opens only over its own forest");
}

pub(super) async fn unusable_keys_are_named(start: Start<'_>) {
    let (a, other) = (fresh(start), first(&fresh(start)));
    let zero = Address::new([0; 32]);
    assert!(matches!(a.seal(draft(b"x", other, &[])).await, Err(EnclaveError::NotOurs(key)) if key == other));
    let raw = a.seal_raw(Zeroizing::new(b"x".to_vec()), other).await;
    assert!(matches!(raw, Err(EnclaveError::NotOurs(key)) if key == other));
    let low = a.seal(draft(b"x", first(&a), &[other, zero])).await;
    assert!(matches!(low, Err(EnclaveError::LowOrder(key)) if key == zero));
}

pub(super) async fn raw_payloads_keep_id_and_ciphertext(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let raw = a.seal_raw(Zeroizing::new(b"raw".to_vec()), first(&a)).await.expect("seals");
    let opened = a.open(raw.id, &raw.head, raw.nonce, raw.ciphertext.clone()).await.expect("our own");
    assert_eq!((opened.plaintext.as_slice(), opened.meta.recipients), (b"raw".as_slice(), vec![first(&a)]));
    let recipients = vec![first(&b), first(&a)];
    let privacy = Privacy { group: Some(GroupId(vec![7; 32])), ..Privacy::default() };
    let sent = RawDraft { raw: raw.clone(), recipients: recipients.clone(), privacy, affected: Vec::new(), escrow: None };
    let sealed = a.seal_stored(sent).await.expect("boxes");
    assert_eq!((sealed.id, &sealed.payload.ciphertext, sealed.payload.nonce), (raw.id, &raw.ciphertext, raw.nonce));
    assert_ne!(sealed.head.leaf(), raw.head.leaf());
    assert_ne!(sealed.payload.recipient_nonce, raw.nonce);
    assert!(a.same_key(raw.id, &raw.head, &sealed.head).await.expect("both ours"));
    let (head, meta) = take(&b, &sealed).await;
    assert_eq!(meta.privacy.group, Some(GroupId(vec![7; 32])));
    assert_eq!(open(&b, &sealed, &head).await.expect("received").plaintext.as_slice(), b"raw");
    let torn = SealedRaw { ciphertext: raw.ciphertext.slice(1..), ..raw };
    let torn = RawDraft { raw: torn, recipients, privacy: Privacy::default(), affected: Vec::new(), escrow: None };
    assert!(matches!(a.seal_stored(torn).await, Err(EnclaveError::Broken)));
}

pub(super) async fn proofs_agree_at_sender_and_recipient(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let to = [first(&b), first(&a)];
    let (one, two) = (seal(&a, &to, b"creation").await, seal(&a, &to, &vec![9; 100_000]).await);
    let mut change = draft(b"change", first(&a), &to);
    change.privacy.flag = PrivacyFlag::PartyProtection;
    change.affected = vec![record(&two, &two.head), record(&one, &one.head)];
    let changed = a.seal(change).await.expect("seals");
    let ids: Vec<_> = changed.payload.privacy.affected.iter().map(|affected| affected.id).collect();
    assert_eq!(ids, [two.id, one.id]);
    let at_b = vec![record(&two, &take(&b, &two).await.0), record(&one, &take(&b, &one).await.0)];
    let proofs = b.security_hashes(changed.payload.ciphertext.clone(), at_b).await.expect("its records");
    let sent: Vec<_> = changed.payload.privacy.affected.iter().map(|affected| affected.hash).collect();
    assert_eq!(proofs, sent);
    let (_, meta) = take(&b, &changed).await;
    assert_eq!(meta.privacy, changed.payload.privacy);
    let forged = vec![AffectedRecord { id: one.id, ..record(&two, &two.head) }];
    assert!(is_foreign(&a.security_hashes(Bytes::new(), forged).await));
}

pub(super) async fn boxes_are_made_again_byte_for_byte(start: Start<'_>) {
    let (a, b, c) = (fresh(start), fresh(start), fresh(start));
    let to = [first(&b), first(&c), first(&a)];
    let sealed = seal(&a, &to, b"payload").await;
    let sent: Vec<_> = sealed.payload.boxes.iter().copied().map(Some).collect();
    assert_eq!(a.boxes(sealed.id, &sealed.head, &to).await.expect("our own"), sent);
    let (head, _) = take(&b, &sealed).await;
    assert_eq!(b.boxes(sealed.id, &head, &to).await.expect("its record"), [sent[0], None, None]);
    let zero = Address::new([0; 32]);
    let low = a.boxes(sealed.id, &sealed.head, &[zero]).await;
    assert!(matches!(low, Err(EnclaveError::LowOrder(key)) if key == zero));
}

pub(super) async fn rewritten_heads_keep_leaf_and_key(start: Start<'_>) {
    let a = fresh(start);
    let sealed = seal(&a, &[first(&a)], b"payload").await;
    let mut meta = a.meta(sealed.id, &sealed.head).await.expect("our own");
    meta.recipients.push(Address::new([9; 32]));
    meta.privacy.affected.push(Affected { id: sealed.id, hash: [3; 64] });
    meta.privacy.exec_hash = b"root".to_vec();
    meta.privacy.mandatory = vec![Address::new([4; 32])];
    meta.privacy.flag = PrivacyFlag::MandatoryRecipients;
    let head = a.rewrite(sealed.id, &sealed.head, meta.clone()).await.expect("rewrites");
    assert_eq!(head.leaf(), sealed.head.leaf());
    assert_eq!(a.meta(sealed.id, &head).await.expect("rewritten"), meta);
    assert_eq!(open(&a, &sealed, &head).await.expect("same key").plaintext.as_slice(), b"payload");
    assert!(a.same_key(sealed.id, &head, &sealed.head).await.expect("both ours"));
    let other = seal(&a, &[], b"payload").await;
    assert!(is_foreign(&a.same_key(sealed.id, &head, &other.head).await));
}

pub(super) async fn erased_leaves_open_nothing_more(start: Start<'_>) {
    let a = fresh(start);
    let (gone, stays) = (seal(&a, &[first(&a)], b"gone").await, seal(&a, &[], b"stays").await);
    for _ in 0..2 {
        a.erase(vec![gone.head.leaf()]).await.expect("punctures");
    }
    let (id, head) = (gone.id, &gone.head);
    assert!(matches!(open(&a, &gone, head).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.meta(id, head).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.boxes(id, head, &[first(&a)]).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.same_key(id, head, head).await, Err(EnclaveError::Erased)));
    let meta = a.meta(stays.id, &stays.head).await.expect("alive");
    assert!(matches!(a.rewrite(id, head, meta).await, Err(EnclaveError::Erased)));
    let proofs = a.security_hashes(Bytes::new(), vec![record(&gone, head)]).await;
    assert!(matches!(proofs, Err(EnclaveError::Erased)));
    assert_eq!(open(&a, &stays, &stays.head).await.expect("alive").plaintext.as_slice(), b"stays");
    a.erase(Vec::new()).await.expect("nothing to do");
}

pub(super) async fn roots_are_rotated_and_say_so(start: Start<'_>) {
    let a = fresh(start);
    let (gone, stays) = (seal(&a, &[first(&a)], b"gone").await, seal(&a, &[], b"stays").await);
    let before = a.root().await.expect("a root");
    assert_eq!((before.generation, before.oldest, before.trees, before.rotated_at), (1, 1, 1, 0));
    assert!(before.last.is_none() && before.state_bytes > 0 && before.place.contains("files"), "{before:?}");
    a.erase(vec![gone.head.leaf()]).await.expect("punctures");
    let done = a.rotate_root().await.expect("rotates");
    assert_eq!((done.from, done.to, done.trees), (1, 2, 1));
    assert!(done.started_at > 0 && done.finished_at >= done.started_at);
    assert_eq!(done.destroyed.iter().map(|gone| gone.generation).collect::<Vec<_>>(), [1]);
    let after = a.root().await.expect("a root");
    assert_eq!((after.generation, after.oldest, after.punctured, after.rotated_at), (2, 2, 1, done.started_at));
    assert_eq!(after.last.as_ref(), Some(&done));
    assert_eq!(open(&a, &stays, &stays.head).await.expect("alive").plaintext.as_slice(), b"stays");
    assert!(matches!(open(&a, &gone, &gone.head).await, Err(EnclaveError::Erased)));
}

pub(super) async fn altered_records_and_boxes_are_broken(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let sealed = seal(&a, &[first(&b)], b"payload").await;
    let EncodedPayload { nonce, ciphertext, .. } = sealed.payload.clone();
    let (id, other) = (sealed.id, PayloadId::new([1; 64]));
    let cut = ciphertext.slice(..ciphertext.len() - 1);
    let broken = [
        a.open(id, &sealed.head, [0; 24], ciphertext.clone()).await.err(),
        a.open(id, &sealed.head, nonce, cut.clone()).await.err(),
        a.open(id, &sealed.head, nonce, Bytes::new()).await.err(),
        a.verify(id, &sealed.head, nonce, cut).await.err(),
    ];
    assert!(broken.iter().all(|error| matches!(error, Some(EnclaveError::Broken))), "{broken:?}");
    assert!(is_foreign(&a.open(other, &sealed.head, nonce, ciphertext.clone()).await));
    assert!(is_foreign(&a.meta(other, &sealed.head).await));
    let mut payload = sealed.payload.clone();
    payload.boxes[0][17] ^= 1;
    assert!(matches!(b.ingest(id, &payload, None).await, Err(EnclaveError::Broken)));
    assert!(matches!(b.open_payload(&payload).await, Err(EnclaveError::Broken)));
    let big = seal(&a, &[first(&b)], &vec![1; 100_000]).await;
    let altered = EncodedPayload { nonce: [9; 24], ..big.payload };
    assert!(matches!(b.ingest(big.id, &altered, None).await, Err(EnclaveError::Broken)));
}

pub(super) async fn senders_rebuild_what_recipients_return(start: Start<'_>) {
    let key = Secret::random();
    let (a, b) = (start(vec![key.duplicate()]), fresh(start));
    let sealed = seal(&a, &[first(&b), first(&a)], b"payload").await;
    let restored = start(vec![key]);
    let mut part = sealed.payload.clone();
    part.boxes.truncate(1);
    part.recipients.truncate(1);
    let (head, meta) = take(&restored, &Sealed { payload: part, ..sealed.clone() }).await;
    assert_eq!((meta.sender, meta.recipients), (first(&restored), vec![first(&b)]));
    assert_eq!(open(&restored, &sealed, &head).await.expect("rebuilt").plaintext.as_slice(), b"payload");
    let boxes = restored.boxes(sealed.id, &head, &sealed.payload.recipients).await.expect("its record");
    assert_eq!(boxes, sealed.payload.boxes.iter().copied().map(Some).collect::<Vec<_>>());
}

pub(super) async fn many_calls_at_once_keep_apart(start: Start<'_>) {
    let a = fresh(start);
    let call = async |i: u8| {
        let plaintext = vec![i; usize::from(i) * 1_000];
        let sealed = seal(&a, &[first(&a)], &plaintext).await;
        let opened = open(&a, &sealed, &sealed.head).await.expect("our own");
        assert_eq!(*opened.plaintext, plaintext);
        sealed.head.leaf()
    };
    let mut leaves = join_all((0..100).map(call)).await;
    leaves.sort();
    leaves.dedup();
    assert_eq!(leaves.len(), 100, "no leaf twice");
}
