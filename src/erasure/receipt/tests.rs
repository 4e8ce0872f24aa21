use proptest::prelude::*;

use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::erasure::{CaseId, Ground, Order, SignedOrder};
use crate::types::{DocumentId, ItemId, PayloadId};

fn order(key: &SigningKey) -> SignedOrder {
    let order = Order {
        network: NetworkId::new([9; 32]),
        case: CaseId([1; 16]),
        page: 2,
        controller: "alpha".parse().expect("a name"),
        holder: "beta".parse().expect("a name"),
        ground: Ground::ConsentWithdrawn,
        time: 1_700_000_000_000,
        deadline: 1_702_592_000_000,
        items: vec![ItemId::Payload(PayloadId::new([7; 64])), ItemId::Document(DocumentId::new([8; 32]))],
    };
    let signature = key.sign(&order.statement());
    SignedOrder { order, signature }
}

fn receipt(order: &SignedOrder, key: &SigningKey) -> SignedErasureReceipt {
    let refused = Answer::Refused { exception: Exception::LegalClaims, text: "case 7/2026".into(), until: 5 };
    let receipt = ErasureReceipt {
        network: order.order.network,
        order: order.digest(),
        member: "beta".parse().expect("a name"),
        time: 1_700_000_000_001,
        answers: vec![
            Answer::Erased(Level::E2),
            Answer::Erased(Level::E3),
            Answer::Absent,
            Answer::Held { until: 4 },
            Answer::NotControllers,
            refused,
        ],
        recoverable_until: Some(1_700_086_400_000),
        root: "file".into(),
        word: String::new(),
    };
    let signature = key.sign(&receipt.statement());
    SignedErasureReceipt { receipt, signature }
}

#[test]
fn orders_and_receipts_read_back_and_every_byte_of_them_counts() {
    let key = SigningKey::from_seed(&Secret::random());
    let order = order(&key);
    let bytes = order.encode();
    assert_eq!(SignedOrder::decode(&bytes), Ok(order.clone()));
    assert_eq!(order.verify(&key.verify_key()), Ok(()));
    let receipt = receipt(&order, &key);
    let answer = receipt.encode();
    assert_eq!(SignedErasureReceipt::decode(&answer), Ok(receipt.clone()));
    assert_eq!(receipt.verify(&key.verify_key()), Ok(()));
    assert_eq!((receipt.receipt.level(), receipt.receipt.is_final()), (Some(Level::E2), false));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(SignedOrder::decode(&changed).map_or(true, |order| order.verify(&key.verify_key()).is_err()), "byte {at}");
    }
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        let read = SignedErasureReceipt::decode(&changed);
        assert!(read.map_or(true, |receipt| receipt.verify(&key.verify_key()).is_err()), "byte {at}");
    }
    let mut twice = order.order.clone();
    twice.items.push(twice.items[0]);
    let signature = key.sign(&twice.statement());
    assert!(SignedOrder::decode(&SignedOrder { order: twice, signature }.encode()).is_err(), "an item twice");
    for cut in 0..bytes.len() {
        assert!(SignedOrder::decode(&bytes[..cut]).is_err());
    }
}

/// Seeds of the fuzzers: written with `UPDATE_GOLDEN=1`, read back ever after.
#[test]
fn the_fuzzers_have_seeds_that_are_taken() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let (order_file, receipt_file) = (corpus.join("erasure_order/one"), corpus.join("erasure_receipt/one"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let key = SigningKey::from_seed(&Secret::random());
        let order = order(&key);
        for (file, bytes) in [(&order_file, order.encode()), (&receipt_file, receipt(&order, &key).encode())] {
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, bytes).expect("written");
        }
    }
    assert!(SignedOrder::decode(&std::fs::read(order_file).expect("a seed")).is_ok());
    assert!(SignedErasureReceipt::decode(&std::fs::read(receipt_file).expect("a seed")).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let _ = (SignedOrder::decode(&bytes), SignedErasureReceipt::decode(&bytes));
    }
}
