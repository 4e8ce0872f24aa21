use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the verbs did since the start; the metrics read it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Payloads sent: every recipient has them.
    pub sent: Counter,
    /// Of those sent, payloads of the suite celosia-1.
    pub sent_native: Counter,
    /// Capsules made: of payloads sent, and of our own copies in Tessera's suite.
    pub capsules_made: Counter,
    /// Deliveries refused because of their capsule, or because they have none.
    pub capsules_refused: Counter,
    /// Of those taken, payloads of the suite celosia-1.
    pub pushed_native: Counter,
    /// Sends that the policy refused.
    pub policy_refused: Counter,
    /// Payloads, sent or delivered, that an order to stop stands before.
    pub stopped: Counter,
    /// Copies for this supervisor that were taken.
    pub copies_taken: Counter,
    /// Second headers of one payload and sender that came for this supervisor and were kept as evidence.
    pub second_headers: Counter,
    /// Messages of officers' ceremonies that were taken, each once.
    pub ceremony_messages: Counter,
    /// What came for a ceremony and was refused.
    pub ceremony_refused: Counter,
    /// Sends that failed after they were sealed.
    pub send_failed: Counter,
    /// Payloads given back to the node or an application.
    pub received: Counter,
    /// Look-ups answered with "not here".
    pub absent: Counter,
    /// Payloads taken from peers, new here.
    pub pushed: Counter,
    /// Payloads from peers that were refused or passed over.
    pub push_refused: Counter,
    /// Deliveries to one recipient that arrived.
    pub delivered: Counter,
    /// Deliveries to one recipient that failed.
    pub delivery_failed: Counter,
    /// Deliveries that their sender took back.
    pub withdrawn: Counter,
    /// Payloads that were released to auditors.
    pub disclosed: Counter,
    /// Notices of disclosures that came from other members.
    pub disclosure_notices: Counter,
    /// Lost payloads that came back.
    pub recovered: Counter,
    /// Payloads erased.
    pub erased: Counter,
    /// Keys of the index of subjects that were destroyed, each with its bucket written anew.
    pub index_renewed: Counter,
    /// Orders to erase that were refused because they name too many items that are not here.
    pub orders_refused: Counter,
    /// Payloads resent to a peer that asked.
    pub resent: Counter,
    /// Documents put here, complete.
    pub documents_put: Counter,
    /// Documents taken from other members, complete.
    pub documents_received: Counter,
    /// Documents opened for reading.
    pub documents_read: Counter,
    /// Documents erased.
    pub documents_erased: Counter,
    /// Deliveries of a document to one member that arrived.
    pub documents_delivered: Counter,
    /// Attempts at a delivery of a document that failed.
    pub documents_delivery_failed: Counter,
}
