//! What is known of payloads and documents, and what people may ask of it: tags, the blind index of subjects, retention, exports
//! (`docs/rights.md`).

mod index;
mod resolve;
mod retention;
mod tags;
#[cfg(test)]
mod tests;
mod unindex;

pub(crate) use index::Index;
pub(crate) use tags::Declared;
