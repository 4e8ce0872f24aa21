//! What has an end: verdicts, secrecy, words.

use super::super::sample::{NOW, key};
use super::super::*;
use super::case;
use crate::types::Coded as _;

const DAY: u64 = 24 * 60 * 60 * 1000;

#[test]
fn an_officer_has_one_verdict_and_a_notice_of_too_many_is_not_signed() {
    let case = case(&["x"]);
    let again = |approves: bool, text: &str| {
        let verdict = Verdict { text: text.into(), ..case.world.verdict(&case.docket, 1, approves).verdict };
        verdict.sign(|message| key("officer 1").sign(message))
    };
    let second = Refused::SecondVerdict("officer 1".into());
    assert_eq!(case.tally(&[again(false, "no"), again(false, "still no")], NOW), Err(second.clone()));
    assert_eq!(case.tally(&[again(false, "no"), again(true, "yes")], NOW), Err(second.clone()));
    assert_eq!(case.tally(&[again(true, "yes"), again(false, "no")], NOW), Err(second.clone()));
    assert_eq!(second.code().to_string(), "CEL7135");
    let verdicts = vec![again(false, "no"); Notice::MAX_VERDICTS + 1];
    let mut notice = case.notice(verdicts);
    let reads =
        |notice: &Notice| SignedNotice::decode(&SignedNotice { notice: notice.clone(), signature: [0; 64] }.encode()).is_ok();
    assert_eq!((notice.check_form().is_ok(), reads(&notice)), (false, false));
    notice.verdicts.pop();
    assert_eq!((notice.check_form(), reads(&notice)), (Ok(()), true));
    notice.items[0].item.found = Found::Held("x".repeat(501));
    assert_eq!((notice.check_form().is_ok(), reads(&notice)), (false, false));
}

#[test]
fn secrecy_is_measured_from_when_the_request_was_taken() {
    let mut case = case(&["x"]);
    let checked = |case: &super::Case| {
        let bundle = case.bundle(&[]);
        bundle.check_list(&case.world.charter, &case.items, NOW).map(drop)
    };
    assert_eq!(checked(&case), Ok(()));
    // A year of secrecy from a making in a hundred years.
    let asked = case.request.request.clone();
    for (time, why) in [
        (NOW + 36_500 * DAY, "it is dated after the time at which it was handed in"),
        (NOW - 9 * DAY, "it was made more than a week before it was handed in"),
    ] {
        let secrecy = Some(Secrecy { reference: "Juzgado 3, 12/2026".into(), until: time + 365 * DAY });
        case.request = Request { secrecy, time, ..asked.clone() }.sign(&key("auditor"));
        case.docket = case.world.docket(&case.request, &case.items);
        assert_eq!(case.request.verify(&case.world.network).map(drop), Ok(()), "of itself it holds");
        assert_eq!(checked(&case), Err(Refused::Window(why)));
    }
    // And with a holder that dates its docket so, too.
    let time = NOW + 36_500 * DAY;
    case.request = Request { time, ..asked }.sign(&key("auditor"));
    let docket = Docket { time, ..case.world.docket(&case.request, &case.items).docket };
    case.docket = SignedDocket { signature: key("banco").sign(&docket.statement()), docket };
    assert_eq!(checked(&case), Err(Refused::Window("its docket is of a time to come")));
}

#[test]
fn words_that_do_not_read_back_are_found_before_they_are_signed() {
    let mut item = case(&["x"]).items.remove(0);
    for (words, is_good) in
        [("x".repeat(500), true), ("x".repeat(501), false), (String::new(), false), ("a\u{202e}".into(), false)]
    {
        for found in [Found::Erased(words.clone()), Found::Held(words.clone())] {
            item.found = found;
            assert_eq!((item.check_form().is_ok(), Item::decode(&item.encode()).is_ok()), (is_good, is_good));
        }
    }
}

#[test]
fn the_word_of_one_who_left_or_whose_approval_ended_counts_for_nothing_and_spoils_nothing() {
    let mut case = case(&["x"]);
    let of = |case: &super::Case, officer, approves| case.world.verdict(&case.docket, officer, approves);
    let ended = Verdict { time: NOW - 9, until: NOW - 5, ..of(&case, 1, true).verdict };
    let ended = ended.sign(|message| key("officer 1").sign(message));
    let anew = of(&case, 1, true);
    let others = [of(&case, 2, true), of(&case, 3, true)];
    for verdicts in [[ended.clone(), anew.clone()], [anew, ended.clone()]] {
        let tally = case.tally(&[&verdicts[..], &others].concat(), NOW).expect("a tally");
        assert_eq!((tally.is_enough(), tally.approvals.len()), (Ok(()), 3));
    }
    let tally = case.tally(&[std::slice::from_ref(&ended), &others[..]].concat(), NOW).expect("a tally");
    assert_eq!(tally.is_enough(), Err(Refused::TooFew { have: 2, need: 3, epoch: 1 }));
    assert!(tally.has(&key("officer 2").verify_key()) && !tally.has(&ended.verdict.officer));
    // Officer 5 refused, and then handed over to another.
    let verdicts = [of(&case, 1, true), others[0].clone(), others[1].clone(), of(&case, 5, false)];
    assert_eq!(case.tally(&verdicts, NOW).expect("a tally").refusals.len(), 1);
    case.world.hand_over();
    let tally = case.tally(&verdicts, NOW).expect("a tally");
    assert_eq!((tally.is_enough(), tally.refusals.len()), (Ok(()), 0));
    // Its approval counts no more either, and nobody else's name is taken for one that left.
    let left = [of(&case, 1, true), others[0].clone(), of(&case, 5, true)];
    assert!(case.tally(&left, NOW).expect("a tally").is_enough().is_err());
    let stranger = Verdict { officer: key("stranger").verify_key(), ..of(&case, 5, true).verdict };
    let stranger = stranger.sign(|message| key("stranger").sign(message));
    assert_eq!(case.tally(&[stranger], NOW), Err(Refused::NotOfficer));
}

#[test]
fn a_notice_names_a_view_that_was_granted() {
    let case = case(&["x"]);
    let verdicts = case.verdicts(&[1, 2, 3]);
    let of = |view: Option<u32>| {
        let view = view.map(|number| case.world.view_of(number, &case.docket.docket, &verdicts));
        let notice = Notice { view, items: Vec::new(), ..case.notice(verdicts.clone()) };
        notice.view_number()
    };
    let granted = case.request.request.views;
    assert_eq!((of(None), of(Some(1)), of(Some(granted))), (Ok(0), Ok(1), Ok(granted)));
    assert_eq!((of(Some(0)), of(Some(granted + 1))), (Err(Refused::Views), Err(Refused::Views)));
}
