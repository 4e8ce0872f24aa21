use std::collections::HashSet;
use std::fmt;

use crate::governance::Contract;
use crate::seal::escrow::Label;
use crate::types::{Class, MemberId, PayloadId};
use crate::wire::DecodeError;
use crate::wire::header::day_of;
use crate::wire::strict::{Fields, Form};

/// Payloads that a request may name one by one. More are asked for by what they have in common.
pub const MAX_NAMED: usize = 4_096;

/// What a request is about: which payloads, and of which time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// Which.
    pub by: By,
    /// Made from when until when, milliseconds since the Unix epoch; by the day, as labels know no finer time.
    pub made: Option<(u64, u64)>,
}

/// What payloads of a scope have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum By {
    /// Nothing but their time.
    Time,
    /// They are named.
    Items(Vec<PayloadId>),
    /// Sent by a member.
    Member(MemberId),
    /// Tagged with a contract, at the holder that is asked.
    Contract(Contract),
    /// Of a class.
    Class(Class),
    /// Sent by a member or to it, at the holder that is asked. For that member alone, which lost what it had.
    Party(MemberId),
}

impl Scope {
    /// Whether a label falls under it. What a label does not say, its contract or its recipients, the holder answers for.
    pub fn covers(&self, label: &Label) -> bool {
        self.named().is_none_or(|named| named.contains(&label.id)) && self.covers_but_for_names(label)
    }

    /// Those that are named, where it names them.
    pub(super) fn named(&self) -> Option<HashSet<PayloadId>> {
        if let By::Items(ids) = &self.by { Some(ids.iter().copied().collect()) } else { None }
    }

    /// Whether a label falls under it, or would if it were named. For long lists: names are looked up in [`Scope::named`].
    pub(super) fn covers_but_for_names(&self, label: &Label) -> bool {
        let is_in_time = self.made.is_none_or(|(from, until)| (day_of(from)..=day_of(until)).contains(&label.day));
        is_in_time
            && match &self.by {
                By::Time | By::Contract(_) | By::Party(_) | By::Items(_) => true,
                By::Member(member) => label.member.as_ref() == Some(member),
                By::Class(class) => label.class == *class,
            }
    }

    pub(super) fn put(&self, form: Form) -> Form {
        let form = match &self.by {
            By::Time => form.list(1).number(0_u8),
            By::Items(ids) => form.list(2).number(1_u8).each(ids.iter().map(PayloadId::as_bytes)),
            By::Member(member) => form.list(2).number(2_u8).text(member.as_str()),
            By::Contract(contract) => form.list(2).number(3_u8).bytes(contract.as_bytes()),
            By::Class(class) => form.list(2).number(4_u8).number(class.number()),
            By::Party(member) => form.list(2).number(5_u8).text(member.as_str()),
        };
        match self.made {
            Some((from, until)) => form.list(2).number(from).number(until),
            None => form.null(),
        }
    }

    pub(super) fn take(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let by = match (fields.open("scope")?, fields.number::<u8>("scope")?) {
            (1, 0) => By::Time,
            (2, 1) => By::Items(fields.list("payloads", |fields| fields.array("payload").map(PayloadId::new))?),
            (2, 2) => By::Member(fields.word("member")?),
            (2, 3) => By::Contract(Contract::new(fields.array("contract")?)),
            (2, 4) => By::Class(Class::from_number(fields.number("class")?).ok_or(DecodeError::Value("class"))?),
            (2, 5) => By::Party(fields.word("member")?),
            _ => return Err(DecodeError::Value("scope")),
        };
        let made = fields.option("time of making", |fields| {
            fields.nested("time of making", 2)?;
            Ok((fields.number("from")?, fields.number("until")?))
        })?;
        let is_good = match (&by, made) {
            (By::Time, None) => false,
            (By::Items(ids), _) => {
                let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
                (1..=MAX_NAMED).contains(&ids.len()) && distinct.len() == ids.len()
            }
            _ => true,
        };
        if !is_good || made.is_some_and(|(from, until)| from >= until) {
            return Err(DecodeError::Value("scope"));
        }
        Ok(Self { by, made })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            By::Time => f.write_str("all payloads")?,
            By::Items(ids) => write!(f, "{} named payload(s)", ids.len())?,
            By::Member(member) => write!(f, "payloads sent by {member}")?,
            By::Contract(contract) => write!(f, "payloads of contract {contract}")?,
            By::Class(class) => write!(f, "payloads of class {class}")?,
            By::Party(member) => write!(f, "payloads sent by {member} or to it")?,
        }
        match self.made {
            Some((from, until)) => write!(f, ", made from {} to {}", super::request::moment(from), super::request::moment(until)),
            None => Ok(()),
        }
    }
}
