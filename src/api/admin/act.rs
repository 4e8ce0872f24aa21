//! Which act needs which role: the one table.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Role;

/// Something that a person does on the admin surface.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Lets a node serve again whose log is older than its last cosigned checkpoint. Dangerous.
    AcceptRollback,
    /// Sees what the loss of a key, a disk or a member exposes.
    BreachRadius,
    /// Hands an officer's verdict or shares to the node. What counts is the officer's signature.
    ApproveDisclosure,
    /// Opens a ceremony of officers with its plan, at every member's node.
    OpenCeremony,
    /// Sees ceremonies, and fetches what officers said in them.
    ReadCeremonies,
    /// Hands in what an officer says in a ceremony. What counts is the officer's signature.
    RelayCeremony,
    /// Asks every member for what this supervisor was entitled to.
    CatchUp,
    /// Answers for a payload that waits for a supervisor's co-signature.
    Cosign,
    /// Destroys a payload's keys and buries it. Dangerous.
    Erase,
    /// Gives more time to the answer to a request, or refuses it.
    AnswerErasure,
    /// Takes the journal away as a file.
    ExportJournal,
    /// Takes the records of processing activities away.
    ExportRecords,
    /// Takes away what is kept about a person.
    ExportSubject,
    /// Lifts an order to stop.
    LiftStop,
    /// Sees which dangerous acts wait.
    ListActs,
    /// Gives the node a signed directory or policy.
    PublishDocument,
    /// Places holds and blocks; asks the hold committee, and takes its answer.
    PlaceHold,
    /// Takes what was erased out of the store's files now.
    Purge,
    /// Reads directory, policy and their history.
    ReadDocuments,
    /// Sees requests for disclosure, what they resolve to, and notices that came.
    ReadDisclosures,
    /// Sees which holds there are.
    ReadHolds,
    /// Reads records of the journal.
    ReadJournal,
    /// Reads orders to stop.
    ReadStops,
    /// Reads erasure cases and writes their certificates.
    ReadErasures,
    /// Assigns, decides, closes and reopens cases; acknowledges notices.
    HandleCase,
    /// Opens a case, and attaches files to one.
    OpenCase,
    /// Reads cases, violations and indicators.
    ReadCases,
    /// Takes back, under a grant, what this node lost. Dangerous.
    Recover,
    /// Ends a hold before its time. Dangerous.
    ReleaseHold,
    /// Hands in an auditor's signed request.
    RequestDisclosure,
    /// Opens an erasure case, or looks at what it would reach.
    RequestErasure,
    /// Takes a grant back.
    RevokeDisclosure,
    /// Takes what a grant is for: a view of it.
    TakeDisclosure,
    /// Sees what is due to be erased.
    ReadRetention,
    /// Sees and declares what is known of an item, the people that it is about included.
    Tag,
    /// Reads `/metrics`, `/status` and `/root`.
    ReadStatus,
    /// Writes what names a replaced key anew, for another.
    RewrapKeys,
    /// Makes a new generation of the root and destroys the older ones.
    RotateRoot,
    /// Orders that new payloads of a scope stop, at every member.
    Stop,
    /// Sees what comes under supervision.
    Watch,
}

/// Who may do an act.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Which act.
    pub act: Act,
    /// Any one of these roles may do it or, where it is dangerous, ask for it.
    pub roles: &'static [Role],
    /// The act is dangerous: another person with one of these roles must approve it.
    pub second: Option<&'static [Role]>,
    /// It is told to the journal when it is allowed. A refusal of a recorded act is told as well.
    pub recorded: bool,
}

const READERS: &[Role] = &[Role::Operator, Role::Dpo, Role::Auditor, Role::Supervisor, Role::Observer];

const HANDLERS: &[Role] = &[Role::Operator, Role::Dpo, Role::Governor];
const PARTIES: &[Role] = &[Role::Operator, Role::Dpo, Role::Officer, Role::Governor, Role::Auditor, Role::Supervisor];

