//! What a request says, read by pure functions: paths, queries, headers, base64 words. Total on any input.

mod error;
mod headers;
mod media;
mod path;
mod tags;
mod words;

pub use error::RequestError;
pub use headers::{class, keys, single_key};
pub use media::{MediaType, accepted, is_octets, sent};
pub use path::{Asked, Operation, Query, Target, To, item, query, target};
pub use tags::declared;
pub use words::{affected, bytes, group, payload, recipient, sender};
