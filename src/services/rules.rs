//! The rules of the privacy flags, decided purely: what a sender may send and what a recipient takes.

use std::collections::BTreeSet;

use super::Error;
use crate::enclave::Meta;
use crate::types::{Address, PayloadId, Privacy, PrivacyFlag};

/// An affected transaction as far as the rules look at it.
pub(crate) struct Known<'a> {
    pub(crate) id: &'a PayloadId,
    pub(crate) meta: &'a Meta,
}

/// Checks a transaction that this node is about to send.
///
/// Texts are Tessera's: GoQuorum hands them to the caller, whose tools look for them.
pub(crate) fn check_send(privacy: &Privacy, recipients: &[Address], affected: &[Known<'_>]) -> Result<(), Error> {
    let recipients: BTreeSet<&Address> = recipients.iter().collect();
    if !privacy.mandatory.iter().all(|key| recipients.contains(key)) {
        return Err(violation("One or more mandatory recipients not included in the participant list"));
    }
    for known in affected {
        if privacy.flag == PrivacyFlag::StateValidation && !same_recipients(&recipients, known) {
            return Err(mismatch(known.id));
        }
        if !same_rules(privacy, known) {
            return Err(violation(format!("Privacy metadata mismatched with Affected Txn {}", known.id)));
        }
    }
    Ok(())
}

/// What to do with a transaction from a peer.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Keep it.
    Take,
    /// Say yes and keep nothing, as Tessera does: its node would not execute it here. The reason is for the log.
    PassOver(&'static str),
}

/// Checks a transaction that a peer delivered. `affected` holds those that are known here; `unknown` says whether others are named.
pub(crate) fn check_push(
    privacy: &Privacy,
    sender: &Address,
    recipients: &[Address],
    affected: &[Known<'_>],
    unknown: bool,
) -> Result<Verdict, Error> {
    if affected.iter().any(|known| !same_rules(privacy, known)) {
        return Ok(Verdict::PassOver("its privacy rules differ from those of an affected transaction"));
    }
    if privacy.flag != PrivacyFlag::StateValidation {
        return Ok(Verdict::Take);
    }
    if unknown {
        return Ok(Verdict::PassOver("an affected transaction is not known here"));
    }
    if affected.iter().any(|known| !known.meta.recipients.contains(sender)) {
        return Ok(Verdict::PassOver("its sender is no participant of an affected transaction"));
    }
    let recipients = recipients.iter().collect();
    match affected.iter().find(|known| !same_recipients(&recipients, known)) {
        Some(known) => Err(mismatch(known.id)),
        None => Ok(Verdict::Take),
    }
}

fn same_recipients(recipients: &BTreeSet<&Address>, known: &Known<'_>) -> bool {
    known.meta.recipients.iter().collect::<BTreeSet<_>>() == *recipients
}

/// The same flag, and every recipient that was mandatory before still is.
fn same_rules(privacy: &Privacy, known: &Known<'_>) -> bool {
    let before = &known.meta.privacy;
    before.flag == privacy.flag && before.mandatory.iter().all(|key| privacy.mandatory.contains(key))
}

fn mismatch(id: &PayloadId) -> Error {
    violation(format!("Recipients mismatched for Affected Txn {id}"))
}

fn violation(text: impl Into<String>) -> Error {
    Error::PrivacyViolation(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Address {
        Address::new([byte; 32])
    }

    fn privacy(flag: PrivacyFlag, mandatory: &[Address]) -> Privacy {
        Privacy { flag, mandatory: mandatory.to_vec(), ..Privacy::default() }
    }

    fn meta(privacy: Privacy, recipients: &[Address]) -> Meta {
        Meta { sender: recipients[0], recipients: recipients.to_vec(), recipient_nonce: [0; 24], privacy, native: None }
    }

    fn text(result: Result<(), Error>) -> String {
        result.expect_err("refused").to_string()
    }

    const ID: PayloadId = PayloadId::new([9; 64]);

    #[test]
    fn mandatory_recipients_must_be_participants_and_stay_mandatory() {
        let rules = privacy(PrivacyFlag::MandatoryRecipients, &[key(2)]);
        assert!(text(check_send(&rules, &[key(1)], &[])).contains("mandatory recipients not included in the participant list"));
        let before = meta(privacy(PrivacyFlag::MandatoryRecipients, &[key(2), key(3)]), &[key(1), key(2), key(3)]);
        let known = [Known { id: &ID, meta: &before }];
        assert!(
            text(check_send(&rules, &[key(1), key(2)], &known)).starts_with("Privacy metadata mismatched with Affected Txn ")
        );
        let kept = privacy(PrivacyFlag::MandatoryRecipients, &[key(2), key(3), key(4)]);
        assert!(check_send(&kept, &[key(2), key(3), key(4)], &known).is_ok());
    }

    #[test]
    fn state_validation_needs_the_same_recipients_in_any_order() {
        let rules = privacy(PrivacyFlag::StateValidation, &[]);
        let before = meta(rules.clone(), &[key(1), key(2)]);
        let known = [Known { id: &ID, meta: &before }];
        assert!(check_send(&rules, &[key(2), key(1)], &known).is_ok());
        assert!(text(check_send(&rules, &[key(1)], &known)).starts_with("Recipients mismatched for Affected Txn "));
    }

    #[test]
    fn a_push_is_taken_passed_over_or_refused() {
        let psv = privacy(PrivacyFlag::StateValidation, &[]);
        let before = meta(psv.clone(), &[key(1), key(2)]);
        let known = || [Known { id: &ID, meta: &before }];
        let verdict = |privacy: &Privacy, sender, recipients: &[Address], unknown| {
            check_push(privacy, &sender, recipients, &known(), unknown)
        };
        assert!(matches!(verdict(&psv, key(1), &[key(1), key(2)], false), Ok(Verdict::Take)));
        assert!(matches!(verdict(&psv, key(1), &[key(1), key(2)], true), Ok(Verdict::PassOver(_))));
        assert!(matches!(verdict(&psv, key(3), &[key(1), key(2)], false), Ok(Verdict::PassOver(_))));
        assert!(verdict(&psv, key(1), &[key(1)], false).is_err());
        let other = privacy(PrivacyFlag::PartyProtection, &[]);
        assert!(matches!(verdict(&other, key(1), &[key(1)], false), Ok(Verdict::PassOver(_))));
    }
}
