use data_encoding::HEXLOWER;

use super::*;
use crate::crypto::padme::Padding;
use crate::crypto::sign::statement;
use crate::seal::celosia1::{Refused, content};
use crate::types::{Class, MemberId, NetworkId};
use crate::wire::header::day_of;
use crate::wire::{Header, Proofs};

pub(in crate::enclave) const NETWORK: NetworkId = NetworkId::new([5; 32]);

/// The member of a subject whose first key this is.
pub(in crate::enclave) fn name(address: &Address) -> MemberId {
    HEXLOWER.encode(&address.as_bytes()[..8]).parse().expect("a name")
}

fn member(of: &Subject) -> MemberId {
    name(&first(of))
}

fn verify_key(of: &Subject) -> VerifyKey {
    of.verify_key().expect("a signing key")
}

pub(super) async fn target(of: &Subject) -> NativeTarget {
    NativeTarget { member: member(of), epoch: of.epoch_key().await.expect("its key"), shown: Vec::new() }
}

pub(super) async fn native_draft(from: &Subject, to: &[&Subject], plaintext: &[u8]) -> NativeDraft {
    let mut recipients = Vec::new();
    let mut targets = Vec::new();
    for subject in to {
        recipients.extend(subject.addresses().iter().map(|address| (*address, member(subject))));
        if first(subject) != first(from) {
            targets.push(target(subject).await);
        }
    }
    NativeDraft {
        plaintext: Zeroizing::new(plaintext.to_vec()),
        sender: first(from),
        policy: 4,
        class: Class::Business,
        padding: Padding::Padme,
        privacy: Privacy::default(),
        recipients,
        affected: Vec::new(),
        targets,
        escrow: None,
    }
}

async fn send(from: &Subject, to: &[&Subject], plaintext: &[u8]) -> NativeSealed {
    from.seal_native(native_draft(from, to, plaintext).await).await.expect("seals")
}

pub(super) async fn take_native(at: &Subject, from: &Subject, delivery: &Delivery) -> (SealedHead, Meta) {
    take_native_with(at, from, delivery, &[]).await
}

/// The same with committees whose capsules it may have.
pub(super) async fn take_native_with(
    at: &Subject,
    from: &Subject,
    delivery: &Delivery,
    escrows: &[EscrowKey],
) -> (SealedHead, Meta) {
    match at.ingest_native(delivery, verify_key(from), escrows).await.expect("intact") {
        NativeIngest::Mine { id, head, meta } => {
            assert_eq!(id, hash::payload_id(&delivery.ciphertext));
            (head, meta)
        }
        NativeIngest::UnknownEpoch => panic!("its key of today"),
    }
}

async fn read(at: &Subject, sealed: &NativeSealed, head: &SealedHead) -> Opened {
    at.open(sealed.id, head, sealed.nonce, sealed.ciphertext.clone()).await.expect("opens")
}

fn native_record(sealed: &NativeSealed, head: &SealedHead) -> AffectedRecord {
    AffectedRecord { id: sealed.id, head: head.clone(), ciphertext: sealed.ciphertext.clone() }
}

pub(in crate::enclave) async fn nodes_sign_and_announce_a_key_a_day(start: Start<'_>) {
    let a = fresh(start);
    let message = statement("celosia ack 1", &NETWORK, b"x");
    let signature = a.sign(message.clone()).await.expect("a signing key");
    verify_key(&a).verify(&message, &signature).expect("its signature");
    let key = a.epoch_key().await.expect("a key");
    assert_eq!((key.network, &key.member), (NETWORK, &member(&a)));
    assert!(key.serves_on(day_of(Clock::system().now())));
    key.verify(&verify_key(&a)).expect("its signature");
    let again = a.epoch_key().await.expect("a key");
    assert!(again == key || again.day == key.day + 1, "one key a day");
}

pub(in crate::enclave) async fn native_payloads_open_at_every_member(start: Start<'_>) {
    let (a, b, c) = (fresh(start), start(vec![Secret::random(), Secret::random()]), fresh(start));
    for size in [0, 1, 2_048, 200_000] {
        let plaintext: Vec<_> = (0..=255).cycle().take(size).collect();
        let sealed = send(&a, &[&b, &c, &a], &plaintext).await;
        assert_eq!(sealed.id, hash::payload_id(&sealed.ciphertext));
        assert_eq!(sealed.ciphertext.len(), content::PREFIX + Padding::Padme.padded(size) + 16);
        let own = read(&a, &sealed, &sealed.head).await;
        assert_eq!((&*own.plaintext, own.meta.recipients.len()), (&plaintext, 4));
        for (at, delivery) in [&b, &c].into_iter().zip(&sealed.deliveries) {
            let (head, meta) = take_native(at, &a, delivery).await;
            assert_eq!((meta.sender, &meta.recipients[..]), (first(&a), &at.addresses()[..]));
            let opened = read(at, &sealed, &head).await;
            assert_eq!((&*opened.plaintext, &opened.meta), (&plaintext, &meta));
            assert_eq!(at.meta(sealed.id, &head).await.expect("its head"), meta);
            assert_eq!(at.verify(sealed.id, &head, sealed.nonce, sealed.ciphertext.clone()).await.expect("intact"), meta);
            let native = meta.native.expect("of this suite");
            assert_eq!((native.policy, native.class, native.member), (4, Class::Business, member(&a)));
            let header = Header::decode(&native.header).expect("a header");
            assert_eq!((header.id, header.time, header.recipients), (sealed.id, native.time, None));
        }
    }
}

