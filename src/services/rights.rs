//! What is known of payloads and documents, and what people may ask of it: tags, the blind index of subjects, retention, exports
//! (`docs/rights.md`).

mod breach;
mod export;
mod index;
mod rebuild;
mod resolve;
mod retention;
mod ropa;
mod tags;
#[cfg(test)]
pub(in crate::services) mod tests;
mod unindex;

pub use breach::{Loss, Radius};
pub use export::SubjectExport;
pub(crate) use index::Index;
pub(crate) use tags::{Declared, TAGS};
