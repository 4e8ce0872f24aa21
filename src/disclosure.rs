//! Disclosure to an auditor who has no node (`docs/disclosure.md`): the documents that pass between auditor, node and officers, and what each
//! of them checks. Pure rules: no files, no clock, no network.
//!
//! | part | who makes it | what |
//! |---|---|---|
//! | [`Request`] | auditor | who wants to see what, why, until when |
//! | [`Docket`], [`Item`] | a member's node | what the request resolves to there: a list, and its root |
//! | [`Verdict`] | officer | approval or refusal of that docket, and of nothing else |
//! | [`Tally`] | anybody | whether k officers of k entities approved, none of them the requester's |
//! | [`View`] | node's journal | that the view is on record, before anything is released |
//! | [`Shares`] | officer | partial decryptions, sealed to the auditor |
//! | [`Taking`] | auditor | that it takes shares or release now, nobody else |
//! | [`Release`], [`Released`] | a member's node | sigma sealed to the auditor, ciphertext |
//! | [`Provenance`] | a member's node | header and acknowledgements, sealed to the auditor |
//! | [`Opener`] | auditor | puts it together, checks everything, decrypts |
//! | [`Report`] | auditor | what was seen, as JSON and as a page |
//! | [`Bundle`] | a member's node | all of it in one file, with the network's documents |
//! | [`Notice`] | a member's node | tells a member what of its own was asked for, and who approved |

mod bundle;
mod cores;
mod docket;
mod error;
mod file;
mod grant;
mod item;
mod life;
mod notice;
mod open;
mod page;
mod provenance;
mod release;
mod report;
mod request;
mod revocation;
mod scope;
mod shares;
mod taking;
mod verdict;
mod view;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use bundle::Bundle;
pub use cores::on_all_cores;
pub use docket::{Docket, Epochs, SignedDocket, case_digest};
pub use error::Refused;
pub use file::{Frame, frame, from_json, head as frame_head, to_json};
pub use grant::{Approver, Tally, committee_at, tally};
pub use item::{Found, Item, root};
pub use life::{Life, State, Step};
pub use notice::{Notice, SignedNotice, Stage, Told};
pub use open::{Keys, Opened, Opener};
pub use page::{html_of, page, page_of_rows};
pub use provenance::Provenance;
pub use release::{Release, Released, SignedRelease, sigma_info};
pub use report::{PageOf, Party, Report, Row};
pub use request::{GrantId, MAX_VIEWS, MAX_WINDOW, Request, Secrecy, SignedRequest, moment};
pub use revocation::{Revocation, SignedRevocation};
pub use scope::{By, MAX_NAMED, Scope};
pub use shares::{Shares, SignedShares, make_shares, open_shares};
pub use taking::{Part, SignedTaking, Taking};
pub use verdict::{SignedVerdict, Verdict};
pub use view::{CheckedView, Details as ViewDetails, RECORD_KIND, View};