pub(in crate::enclave) async fn native_refusals_are_named(start: Start<'_>) {
    let (a, b, c) = (fresh(start), fresh(start), fresh(start));
    let sealed = send(&a, &[&b], b"payload").await;
    let delivery = &sealed.deliveries[0];
    let refused = async |at: &Subject, delivery: Delivery, key| match at.ingest_native(&delivery, key, &[]).await {
        Err(EnclaveError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&b, delivery.clone(), verify_key(&c)).await, Refused::Signature);
    let nonce = [9; 24];
    assert_eq!(refused(&b, Delivery { nonce, ..delivery.clone() }, verify_key(&a)).await, Refused::Ciphertext);
    assert_eq!(refused(&b, Delivery { box_nonce: nonce, ..delivery.clone() }, verify_key(&a)).await, Refused::Box);
    assert_eq!(refused(&b, Delivery { from: [0; 32], ..delivery.clone() }, verify_key(&a)).await, Refused::EpochKey);
    assert_eq!(refused(&b, Delivery { day: delivery.day + 3, ..delivery.clone() }, verify_key(&a)).await, Refused::EpochDay);
    assert_eq!(refused(&b, Delivery { member: member(&c), ..delivery.clone() }, verify_key(&a)).await, Refused::Sender);
    let unknown = c.ingest_native(delivery, verify_key(&a), &[]).await;
    assert!(matches!(unknown, Ok(NativeIngest::UnknownEpoch)));

    let sealing = async |alter: &dyn Fn(&mut NativeDraft)| {
        let mut draft = native_draft(&a, &[&b], b"x").await;
        alter(&mut draft);
        a.seal_native(draft).await.expect_err("refused")
    };
    let named = |error, refused| matches!(error, EnclaveError::Refused(found) if found == refused);
    assert!(named(sealing(&|draft| draft.targets[0].epoch.day -= 2).await, Refused::EpochDay));
    assert!(named(sealing(&|draft| draft.targets[0].epoch.network = NetworkId::new([6; 32])).await, Refused::EpochDay));
    assert!(named(sealing(&|draft| draft.targets[0].epoch.public = [0; 32]).await, Refused::EpochKey));
    assert!(named(sealing(&|draft| draft.recipients.clear()).await, Refused::NotAddressed));
    assert!(named(sealing(&|draft| draft.privacy.exec_hash = b"root".to_vec()).await, Refused::Rules));
    let stranger = first(&c);
    assert!(matches!(sealing(&|draft| draft.sender = stranger).await, EnclaveError::NotOurs(key) if key == stranger));
}

pub(in crate::enclave) async fn native_deliveries_are_made_again_for_whom_they_are_for(start: Start<'_>) {
    let (a, b, c, d) = (fresh(start), fresh(start), fresh(start), fresh(start));
    let sealed = send(&a, &[&b, &c, &a], b"payload").await;
    let again = async |at: &Subject, head: &SealedHead, to: &Subject| {
        at.rebox_native(sealed.id, head, sealed.nonce, sealed.ciphertext.clone(), target(to).await).await
    };
    let delivery = again(&a, &sealed.head, &b).await.expect("a recipient");
    assert_ne!(delivery.sealed, sealed.deliveries[0].sealed);
    let (head, meta) = take_native(&b, &a, &delivery).await;
    assert_eq!(meta.recipients, [first(&b)]);
    let not_addressed = |result| matches!(result, Err(EnclaveError::Refused(Refused::NotAddressed)));
    assert!(not_addressed(again(&a, &sealed.head, &d).await));
    assert!(not_addressed(again(&b, &head, &c).await), "a recipient sends it to nobody but the sender");
    // Back to a sender that lost its store (its head is gone, its keys are not).
    let returned = again(&b, &head, &a).await.expect("the sender");
    let (head, meta) = take_native(&a, &b, &returned).await;
    assert_eq!((meta.sender, &meta.recipients[..]), (first(&a), &[first(&b)][..]));
    assert_eq!(read(&a, &sealed, &head).await.plaintext.as_slice(), b"payload");
    let nacl = seal(&a, &[], b"x").await;
    let foreign = a.rebox_native(nacl.id, &nacl.head, [0; 24], Bytes::new(), target(&b).await).await;
    assert!(matches!(foreign, Err(EnclaveError::Refused(Refused::NotNative))));
}

