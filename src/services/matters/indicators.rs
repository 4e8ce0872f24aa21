//! Audit indicators: what an auditor counts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::erasure::HoldState;
use crate::matter::{MatterKind, MatterState};
use crate::services::records::now;
use crate::services::{Error, Node};

const PAGE: usize = 1_000;

/// Counts of this node, at a time.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Indicators {
    /// When, milliseconds since the Unix epoch.
    pub at: u64,
    /// How often each code was violated, in matters that are kept.
    pub violations: BTreeMap<String, u64>,
    /// Matters by kind and state.
    pub cases: BTreeMap<MatterKind, BTreeMap<MatterState, u64>>,
    /// Notices that nobody acknowledged.
    pub notices_waiting: u64,
    /// Notices whose time is over.
    pub notices_overdue: u64,
    /// Erasures by state; 0 without governance.
    pub erasures: u64,
    /// Of those, erasures whose answer is overdue (GDPR art. 12(3)).
    pub erasures_overdue: u64,
    /// Holds that stand.
    pub holds_active: u64,
    /// Orders to stop that stand.
    pub stops_active: u64,
    /// Disclosures that were asked for here, by purpose; those whose rows do not read are left out.
    pub disclosures: BTreeMap<String, u64>,
    /// Sends that the policy refused since the start.
    pub policy_refused: u64,
    /// Payloads from peers that were refused or passed over since the start.
    pub deliveries_refused: u64,
}

impl Node {
    /// Counts. Goes through all matters, erasures and holds.
    pub async fn indicators(&self) -> Result<Indicators, Error> {
        let now = now();
        let mut counted = Indicators { at: now, ..Indicators::default() };
        for matter in self.all_matters().await? {
            if let Some(code) = &matter.code {
                *counted.violations.entry(code.clone()).or_default() += matter.times;
            }
            *counted.cases.entry(matter.kind).or_default().entry(matter.state).or_default() += 1;
            counted.notices_waiting += u64::from(matter.notice.is_open());
            counted.notices_overdue += u64::from(matter.notice.is_overdue(now));
        }
        let mut after = None;
        loop {
            let page = self.erasures(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            counted.erasures += page.len() as u64;
            counted.erasures_overdue += page.iter().filter(|case| case.is_overdue(now)).count() as u64;
        }
        let mut after = None;
        loop {
            let page = self.holds_after(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            counted.holds_active += page.iter().filter(|hold| hold.state == HoldState::Active).count() as u64;
        }
        counted.stops_active = self.active_stops();
        counted.disclosures = self.disclosures_by_purpose().await?;
        counted.policy_refused = self.counters.policy_refused.value();
        counted.deliveries_refused = self.counters.push_refused.value();
        Ok(counted)
    }
}
