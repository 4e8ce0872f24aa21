//! The charter of a network: its directory of members and its policy, signed by k of n governors (`docs/governance.md`). Pure rules, no files, no clock.
