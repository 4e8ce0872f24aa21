use proptest::prelude::*;

use super::*;

const DAY: u64 = 86_400_000;

fn matter(kind: MatterKind) -> Matter {
    Matter::open(MatterId([1; 16]), kind, "clocks are apart", "node", 1_000, DAY).expect("a line")
}

fn file(name: &str) -> Attachment {
    Attachment { name: name.into(), bytes: 3, sha256: "ab".repeat(32), at: 0, by: String::new() }
}

#[test]
fn a_matter_goes_its_way_and_no_other() {
    let mut of = matter(MatterKind::Grievance);
    let decided = || Step::Decide(Outcome::Upheld, "it was so".into());
    assert_eq!(of.step(decided(), "dpo", 2), Err(MatterError::State(MatterState::Opened, "decided")));
    assert_eq!(of.step(Step::Close, "dpo", 2), Err(MatterError::State(MatterState::Opened, "closed")));
    of.step(Step::Attach(file("letter.pdf")), "dpo", 3).expect("open");
    assert_eq!((of.attachments[0].at, of.attachments[0].by.as_str()), (3, "dpo"));
    of.step(Step::Assign("maria".into()), "dpo", 4).expect("open");
    of.step(decided(), "maria", 5).expect("assigned");
    assert_eq!(of.step(Step::Assign("x".into()), "dpo", 6), Err(MatterError::State(MatterState::Decided, "assigned")));
    of.step(Step::Close, "maria", 7).expect("decided");
    assert!(of.step(Step::Attach(file("late.pdf")), "dpo", 8).is_err(), "closed");
    of.step(Step::Reopen("new facts".into()), "dpo", 9).expect("closed before");
    assert_eq!((of.state, of.decision.is_none()), (MatterState::Assigned, true));
}

#[test]
fn lines_and_attachments_are_checked() {
    let mut of = matter(MatterKind::Review);
    for bad in ["", "  ", "a\nb", &"x".repeat(501)] {
        assert_eq!(of.step(Step::Assign(bad.into()), "a", 1), Err(MatterError::Line("the name")));
        assert!(Matter::open(MatterId([0; 16]), MatterKind::Review, bad, "a", 1, 1).is_err());
    }
    for bad in [file(""), file("a/b"), file("a\\b"), file("a\u{7}"), Attachment { sha256: "AB".repeat(32), ..file("a") }] {
        assert_eq!(of.step(Step::Attach(bad), "a", 1), Err(MatterError::Attachment));
    }
    for _ in 0..MAX_ATTACHMENTS {
        of.step(Step::Attach(file("a")), "a", 1).expect("room");
    }
    assert_eq!(of.step(Step::Attach(file("a")), "a", 1), Err(MatterError::TooMany));
}

#[test]
fn a_notice_climbs_until_somebody_of_its_level_knows() {
    let mut of = matter(MatterKind::Violation);
    assert_eq!((of.notice.level, of.notice.due), (Level::Operator, 1_000 + DAY));
    assert!(!of.notice.climb(999 + DAY, DAY));
    // Off for a month: one level, and a day for the next.
    assert!(of.notice.climb(30 * DAY, DAY));
    assert_eq!((of.notice.level, of.notice.due, of.notice.climbed), (Level::Dpo, 31 * DAY, 1));
    assert_eq!(of.step(Step::Acknowledge(Level::Operator), "op", 1), Err(MatterError::Level(Level::Dpo)));
    assert!(of.notice.climb(31 * DAY, DAY) && !of.notice.climb(99 * DAY, DAY));
    assert!(of.notice.is_overdue(99 * DAY));
    of.step(Step::Acknowledge(Level::Governor), "gov", 100 * DAY).expect("the level");
    assert!(!of.notice.is_overdue(200 * DAY) && !of.notice.climb(200 * DAY, DAY));
    assert_eq!(of.step(Step::Acknowledge(Level::Governor), "b", 1), Err(MatterError::Acknowledged("gov".into())));
}

proptest! {
    /// Against a model in a few words: the state after any steps.
    #[test]
    fn any_steps_leave_a_matter_that_its_model_explains(steps in proptest::collection::vec(0_u8..6, 0..40)) {
        let mut of = matter(MatterKind::Exception);
        let (mut state, mut assigned) = ("opened", false);
        for (at, step) in steps.into_iter().enumerate() {
            let before = of.clone();
            let (step, next) = match step {
                0 => (Step::Assign("a".into()), matches!(state, "opened" | "assigned").then_some("assigned")),
                1 => (Step::Attach(file("a")), (state != "closed").then_some(state)),
                2 => (Step::Decide(Outcome::Dismissed, "b".into()), (state == "assigned").then_some("decided")),
                3 => (Step::Close, (state == "decided").then_some("closed")),
                4 => (
                    Step::Reopen("c".into()),
                    matches!(state, "decided" | "closed").then_some(if assigned { "assigned" } else { "opened" }),
                ),
                _ => (Step::Acknowledge(Level::Governor), before.notice.is_open().then_some(state)),
            };
            assigned |= matches!(step, Step::Assign(_)) && next.is_some();
            prop_assert_eq!(of.step(step, "x", at as u64).is_ok(), next.is_some());
            match next {
                Some(next) => state = next,
                None => prop_assert_eq!(&of, &before),
            }
            prop_assert_eq!(of.state.name(), state);
        }
        let text = serde_json::to_string(&of).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Matter>(&text).expect("read"), of);
    }
}
