//! Who is where: keys, the peers that hold them, what those peers speak. In memory; learned anew at each start.
//! In a governed network the charter says it: [`CharterFolder`] keeps its documents.

mod charter;
mod table;

pub use charter::{CharterFolder, FolderError, Kept};
pub use table::{Directory, Member, Trust};
