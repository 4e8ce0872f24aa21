use std::fmt;
use std::str::FromStr;

use crate::governance::{Contract, Policy, Scope};
use crate::types::{Class, MemberId, ParseError, PayloadId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form};

/// Creations of one contract that an order names, at most.
pub const MAX_CREATIONS: usize = 64;

/// What is stopped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StopScope {
    /// Everything.
    All,
    /// What is of a class.
    Class(Class),
    /// What a contract is told.
    Contract {
        /// Its address, as senders declare it.
        address: Contract,
        /// Ids of the payloads that made it: what builds on one of them (GoQuorum's `affectedContractTransactions`) is stopped too, at
        /// recipients as well. Sorted, at most [`MAX_CREATIONS`].
        creations: Vec<PayloadId>,
    },
    /// What a member sends.
    Member(MemberId),
}

/// A payload as far as an order looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Affair<'a> {
    /// Whose it is.
    pub sender: &'a MemberId,
    /// What it holds.
    pub class: Class,
    /// The contract that it is for, where that is known.
    pub contract: Option<&'a Contract>,
    /// What it builds on.
    pub affected: &'a [PayloadId],
}

impl StopScope {
    /// Whether a payload falls into it.
    pub fn covers(&self, affair: &Affair<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Class(class) => *class == affair.class,
            Self::Contract { address, creations } => {
                affair.contract == Some(address) || affair.affected.iter().any(|id| creations.binary_search(id).is_ok())
            }
            Self::Member(member) => member == affair.sender,
        }
    }

    /// Whether a policy gives it to a supervisor: one of the scopes that name it holds all that is stopped.
    ///
    /// Threat: a supervisor of one contract stops the network.
    pub fn is_given(&self, policy: &Policy, supervisor: &MemberId) -> bool {
        policy.scopes.iter().filter(|scope| scope.supervisors.contains(supervisor)).any(|scope| self.lies_in(scope))
    }

    fn lies_in(&self, scope: &Scope) -> bool {
        let (members, contracts, classes) = (&scope.members, &scope.contracts, &scope.classes);
        match self {
            Self::All => members.is_empty() && contracts.is_empty() && classes.is_empty(),
            Self::Class(class) => members.is_empty() && contracts.is_empty() && (classes.is_empty() || classes.contains(class)),
            Self::Contract { address, .. } => {
                members.is_empty() && classes.is_empty() && (contracts.is_empty() || contracts.contains(address))
            }
            Self::Member(member) => {
                contracts.is_empty() && classes.is_empty() && (members.is_empty() || members.contains(member))
            }
        }
    }

    /// `[kind, value, [creation …]]` within another form.
    pub(super) fn write(&self, form: Form) -> Form {
        let (kind, value) = self.words();
        let form = form.list(3).text(kind).text(&value);
        let creations: &[PayloadId] = if let Self::Contract { creations, .. } = self { creations } else { &[] };
        let form = form.list(creations.len() as u64);
        creations.iter().fold(form, |form, id| form.bytes(id.as_bytes()))
    }

    /// Reads what [`StopScope::write`] wrote.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        fields.nested("scope", 3)?;
        let kind: String = fields.word("scope")?;
        let value: String = fields.word("scope")?;
        let text = if value.is_empty() { kind } else { format!("{kind}:{value}") };
        let scope: Self = text.parse().map_err(|_| DecodeError::Value("scope"))?;
        let creations = fields.list("creations", |fields| fields.array("creation").map(PayloadId::new))?;
        scope.with_creations(creations).ok_or(DecodeError::Value("creations"))
    }

    /// The same with the payloads that made the contract, sorted, each once. `None` if it is no contract's or there are too many.
    pub fn with_creations(self, ids: Vec<PayloadId>) -> Option<Self> {
        match self {
            Self::Contract { address, .. } => {
                let distinct = ids.is_sorted_by(|a, b| a < b);
                (distinct && ids.len() <= MAX_CREATIONS).then_some(Self::Contract { address, creations: ids })
            }
            other => ids.is_empty().then_some(other),
        }
    }

    fn words(&self) -> (&'static str, String) {
        match self {
            Self::All => ("all", String::new()),
            Self::Class(class) => ("class", class.to_string()),
            Self::Contract { address, .. } => ("contract", address.to_string()),
            Self::Member(member) => ("member", member.to_string()),
        }
    }
}

