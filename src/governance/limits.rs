/// Most members of a directory.
pub const MAX_MEMBERS: usize = 5_000;
/// Most governors of a policy.
pub const MAX_GOVERNORS: usize = 64;
/// Most scopes of a policy.
pub const MAX_SCOPES: usize = 256;
/// Most committees of a policy, those of earlier epochs included.
pub const MAX_COMMITTEES: usize = 64;
/// Most officers of a committee.
pub const MAX_OFFICERS: usize = 32;
/// Most entries of one list: addresses of a member, regions of a class, members or contracts of a scope.
pub const MAX_LIST: usize = 256;
/// Longest legal name, legal id or network name, in bytes.
pub const MAX_NAME: usize = 200;
/// Highest version.
pub const MAX_VERSION: u64 = 1_000_000_000;
/// How far a document may be issued ahead of a node's clock, in seconds.
pub const CLOCK_SKEW: i64 = 600;
/// Directories in which one member loses a key or an address, at most: they are kept for ever.
pub const MAX_CHANGES: u32 = 4_096;
