//! Who is where: keys, the peers that hold them, what those peers speak. In memory; learned anew at each start.

pub mod gossip;
mod live;
mod table;

pub use live::{Keeper, LiveCharter, TakeError};
pub use table::{Directory, Member, Trust};
