//! The record of a view, and who saw the log that it is in.

use super::super::sample::key;
use super::super::*;
use crate::translog::cosignature::{Witness, message};
use crate::translog::proof::Proof;

#[test]
fn without_a_record_in_the_holders_own_log_there_is_no_view() {
    let case = super::case(&["x"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let good = case.world.view(&case.docket.docket, &verdicts);
    let check = |view: &View, verdicts: &[SignedVerdict]| {
        view.check(&case.world.charter, &case.docket.docket, verdicts).expect_err("no view").to_string()
    };
    assert!(check(&good, &case.verdicts(&[1, 2, 4])).contains("other approvals"));
    let other = View { member: "otro".parse().expect("a name"), ..good.clone() };
    assert!(check(&other, &verdicts).contains("another member"));
    let altered = View { record: good.record.replace("\"view\":1", "\"view\":2"), ..good.clone() };
    assert!(check(&altered, &verdicts).contains("not in the log"));
    let unsigned = View { proof: good.proof.replace("\u{2014} ", "\u{2014} x"), ..good.clone() };
    assert!(check(&unsigned, &verdicts).contains("checkpoint"));
    let replayed = super::case(&["y"]);
    assert!(
        replayed
            .world
            .view(&replayed.docket.docket, &verdicts)
            .check(&case.world.charter, &case.docket.docket, &verdicts)
            .is_err()
    );
}

#[test]
fn a_witness_is_one_whose_cosignature_verifies() {
    let case = super::case(&["x"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let view = case.world.view(&case.docket.docket, &verdicts);
    let witness = Witness {
        name: crate::translog::checkpoint::origin(&case.world.network, &"otro".parse().expect("a name")),
        key: key("otro").verify_key(),
    };
    let cosigned = |signer: &str| {
        let mut proof: Proof = view.proof.parse().expect("a proof");
        let signature = key(signer).sign(&message(1_770_000_000, proof.checkpoint.text()));
        proof.checkpoint.add(witness.line(1_770_000_000, &signature));
        let view = View { proof: proof.to_string(), ..view.clone() };
        view.check(&case.world.charter, &case.docket.docket, &verdicts).expect("on record")
    };
    let good = cosigned("otro");
    assert_eq!((good.witnesses_named().as_str(), good.is_witnessed(1)), ("otro", Ok(())));
    assert!(matches!(good.is_witnessed(2), Err(Refused::NoView(_))));
    // A line under its name that it did not sign, also one of the holder's, counts for nothing.
    assert!(cosigned("banco").witnesses.is_empty());
}
