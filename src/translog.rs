//! Transparency log mathematics in the C2SP formats: signed notes, checkpoints, Merkle proofs, tiles. Pure: what needs files or a clock is in `journal`.

pub mod note;
