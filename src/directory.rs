//! Who is where: keys, the peers that hold them, what those peers speak, learned anew at each start; and the [`CharterFolder`], where a
//! network's signed documents lie.

mod charter;
pub mod gossip;
mod live;
mod table;

pub use charter::{CharterFolder, FolderError, Kept};
pub use live::LiveCharter;
pub use table::{Directory, Member, Trust};
