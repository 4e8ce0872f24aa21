//! Whatever is tried with a grant, in whatever order.

use proptest::prelude::*;

use super::super::{Life, Step};

#[derive(Clone, Copy, Debug)]
enum Act {
    Count(bool, bool, u64),
    Revoke,
    View,
    Wait(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (any::<bool>(), any::<bool>(), 1..60_u64).prop_map(|(enough, possible, until)| Act::Count(enough, possible, until)),
        Just(Act::Revoke),
        Just(Act::View),
        Just(Act::View),
        (0..20_u64).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 0..40)
}

proptest! {
    /// Whatever is tried in whatever order: a view follows an approval, none follows an end, and there are never more than were granted.
    #[test]
    fn the_life_of_a_grant_keeps_its_rules(acts in acts(), views in 1..4_u32) {
        let mut life = Life::begin(5, 50, views);
        let (mut now, mut approved, mut over, mut seen, mut end) = (0, false, false, 0_u32, 50);
        for act in acts {
            let step = match act {
                Act::Wait(time) => { now += time; over |= now >= end; continue }
                Act::Count(enough, possible, until) => Step::Counted { enough, until, possible: possible || enough },
                Act::Revoke => Step::Revoke,
                Act::View => Step::View,
            };
            match life.step(step, now) {
                Ok(after) => {
                    prop_assert!(!over, "{step:?} after the end");
                    match step {
                        Step::View => { prop_assert!(approved && now >= 5 && seen < views); seen += 1 }
                        Step::Revoke => over = true,
                        Step::Counted { enough, until, possible } => {
                            prop_assert!(!approved);
                            approved |= enough;
                            if enough { end = end.min(until); over |= now >= end; }
                            over |= !possible;
                        }
                    }
                    life = after;
                }
                Err(_) if step == Step::Revoke => prop_assert!(over),
                Err(_) => {}
            }
            prop_assert_eq!(life.used, seen);
        }
    }
}
