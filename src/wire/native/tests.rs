use super::*;

#[test]
fn messages_come_back_and_cuts_are_refused() {
    let batch = Batch {
        epoch: vec![1, 2].into(),
        items: vec![Item { suite: 1, body: vec![3; 40].into(), upload: Some(UploadId([7; 16])) }],
        filler: vec![0; 5].into(),
    };
    let bytes = batch.to_bytes();
    assert_eq!(Batch::from_bytes(&bytes), Ok(batch));
    for cut in 0..bytes.len() {
        assert_eq!(Batch::from_bytes(&bytes[..cut]), Err(Malformed));
    }
    assert_eq!(Batch::from_bytes(&[bytes, vec![0]].concat()), Err(Malformed));
    let answers = Answers {
        items: vec![
            Answer::Taken { ack: vec![1].into(), withdraw: Vec::new().into() },
            Answer::Refused { code: 3104, status: 410, text: "erased".into() },
            Answer::AnotherEpoch { epoch: vec![9].into() },
            Answer::Wanted { next: 7 },
        ],
    };
    assert_eq!(Answers::from_bytes(&answers.to_bytes()), Ok(answers));
    let asked = HeldAsked { id: vec![1; 64].into(), header: vec![2; 32].into() };
    assert_eq!(HeldAsked::from_bytes(&asked.to_bytes()), Ok(asked));
    assert_eq!(HeldSaid::from_bytes(&HeldSaid { held: true }.to_bytes()), Ok(HeldSaid { held: true }));
}

#[test]
fn a_batch_holds_64_deliveries_and_a_mebibyte_of_filler() {
    let item = Item { suite: 9, body: Vec::new().into(), upload: None };
    let batch = |items: usize, filler: usize| {
        let items = vec![item.clone(); items];
        Batch { epoch: Vec::new().into(), items, filler: vec![0; filler].into() }.to_bytes()
    };
    assert!(Batch::from_bytes(&batch(MAX_ITEMS, MAX_FILLER)).is_ok());
    assert_eq!(Batch::from_bytes(&batch(MAX_ITEMS + 1, 0)), Err(Malformed));
    assert_eq!(Batch::from_bytes(&batch(1, MAX_FILLER + 1)), Err(Malformed));
    let notes = |count: usize| Documents { notes: vec![String::new(); count], delta: None }.to_bytes();
    assert!(Documents::from_bytes(&notes(MAX_NOTES)).is_ok());
    assert_eq!(Documents::from_bytes(&notes(MAX_NOTES + 1)), Err(Malformed));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let _ = (Batch::from_bytes(&bytes), Answers::from_bytes(&bytes), Part::from_bytes(&bytes), Standing::from_bytes(&bytes));
        let _ = (Documents::from_bytes(&bytes), Witness::from_bytes(&bytes), Resent::from_bytes(&bytes), ErasureAnswer::from_bytes(&bytes));
        let _ = (OrdersAfter::from_bytes(&bytes), OrdersPage::from_bytes(&bytes));
        let _ = (DocumentPart::from_bytes(&bytes), SupervisionAfter::from_bytes(&bytes));
        let _ = (CeremoniesAfter::from_bytes(&bytes), CeremonyPage::from_bytes(&bytes));
        let _ = (CatchUp::from_bytes(&bytes), CosignAsked::from_bytes(&bytes), CosignSaid::from_bytes(&bytes));
    }
}