pub(in crate::enclave) async fn native_heads_work_as_the_others(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let sealed = send(&a, &[&b, &a], b"payload").await;
    let (id, head) = (sealed.id, &sealed.head);
    assert_eq!(a.boxes(id, head, &[first(&b), first(&a)]).await.expect("none"), [None, None], "no Tessera opens it");
    let mut meta = a.meta(id, head).await.expect("our own");
    assert!(matches!(&meta.native.as_ref().expect("native").proofs, Proofs::Sent { recipients, .. } if recipients.len() == 2));
    meta.recipients.push(Address::new([9; 32]));
    let rewritten = a.rewrite(id, head, meta.clone()).await.expect("rewrites");
    assert_eq!(a.meta(id, &rewritten).await.expect("rewritten"), meta);
    assert!(a.same_key(id, head, &rewritten).await.expect("both ours"));
    assert_eq!(read(&a, &sealed, &rewritten).await.plaintext.as_slice(), b"payload");
    let cut = sealed.ciphertext.slice(..sealed.ciphertext.len() - 1);
    assert!(matches!(a.open(id, head, sealed.nonce, cut).await, Err(EnclaveError::Broken)));
    assert!(matches!(a.verify(id, head, [0; 24], sealed.ciphertext.clone()).await, Err(EnclaveError::Broken)));
    a.erase(vec![head.leaf()]).await.expect("punctures");
    assert!(matches!(a.meta(id, &rewritten).await, Err(EnclaveError::Erased)));
    let again = a.rebox_native(id, head, sealed.nonce, sealed.ciphertext.clone(), target(&b).await).await;
    assert!(matches!(again, Err(EnclaveError::Erased)));
}

pub(in crate::enclave) async fn native_proofs_agree_across_the_suites(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let native = send(&a, &[&b, &a], b"creation").await;
    let old = seal(&a, &[first(&b), first(&a)], b"creation, by Tessera's suite").await;
    let mut change = native_draft(&a, &[&b, &a], b"change").await;
    change.privacy.flag = PrivacyFlag::PartyProtection;
    change.affected = vec![native_record(&native, &native.head), record(&old, &old.head)];
    let changed = a.seal_native(change).await.expect("seals");
    let (_, meta) = take_native(&b, &a, &changed.deliveries[0]).await;
    let at_b =
        vec![native_record(&native, &take_native(&b, &a, &native.deliveries[0]).await.0), record(&old, &take(&b, &old).await.0)];
    let proofs = b.security_hashes(changed.ciphertext.clone(), at_b).await.expect("its records");
    let sent: Vec<_> = meta.privacy.affected.iter().map(|affected| affected.hash).collect();
    assert_eq!(proofs, sent);
    assert_eq!(meta.privacy, a.meta(changed.id, &changed.head).await.expect("our own").privacy);
}

pub(in crate::enclave) async fn texts_beside_a_record_die_with_it(start: Start<'_>) {
    let a = fresh(start);
    let (one, two) = (seal(&a, &[], b"one").await, seal(&a, &[], b"two").await);
    let sealed = a.seal_beside(&one.head, "ack", b"text".to_vec()).await.expect("seals");
    assert_eq!(a.open_beside(&one.head, "ack", sealed.clone()).await.expect("opens").as_slice(), b"text");
    assert!(is_foreign(&a.open_beside(&one.head, "other", sealed.clone()).await));
    assert!(is_foreign(&a.open_beside(&one.head, "ack", one.head.as_bytes().clone()).await), "a head is no text");
    assert!(matches!(a.open_beside(&two.head, "ack", sealed.clone()).await, Err(EnclaveError::Broken)));
    assert!(matches!(a.open_beside(&one.head, "ack", sealed.slice(..20)).await, Err(EnclaveError::Broken)));
    let posing = SealedHead::from_bytes(sealed.clone()).expect("long enough");
    assert!(is_foreign(&a.meta(one.id, &posing).await), "and a text no head");
    a.erase(vec![one.head.leaf()]).await.expect("punctures");
    assert!(matches!(a.open_beside(&one.head, "ack", sealed).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.seal_beside(&one.head, "ack", Vec::new()).await, Err(EnclaveError::Erased)));
}
