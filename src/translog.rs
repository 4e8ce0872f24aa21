//! Transparency log mathematics in the C2SP formats: signed notes, checkpoints, Merkle proofs, tiles. Pure: what needs files or a clock is in `journal`.

pub mod checkpoint;
pub mod commitment;
pub mod cosignature;
pub mod edge;
pub mod hash;
pub mod levels;
pub mod note;
pub mod proof;
pub mod submission;
pub mod tile;
pub mod tree;
pub mod verify;
