//! Records of processing activities (GDPR art. 30): what is kept here, why, for how long, and who receives it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::export::moment;
use super::resolve::Facts;
use crate::erasure::Basis;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::shred::RootKind;
use crate::store::Kind;
use crate::types::{Address, Class, ItemId};

/// One activity: a class and a purpose.
#[derive(Default)]
struct Activity {
    bases: BTreeSet<Basis>,
    items: u64,
    documents: u64,
    sent: u64,
    celosia_1: u64,
    time: Option<(u64, u64)>,
    until: Option<(u64, u64)>,
    for_ever: u64,
    recipients: BTreeMap<Address, u64>,
}

/// The earliest and the latest.
fn wider(range: Option<(u64, u64)>, at: u64) -> (u64, u64) {
    range.map_or((at, at), |(first, last)| (first.min(at), last.max(at)))
}

impl Node {
    /// The record as of now: from the payloads' and documents' own heads and tags, the directory and the policy. Without a word of any subject.
    pub async fn records_of_processing(&self) -> Result<Value, Error> {
        let root = self.root_status().await?.kind;
        let (mut activities, mut after) = (BTreeMap::new(), None);
        while let Some((page, last)) = self.page_of_payloads(after).await? {
            for known in page {
                self.count(&mut activities, &Facts::of(Kind::Payload, known));
            }
            after = Some(last);
        }
        let mut after = None;
        while let Some((page, last)) = self.page_of_documents(after).await? {
            page.iter().filter(|facts| facts.is_whole).for_each(|facts| self.count(&mut activities, facts));
            after = Some(last);
        }
        let activities =
            activities.iter().map(|((class, purpose), activity)| self.activity(*class, purpose.as_deref(), activity));
        let activities: Vec<Value> = activities.collect();
        Ok(json!({
            "format": "celosia-ropa-1",
            "made": moment(now()),
            "controller": self.controller(),
            "activities": activities,
            "safeguards": self.safeguards(root),
        }))
    }

    fn count(&self, activities: &mut BTreeMap<(u8, Option<String>), Activity>, facts: &Facts) {
        let key = (facts.class.number(), facts.tags.purpose.clone());
        let activity = activities.entry(key).or_default();
        activity.bases.extend(facts.tags.basis);
        activity.items += 1;
        activity.documents += u64::from(matches!(facts.item, ItemId::Document(_)));
        activity.sent += u64::from(self.directory.is_own(&facts.sender));
        activity.celosia_1 += u64::from(facts.is_native);
        activity.time = Some(wider(activity.time, facts.time));
        match self.due_at(facts.time, facts.class, &facts.tags) {
            Some(until) => activity.until = Some(wider(activity.until, until)),
            None => activity.for_ever += 1,
        }
        for key in facts.recipients.iter().filter(|key| !self.directory.is_own(key)) {
            *activity.recipients.entry(*key).or_default() += 1;
        }
    }

    fn activity(&self, class: u8, purpose: Option<&str>, activity: &Activity) -> Value {
        let class = Class::from_number(class).unwrap_or_default();
        let range =
            |range: Option<(u64, u64)>| range.map(|(first, last)| json!({ "first": moment(first), "last": moment(last) }));
        let recipients = activity.recipients.iter().map(|(key, items)| {
            let mut party = self.party(key);
            party["items"] = (*items).into();
            party
        });
        json!({
            "class": class,
            "purpose": purpose,
            "bases": activity.bases,
            "items": activity.items,
            "documents": activity.documents,
            "sent": activity.sent,
            "received": activity.items - activity.sent,
            "stored": range(activity.time),
            "recipients": recipients.collect::<Vec<_>>(),
            "retention": {
                "policy": self.governed.as_ref().and_then(|governed| governed.charter().policy().rule(class).retention),
                "ends": range(activity.until),
                "items-without-end": activity.for_ever,
            },
            "suites": { "celosia-1": activity.celosia_1, "nacl": activity.items - activity.celosia_1 },
        })
    }

    /// What protects the data, class by class as the policy has it.
    fn safeguards(&self, root: RootKind) -> Value {
        let at_rest = json!({
            "encryption": "one data key for each item, sealed under a leaf of a puncturable key tree",
            "erasure": "the leaf is punctured; older copies die with the root key",
            "root-key": root.name(),
            "subjects": "an index of keyed tokens whose keys are replaced with every erasure",
        });
        let Some(governed) = &self.governed else { return json!({ "at-rest": at_rest, "classes": Value::Null }) };
        let charter = governed.charter();
        let rules = Class::ALL.into_iter().map(|class| {
            let rule = charter.policy().rule(class);
            let regions = match &rule.regions {
                crate::governance::Regions::Any => json!(["*"]),
                crate::governance::Regions::Only(regions) => regions.iter().map(crate::governance::Region::as_str).collect(),
            };
            let rule = json!({
                "may-go-to-tessera": rule.tessera, "regions": regions, "padding": rule.padding, "each-read-is-journalled": rule.log_reads,
            });
            (class.name().to_owned(), rule)
        });
        let rules: serde_json::Map<String, Value> = rules.collect();
        json!({ "at-rest": at_rest, "policy": charter.policy_version(), "classes": rules })
    }
}
