use super::*;
use crate::journal::Signer as _;
use crate::journal::sequencer::Sequencer;
use crate::journal::sequencer::tests::{Key, Rows};
use crate::translog::cosignature;

#[tokio::test]
async fn the_newest_checkpoint_with_enough_cosignatures_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 10), Key::new(1));
    let sequencer = Sequencer::open(folder.path(), "o".into(), Arc::clone(&rows) as _, key as _).await.expect("opened");
    let first = sequencer.advance(None).await.expect("advanced").expect("new");
    rows.grow(1, 20);
    let second = sequencer.advance(None).await.expect("advanced").expect("new");
    let keys = [Key::new(2), Key::new(3)];
    let witness = |n: usize| Witness { name: format!("w{n}"), key: keys[n].verify_key() };
    let line = |n: usize, time, note: &Note| witness(n).line(time, &keys[n].0.sign(&cosignature::message(time, note.text())));
    let open = || Cosigned::open(folder.path(), sequencer.key().clone(), 2).expect("opened");
    let cosigned = open();
    assert!(!cosigned.add(&witness(0), line(0, 5, &first.note)).await.expect("kept"), "not awaited yet");
    cosigned.expect(&first).await;
    cosigned.expect(&second).await;
    assert!(cosigned.add(&witness(0), line(0, 5, &first.note)).await.expect("kept"));
    assert!(cosigned.add(&witness(0), line(0, 6, &first.note)).await.expect("kept"), "the same witness again");
    assert_eq!(cosigned.newest().await, None, "one of two");
    assert!(!cosigned.add(&witness(0), line(1, 5, &first.note)).await.expect("kept"), "of another witness");
    // The second is complete first; a late one on the first changes nothing.
    for n in [0, 1] {
        assert!(cosigned.add(&witness(n), line(n, 7, &second.note)).await.expect("kept"));
    }
    let newest = cosigned.newest().await.expect("complete");
    assert_eq!((newest.text(), newest.signatures().len()), (second.note.text(), 3));
    assert!(!cosigned.add(&witness(1), line(1, 8, &first.note)).await.expect("kept"));
    drop(cosigned);
    let cosigned = open();
    assert_eq!(cosigned.newest().await.as_ref(), Some(&newest));
    assert!(cosigned.add(&witness(0), line(0, 9, &second.note)).await.expect("kept"), "a newer time");
    let newest = cosigned.newest().await.expect("kept");
    assert_eq!((newest.signatures().len(), witness(0).verifies(&newest)), (3, Some(9)));
}
