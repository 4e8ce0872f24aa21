//! What `celosia verify` checks.
