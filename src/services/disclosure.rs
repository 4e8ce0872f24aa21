//! Disclosure to auditors: a request resolved, told, approved, recorded, released (`docs/disclosure.md`). The node relays and holds; it never
//! sees what officers and auditor make of it.

mod approve;
mod ask;
mod copied;
mod error;
mod gates;
mod notices;
mod release;
mod resolve;
mod rows;
mod shares;
mod show;
mod told;
mod view;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Error, Node};
use crate::types::Coded as _;

pub use error::DisclosureError;
pub use release::ReleaseStream;
pub use shares::SharesStream;

/// How often ends of grants and notices that are due are looked for.
const TURN: Duration = Duration::from_secs(1);

/// What disclosures need in memory.
#[derive(Default)]
pub(crate) struct Disclosures {
    /// The rows of a grant are changed by one at a time, for the time of a write.
    gates: gates::Gates,
    /// A grant has one view on its way into the log at a time.
    takings: gates::Gates,
    /// Notices of other members are counted one after the other.
    notices: Mutex<()>,
}

impl Node {
    /// Ends grants whose time has come and tells members what is due, until it is dropped.
    pub async fn keep_disclosures(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TURN).await;
            if self.governed.is_none() {
                continue;
            }
            if let Err(error) = self.expire_disclosures().await {
                tracing::warn!(code = %error.code(), "the ends of grants are not looked for: tried again");
            }
            if let Err(error) = self.tell_due().await {
                tracing::warn!(code = %error.code(), "notices of disclosures wait: tried again");
            }
        }
    }

    /// What must be so before anything of a disclosure is done here.
    fn discloses(&self) -> Result<&Arc<super::Governed>, Error> {
        let governed = self.needs_governance()?;
        governed.may_serve()?;
        Ok(governed)
    }
}
