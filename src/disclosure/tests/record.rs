//! The record of a view, and who saw the log that it is in.

use super::super::sample::{NOW, key};
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

/// What a holder can make alone: a release of a view that it put on record itself.
fn released(case: &super::Case, verdicts: &[SignedVerdict]) -> (Bundle, SignedRelease) {
    let mut bundle = case.bundle(verdicts);
    bundle.view = Some(case.world.view(&case.docket.docket, verdicts));
    let docket = &case.docket.docket;
    let release = Release {
        network: docket.network,
        grant: docket.grant,
        case: case_digest(docket),
        member: docket.member.clone(),
        view: 1,
        time: NOW,
        items: docket.items,
    };
    (bundle, SignedRelease { signature: key("banco").sign(&release.statement()), release })
}

#[test]
fn a_release_that_nobody_or_one_of_two_committees_approved_is_not_good() {
    let mut case = super::case(&["x"]);
    let check = |case: &super::Case, officers: &[u16]| {
        let (bundle, release) = released(case, &case.verdicts(officers));
        let in_file = bundle.check_view(&case.world.charter).map(drop);
        assert_eq!(bundle.check_release(&case.world.charter, &release, NOW).map(drop), in_file);
        in_file
    };
    assert_eq!(check(&case, &[1, 3, 5]), Ok(()));
    let few = |have, epoch| Err(Refused::TooFew { have, need: 3, epoch });
    assert_eq!((check(&case, &[]), check(&case, &[1, 2])), (few(0, 1), few(2, 1)));
    // Of a list under two keys the one committee is not enough.
    case.docket = case.world.docket_under([1, 2].into(), &case.request, &case.items);
    assert_eq!(check(&case, &[1, 3, 5]), few(0, 2));
    // A docket that names other keys than those of its list is not the list's, and one that names none is approved by none.
    let list = |case: &super::Case| case.bundle(&[]).check_list(&case.world.charter, &case.items, NOW);
    let other = Err(Refused::List("it is under other keys than the docket names"));
    assert_eq!(list(&case), other);
    case.docket = case.world.docket_under(Epochs::new(), &case.request, &case.items);
    assert_eq!((list(&case), check(&case, &[])), (other, Err(Refused::NoApproval)));
    // Approvals name the keys, so that of one docket they are none of another.
    let honest = case.world.docket(&case.request, &case.items);
    assert_ne!(case_digest(&honest.docket), case_digest(&case.docket.docket));
}

#[test]
fn a_release_of_another_view_than_the_one_on_record_is_not_good() {
    let case = super::case(&["x"]);
    let (bundle, mut release) = released(&case, &case.verdicts(&[1, 3, 5]));
    release.release.view = 2;
    release.signature = key("banco").sign(&release.release.statement());
    assert!(matches!(bundle.check_release(&case.world.charter, &release, NOW), Err(Refused::NoView(_))));
    release.signature = key("otro").sign(&release.release.statement());
    assert_eq!(bundle.check_release(&case.world.charter, &release, NOW), Err(Refused::Signature("release")));
}

#[test]
fn more_views_than_were_granted_are_refused() {
    let case = super::case(&["x"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let of = |number| {
        let view = Some(case.world.view_of(number, &case.docket.docket, &verdicts));
        Bundle { view, ..case.bundle(&verdicts) }.check_view(&case.world.charter).map(|(view, _)| view.view)
    };
    let granted = case.request.request.views;
    assert_eq!((of(1), of(granted)), (Ok(1), Ok(granted)));
    assert_eq!((of(granted + 1), of(0), of(999)), (Err(Refused::Views), Err(Refused::Views), Err(Refused::Views)));
}
