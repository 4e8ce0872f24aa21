//! Words of erasure (GDPR art. 17), blocking and the rights of people: scopes, tags, levels. What is done with them is a service.

mod level;
mod scope;
mod tags;

pub use level::Level;
pub use scope::Scope;
pub use tags::{Basis, Tags};