/// The table. `docs/roles.md` shows the same.
pub const RULES: &[Rule] = &[
    rule(Act::AcceptRollback, &[Role::Operator], Some(&[Role::Operator, Role::Governor]), true),
    rule(Act::AnswerErasure, &[Role::Dpo], None, true),
    rule(Act::ApproveDisclosure, &[Role::Officer, Role::Operator, Role::Dpo], None, true),
    rule(Act::BreachRadius, &[Role::Operator, Role::Dpo], None, true),
    rule(Act::CatchUp, &[Role::Supervisor], None, true),
    rule(Act::Cosign, &[Role::Supervisor], None, true),
    rule(Act::Erase, &[Role::Dpo], Some(&[Role::Operator, Role::Dpo]), true),
    rule(Act::ExportJournal, READERS, None, true),
    rule(Act::ExportRecords, &[Role::Operator, Role::Dpo, Role::Auditor], None, true),
    rule(Act::ExportSubject, &[Role::Dpo], None, true),
    rule(Act::LiftStop, &[Role::Supervisor], None, true),
    rule(Act::HandleCase, HANDLERS, None, true),
    rule(Act::ListActs, &[Role::Operator, Role::Dpo, Role::Officer, Role::Governor, Role::Auditor], None, false),
    rule(Act::OpenCase, PARTIES, None, true),
    rule(Act::OpenCeremony, &[Role::Officer, Role::Governor], None, true),
    rule(Act::PlaceHold, &[Role::Dpo], None, true),
    rule(Act::PublishDocument, &[Role::Operator, Role::Governor], None, true),
    rule(Act::Purge, &[Role::Operator, Role::Dpo], None, true),
    rule(Act::ReadCases, PARTIES, None, true),
    // Officers' commands ask every few seconds, as collectors do.
    rule(Act::ReadCeremonies, PARTIES, None, false),
    rule(Act::ReadDisclosures, &[Role::Operator, Role::Dpo, Role::Officer, Role::Auditor, Role::Supervisor], None, true),
    rule(Act::ReadDocuments, &Role::ALL, None, false),
    rule(Act::ReadErasures, READERS, None, true),
    rule(Act::ReadHolds, READERS, None, true),
    rule(Act::ReadJournal, READERS, None, true),
    rule(Act::ReadRetention, &[Role::Operator, Role::Dpo, Role::Auditor], None, true),
    rule(Act::ReadStops, READERS, None, true),
    // A collector asks every few seconds: its calls would be most of the journal.
    rule(Act::ReadStatus, &Role::ALL, None, false),
    rule(Act::Recover, &[Role::Operator], Some(&[Role::Operator, Role::Dpo]), true),
    rule(Act::RelayCeremony, &[Role::Officer, Role::Operator, Role::Dpo], None, true),
    rule(Act::ReleaseHold, &[Role::Dpo], Some(&[Role::Operator, Role::Dpo]), true),
    rule(Act::RequestDisclosure, &[Role::Auditor, Role::Dpo], None, true),
    rule(Act::RequestErasure, &[Role::Dpo], None, true),
    rule(Act::RevokeDisclosure, &[Role::Dpo, Role::Officer], None, true),
    rule(Act::TakeDisclosure, &[Role::Auditor, Role::Dpo], None, true),
    rule(Act::Tag, &[Role::Dpo], None, true),
    rule(Act::RewrapKeys, &[Role::Operator], None, true),
    rule(Act::RotateRoot, &[Role::Operator], None, true),
    rule(Act::Stop, &[Role::Supervisor], None, true),
    rule(Act::Watch, &[Role::Supervisor], None, true),
];

const fn rule(act: Act, roles: &'static [Role], second: Option<&'static [Role]>, recorded: bool) -> Rule {
    Rule { act, roles, second, recorded }
}

impl Act {
    /// Its line of the table.
    pub fn rule(self) -> Rule {
        // An act without a line is nobody's; the test below holds the table complete.
        RULES.iter().find(|rule| rule.act == self).copied().unwrap_or(rule(self, &[], Some(&[]), true))
    }

    /// Its name in requests and in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcceptRollback => "accept-rollback",
            Self::AnswerErasure => "answer-erasure",
            Self::ApproveDisclosure => "approve-disclosure",
            Self::BreachRadius => "breach-radius",
            Self::CatchUp => "catch-up",
            Self::Cosign => "cosign",
            Self::Erase => "erase",
            Self::ExportJournal => "export-journal",
            Self::ExportRecords => "export-records",
            Self::ExportSubject => "export-subject",
            Self::LiftStop => "lift-stop",
            Self::HandleCase => "handle-case",
            Self::ListActs => "list-acts",
            Self::OpenCase => "open-case",
            Self::OpenCeremony => "open-ceremony",
            Self::ReadCases => "read-cases",
            Self::ReadCeremonies => "read-ceremonies",
            Self::RelayCeremony => "relay-ceremony",
            Self::PlaceHold => "place-hold",
            Self::PublishDocument => "publish-document",
            Self::Purge => "purge",
            Self::ReadDisclosures => "read-disclosures",
            Self::ReadDocuments => "read-documents",
            Self::ReadErasures => "read-erasures",
            Self::ReadHolds => "read-holds",
            Self::ReadJournal => "read-journal",
            Self::ReadRetention => "read-retention",
            Self::ReadStatus => "read-status",
            Self::ReadStops => "read-stops",
            Self::Recover => "recover",
            Self::ReleaseHold => "release-hold",
            Self::RequestDisclosure => "request-disclosure",
            Self::RequestErasure => "request-erasure",
            Self::TakeDisclosure => "take-disclosure",
            Self::Tag => "tag",
            Self::RevokeDisclosure => "revoke-disclosure",
            Self::RewrapKeys => "rewrap-keys",
            Self::RotateRoot => "rotate-root",
            Self::Stop => "stop",
            Self::Watch => "watch",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Roles as people read them: `operator or governor`.
pub(super) fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_has_one_line_with_a_role_and_its_own_name() {
        for rule in RULES {
            assert!(!rule.roles.is_empty() && rule.second.is_none_or(|second| !second.is_empty()), "{}", rule.act);
            assert_eq!(RULES.iter().filter(|other| other.act == rule.act).count(), 1, "{}", rule.act);
            assert_eq!(serde_json::to_value(rule.act).unwrap(), rule.act.name());
            assert!(rule.second.is_none() || rule.recorded, "{} is dangerous and would leave no trace", rule.act);
        }
    }

    #[test]
    fn the_manual_shows_the_table() {
        let manual = include_str!("../../../docs/roles.md");
        for rule in RULES {
            let second = rule.second.map_or("-".to_owned(), names);
            let roles = if rule.roles.len() == Role::ALL.len() { "any role".to_owned() } else { names(rule.roles) };
            let line = format!("| `{}` | {roles} | {second} | {} |", rule.act, if rule.recorded { "yes" } else { "no" });
            assert!(manual.contains(&line), "docs/roles.md lacks {line}");
        }
    }
}
