//! What the journal says of what happened: JSON, with fields in a fixed order (`docs/journal.md`).

use serde::Serialize;

use super::records::now;
use crate::store::Event;
use crate::types::{Class, DocumentId, MemberId, PayloadId};

/// What happened. The names are those of the journal's export and of events.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An act of an operator or another person, allowed or refused.
    Act,
    /// A sent payload is durable at every recipient, and their acknowledgements are kept.
    Delivered,
    /// A step in a case that people handle, or in a violation that this node noticed.
    Case,
    /// A ceremony's time here is over: what was said in it is gone.
    CeremonyEnded,
    /// An officer said something in a ceremony; the digest of its message.
    CeremonyMessage,
    /// A member's node opened a ceremony of officers.
    CeremonyOpened,
    /// An officer approved a disclosure.
    DisclosureApproved,
    /// A grant's time came.
    DisclosureExpired,
    /// Another member tells of a disclosure that payloads of ours are among.
    DisclosureNotice,
    /// An officer refused a disclosure.
    DisclosureRefused,
    /// Payloads were released under a grant.
    DisclosureReleased,
    /// An auditor asked for a disclosure.
    DisclosureRequested,
    /// A grant was taken back.
    DisclosureRevoked,
    /// An officer gave its shares for a grant.
    DisclosureShares,
    /// A view of a grant, before anything is given.
    DisclosureView,
    /// A directory or a policy came into force.
    Document,
    /// A supervisor asked for, or was given, what it was entitled to.
    CaughtUp,
    /// A payload waits for a supervisor's co-signature here.
    CosignAsked,
    /// A supervisor does not let a payload go.
    CosignRefused,
    /// A supervisor lets a payload go.
    Cosigned,
    /// A payload is kept, and unreadable from now on.
    Blocked,
    /// A payload was erased.
    Erased,
    /// A certificate of an erasure was written.
    ErasureCertificate,
    /// Somebody decided to erase.
    ErasureDecision,
    /// The time for the answer to a request was extended.
    ErasureExtension,
    /// An order to erase came from another member, or from this one.
    ErasureOrder,
    /// An order was answered; the digest of the signed receipt.
    ErasureReceipt,
    /// Somebody refused to erase, on a ground of the law.
    ErasureRefusal,
    /// An erasure was asked for.
    ErasureRequest,
    /// A case went on by itself.
    ErasureStep,
    /// A hold was placed.
    Held,
    /// A hold's time came.
    HoldExpired,
    /// The hold committee was asked to open a hold's envelopes.
    HoldExported,
    /// A hold was ended before its time.
    HoldReleased,
    /// An application read a payload.
    Read,
    /// How many payloads the node read since the event before.
    Reads,
    /// A payload came from another member.
    Received,
    /// A payload went the way of a recovery, and was not kept.
    Drill,
    /// A payload that was lost here came back.
    Recovered,
    /// Two people want the recovery under a grant.
    RecoveryPermitted,
    /// A payload was refused, by the policy or by a rule.
    Refused,
    /// After a key of this node was replaced, what names the old one names the new one.
    Rewrapped,
    /// The root of the key trees was rotated, and its older generations destroyed.
    RootRotated,
    /// The node started.
    Started,
    /// An order to stop was lifted.
    StopLifted,
    /// A supervisor ordered that new payloads of a scope stop.
    StopOrdered,
    /// A payload was sealed here and sent.
    Stored,
    /// A payload came under supervision: its supervisors have their copies, or this node has one.
    Supervised,
    /// What is known of an item was declared anew.
    Tagged,
    /// A delivery of a failed send was taken back.
    Withdrawn,
}

/// One record of the journal, without names of senders and recipients of payloads: those are under the payload's own key.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Happening<'a> {
    kind: Kind,
    /// Milliseconds since the Unix epoch.
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<PayloadId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    surface: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a MemberId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<serde_json::Value>,
}

impl<'a> Happening<'a> {
    pub(crate) fn now(kind: Kind) -> Self {
        Self {
            kind,
            at: now(),
            id: None,
            document: None,
            class: None,
            surface: None,
            role: None,
            actor: None,
            member: None,
            version: None,
            count: None,
            code: None,
            text: None,
            details: None,
        }
    }

    pub(crate) fn id(mut self, id: PayloadId) -> Self {
        self.id = Some(id);
        self
    }

    pub(crate) fn document(mut self, id: DocumentId) -> Self {
        self.document = Some(id);
        self
    }

    pub(crate) fn class(mut self, class: Class) -> Self {
        self.class = Some(class);
        self
    }

    pub(crate) fn surface(mut self, surface: &'a str) -> Self {
        self.surface = Some(surface);
        self
    }

    pub(crate) fn actor(mut self, actor: &'a str, role: &'a str) -> Self {
        (self.actor, self.role) = (Some(actor), Some(role));
        self
    }

    pub(crate) fn member(mut self, member: &'a MemberId) -> Self {
        self.member = Some(member);
        self
    }

    pub(crate) fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    pub(crate) fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    pub(crate) fn code(mut self, code: crate::types::Code) -> Self {
        self.code = Some(code.to_string());
        self
    }

    pub(crate) fn text(mut self, text: &'a str) -> Self {
        self.text = Some(text);
        self
    }

    pub(crate) fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The event for the store, under a fresh salt. It goes with its payload, if it is about one.
    pub(crate) fn event(&self) -> Event {
        // A struct of strings and numbers always serialises.
        let record = serde_json::to_vec(self).unwrap_or_default();
        Event::new(self.id.or(self.document.map(trace_name)), record.into())
    }

    /// The same, for one that outlasts its payload.
    pub(crate) fn lasting(&self) -> Event {
        Event { lasting: true, ..self.event() }
    }
}

/// The name under which the journal traces what is said of a document: its id and 32 zeros, which no payload's hash is.
pub(crate) fn trace_name(document: DocumentId) -> PayloadId {
    let mut name = [0; PayloadId::LEN];
    name[..DocumentId::LEN].copy_from_slice(document.as_bytes());
    PayloadId::new(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_fields_in_order_and_no_empty_ones() {
        let id = PayloadId::new([1; 64]);
        let event = Happening::now(Kind::Stored).id(id).class(Class::Personal).event();
        let text = String::from_utf8(event.record.to_vec()).expect("JSON");
        assert!(text.starts_with("{\"kind\":\"stored\",\"at\":1") && text.ends_with("\"class\":\"personal\"}"), "{text}");
        assert_eq!((event.about, event.lasting), (Some(id), false));
        assert!(Happening::now(Kind::Erased).id(id).lasting().lasting);
    }
}