impl fmt::Display for StopScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, value) = self.words();
        if value.is_empty() { f.write_str(kind) } else { write!(f, "{kind}:{value}") }
    }
}

impl FromStr for StopScope {
    type Err = ParseError;

    /// `all`, `class:NAME`, `contract:0x…` (without creations) or `member:ID`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            Some(("class", class)) => class.parse().map(Self::Class),
            Some(("contract", address)) => Ok(Self::Contract { address: address.parse()?, creations: Vec::new() }),
            Some(("member", member)) => member.parse().map(Self::Member),
            _ => Err(ParseError::Scope),
        }
    }
}

crate::types::as_text!(StopScope);

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(byte: u8) -> Contract {
        Contract::new([byte; 20])
    }

    #[test]
    fn a_scope_covers_what_it_names_and_nothing_else() {
        let (acme, other): (MemberId, MemberId) = ("acme".parse().expect("an id"), "other".parse().expect("an id"));
        let creation = PayloadId::new([3; 64]);
        let built = [creation];
        let affair = Affair { sender: &acme, class: Class::Business, contract: None, affected: &[] };
        let on = Affair { contract: Some(&contract(1)), ..affair };
        let builds = Affair { affected: &built, ..affair };
        let of = |address, creations| StopScope::Contract { address, creations };
        for (scope, expected) in [
            (StopScope::All, [true, true, true]),
            (StopScope::Class(Class::Business), [true, true, true]),
            (StopScope::Class(Class::Personal), [false, false, false]),
            (StopScope::Member(acme.clone()), [true, true, true]),
            (StopScope::Member(other), [false, false, false]),
            (of(contract(1), vec![]), [false, true, false]),
            (of(contract(2), vec![creation]), [false, false, true]),
        ] {
            assert_eq!([affair, on, builds].map(|affair| scope.covers(&affair)), expected, "{scope}");
        }
    }

    #[test]
    fn a_supervisor_stops_no_more_than_one_scope_of_its_holds() {
        let scope = |members: &[&str], contracts: &[u8], classes: &[Class]| Scope {
            members: members.iter().map(|id| id.parse().expect("an id")).collect(),
            contracts: contracts.iter().map(|byte| contract(*byte)).collect(),
            classes: classes.to_vec(),
            supervision: crate::governance::Supervision::S0,
            supervisors: Vec::new(),
        };
        let all = scope(&[], &[], &[]);
        let acme = scope(&["acme"], &[], &[]);
        let one = scope(&[], &[1], &[]);
        let personal = scope(&[], &[], &[Class::Personal]);
        let both = scope(&["acme"], &[], &[Class::Personal]);
        for (stop, expected) in [
            ("all", [true, false, false, false, false]),
            ("class:personal", [true, false, false, true, false]),
            ("class:public", [true, false, false, false, false]),
            ("member:acme", [true, true, false, false, false]),
            ("member:zeta", [true, false, false, false, false]),
            ("contract:0x0101010101010101010101010101010101010101", [true, false, true, false, false]),
            ("contract:0x0202020202020202020202020202020202020202", [true, false, false, false, false]),
        ] {
            let stop: StopScope = stop.parse().expect("a scope");
            let given = [&all, &acme, &one, &personal, &both].map(|scope| stop.lies_in(scope));
            assert_eq!(given, expected, "{stop}");
        }
    }

    #[test]
    fn words_come_back_and_others_are_refused() {
        for text in ["all", "class:special", "member:acme", "contract:0x00000000000000000000000000000000000000ff"] {
            let scope: StopScope = text.parse().expect("a scope");
            assert_eq!(scope.to_string(), text);
        }
        for text in ["", "all:", "everything", "class:secret", "member:", "contract:0x1", "group:a"] {
            assert!(text.parse::<StopScope>().is_err(), "{text}");
        }
        let id = |byte| PayloadId::new([byte; 64]);
        assert!(StopScope::All.with_creations(vec![id(1)]).is_none());
        let contract = || "contract:0x0101010101010101010101010101010101010101".parse::<StopScope>().expect("a scope");
        assert!(
            contract().with_creations(vec![id(1), id(1)]).is_none() && contract().with_creations(vec![id(2), id(1)]).is_none()
        );
        assert!(contract().with_creations(vec![id(1), id(2)]).is_some());
    }
}
