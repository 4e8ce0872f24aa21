//! The journal: what happened here, in a Merkle log that third parties can check (`docs/journal.md`).
