use bytes::Bytes;

/// Small rows of the services, beside the payloads: each table has keys of its own.
///
/// Threat: a row outlives the payload that it is about, and RocksDB writes key bounds into its manifest. So a key is an id, a random name or
/// a keyed hash, never a person's name; what a row says of a person is sealed under a leaf that erasure punctures.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Table {
    /// Erasures that this node controls: `case (16)`.
    Case = 0,
    /// Orders that came from others, and what was answered: `controller and item` (see the erasure service).
    Order = 1,
    /// Holds: `hold (16)`.
    Hold = 2,
    /// The blind index of subjects, purposes and contracts: `kind (1) ‖ … ‖ HMAC (32) ‖ item` (see `services::rights`).
    Subject = 3,
    /// What is known of a payload or document beyond its header, sealed under its leaf: `item`. Goes with the payload.
    Tag = 4,
    /// Documents: `document (32)`.
    Document = 5,
    /// Small state of a service: its name.
    State = 6,
    /// Disclosures: requests, approvals, grants, views (see `services::disclosure`).
    Disclosure = 7,
    /// Supervision: stop orders, what a supervisor follows, what waits for its signature (see `services::supervision`).
    Supervision = 8,
    /// Matters that people handle, and violations that somebody must be told of (see `services::matters`).
    Matter = 9,
    /// Officers' ceremonies that are relayed: plans, and what officers said (see `services::ceremonies`).
    Relay = 10,
}

/// A row to be put or, without a value, to be deleted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Its key.
    pub key: Bytes,
    /// What it holds from now on; `None`: it goes.
    pub value: Option<Bytes>,
}

impl Write {
    /// Puts a row.
    pub fn put(table: Table, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self { table, key: key.into(), value: Some(value.into()) }
    }

    /// Deletes a row.
    pub fn delete(table: Table, key: impl Into<Bytes>) -> Self {
        Self { table, key: key.into(), value: None }
    }
}

impl Table {
    /// `table (1) ‖ key`: where a row lies among those of all tables.
    pub(super) fn place(self, key: &[u8]) -> Vec<u8> {
        [&[self as u8], key].concat()
    }
}
