use proptest::prelude::*;

use super::*;

const STEPS: [Step; 8] =
    [Step::Erase, Step::Refuse, Step::Block, Step::Unblock, Step::Puncture, Step::Purge, Step::Rotate, Step::Certify];

/// The machine once more, as what is known of the data: the model.
#[derive(Debug, Default)]
struct Data {
    decided: bool,
    refused: bool,
    held: bool,
    readable: bool,
    in_files: bool,
    in_backups: bool,
    over: bool,
}

impl Data {
    fn new() -> Self {
        Self { readable: true, in_files: true, in_backups: true, ..Self::default() }
    }

    /// Whether a step makes sense, and what it changes.
    fn take(&mut self, step: Step) -> bool {
        let may = match step {
            Step::Erase => !self.decided,
            Step::Refuse => !self.decided && !self.refused,
            Step::Block | Step::Puncture => self.decided && self.readable && !self.held,
            Step::Unblock => self.held,
            Step::Purge => !self.readable && self.in_files,
            Step::Rotate => !self.readable && !self.in_files && self.in_backups,
            Step::Certify => !self.in_backups && !self.over,
        };
        if may {
            match step {
                Step::Erase => (self.decided, self.refused) = (true, false),
                Step::Refuse => self.refused = true,
                Step::Block => self.held = true,
                Step::Unblock => self.held = false,
                Step::Puncture => self.readable = false,
                Step::Purge => self.in_files = false,
                Step::Rotate => self.in_backups = false,
                Step::Certify => self.over = true,
            }
        }
        may
    }
}

fn case() -> Case {
    Case {
        id: CaseId([1; 16]),
        ground: Ground::ConsentWithdrawn,
        scope: "subject".into(),
        items: 3,
        requested: 1_000,
        due: 2_000,
        extended: String::new(),
        urgent: false,
        rotated: false,
        state: State::Requested,
        moves: Vec::new(),
        holders: Vec::new(),
        refusal: None,
    }
}

proptest! {
    #[test]
    fn the_machine_does_what_the_model_allows(steps in prop::collection::vec(prop::sample::select(&STEPS[..]), 0..40)) {
        let (mut case, mut data) = (case(), Data::new());
        for (at, step) in steps.into_iter().enumerate() {
            let before = case.clone();
            let taken = case.step(step, at as u64, "somebody");
            prop_assert_eq!(taken.is_ok(), data.take(step), "{:?} in {:?}", step, before.state);
            if let Err(forbidden) = taken {
                prop_assert_eq!(&case, &before, "a forbidden step changes nothing");
                prop_assert_eq!(forbidden.code(), Code(3362));
            }
            prop_assert_eq!(case.state >= State::Unreadable, !data.readable);
            prop_assert_eq!(case.state >= State::Purged, !data.in_files);
            prop_assert_eq!(case.state >= State::BackupSafe, !data.in_backups);
            prop_assert_eq!(case.state == State::Certified, data.over);
        }
    }
}

#[test]
fn a_case_reads_back_and_its_clock_runs() {
    let mut case = case();
    assert!(!case.is_overdue(2_000) && case.is_overdue(2_001));
    case.step(Step::Erase, 1, "dpo").expect("may be decided");
    case.step(Step::Puncture, 2, "node").expect("may be punctured");
    assert!(!case.is_overdue(9_999), "what is unreadable is answered");
    let text = serde_json::to_string(&case).expect("JSON");
    assert_eq!(serde_json::from_str::<Case>(&text).expect("a case"), case);
    assert_eq!(case.moves[1].to, State::Unreadable);
}
