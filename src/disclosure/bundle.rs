//! The head of a case file: everything short that officers and auditors need, with the network's documents from its beginning on, so that
//! whoever has the network's id needs nothing else. The list follows it, a frame for each item.

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::request::MAX_AHEAD;
use super::{
    CheckedView, Epochs, Item, Refused, SignedDocket, SignedRelease, SignedRequest, SignedVerdict, Tally, View, case_digest,
    committee_at, on_all_cores, tally,
};
use crate::crypto::sign::VerifyKey;
use crate::governance::Charter;
use crate::types::NetworkId;

const FORMAT: &str = "celosia-disclosure-case-2";
/// Without changes of directories among its documents.
const FORMER: &str = "celosia-disclosure-case-1";
const FORM: &str = "case file";

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    format: String,
    request: String,
    docket: String,
    verdicts: Vec<String>,
    view: Option<View>,
    documents: Vec<String>,
}

/// The head of a case file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bundle {
    /// What was asked.
    pub request: SignedRequest,
    /// What it resolved to.
    pub docket: SignedDocket,
    /// What officers said.
    pub verdicts: Vec<SignedVerdict>,
    /// That the view is on record.
    pub view: Option<View>,
    /// [`Charter::documents`]: the first of the network first.
    pub documents: Vec<String>,
}

impl Bundle {
    /// Reads one.
    pub fn read(text: &str) -> Result<Self, Refused> {
        let wrong = |why: String| Refused::Form(FORM, why);
        let written: Written = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if ![FORMAT, FORMER].contains(&written.format.as_str()) {
            return Err(wrong("its format is another".into()));
        }
        let bytes = |text: &String| crate::types::base64(text.as_bytes()).map_err(|error| wrong(error.to_string()));
        let verdict = |text: &String| SignedVerdict::decode(&bytes(text)?);
        Ok(Self {
            request: SignedRequest::decode(&bytes(&written.request)?)?,
            docket: SignedDocket::decode(&bytes(&written.docket)?)?,
            verdicts: written.verdicts.iter().map(verdict).collect::<Result<_, _>>()?,
            view: written.view,
            documents: written.documents,
        })
    }

    /// One line of JSON.
    pub fn write(&self) -> String {
        let written = Written {
            format: FORMAT.to_owned(),
            request: BASE64.encode(&self.request.encode()),
            docket: BASE64.encode(&self.docket.encode()),
            verdicts: self.verdicts.iter().map(|verdict| BASE64.encode(&verdict.encode())).collect(),
            view: self.view.clone(),
            documents: self.documents.clone(),
        };
        // Strings always serialise.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// The charter of its documents: a chain from the network's beginning, whose digest is the network's id.
    ///
    /// Threat: a committee that was made up for this case. `network` is what the reader knows from elsewhere.
    pub fn charter(&self, network: &NetworkId, now: Timestamp) -> Result<Charter, Refused> {
        let charter = Charter::of_documents(&self.documents, now).map_err(|error| Refused::Charter(error.to_string()))?;
        if charter.network() == *network { Ok(charter) } else { Err(Refused::Network("case file")) }
    }

    /// Checks request and docket, as of now (milliseconds since the Unix epoch). Answers the holder's newest key.
    fn check_head(&self, charter: &Charter, now: u64) -> Result<VerifyKey, Refused> {
        let (request, docket) = (self.request.verify(&charter.network())?, &self.docket.docket);
        self.request.check_itself(charter)?;
        if request.grant != docket.grant {
            return Err(Refused::OtherCase("docket"));
        }
        let member = &docket.member;
        let key = charter.members().by_id(member).and_then(|member| member.signing_key);
        let key = key.ok_or_else(|| Refused::Charter(format!("its directory has no signing key of {member}")))?;
        self.docket.verify_by(&self.request, charter)?;
        request.is_of_its_time(docket.time)?;
        if docket.time > now.saturating_add(MAX_AHEAD) {
            Err(Refused::Window("its docket is of a time to come"))
        } else {
            Ok(key)
        }
    }

    /// Checks request, docket and list, as of now (milliseconds since the Unix epoch). Answers under which keys the list is.
    pub fn check_list(&self, charter: &Charter, items: &[Item], now: u64) -> Result<Epochs, Refused> {
        self.check_bare_list(charter, items, now)?;
        self.docket.check_items(&self.request, items, |epoch| Ok(committee_at(charter, epoch, now)?.key))
    }

    /// The same without the capsules' proofs: for an officer's shares and for the auditor, who each check every capsule once more.
    pub fn check_bare_list(&self, charter: &Charter, items: &[Item], now: u64) -> Result<Epochs, Refused> {
        self.check_head(charter, now)?;
        self.docket.is_of(&on_all_cores(items, Item::leaf))?;
        self.docket.check_labels(&self.request, items)
    }

    /// Counts its verdicts as of a time, milliseconds since the Unix epoch.
    pub fn tally(&self, charter: &Charter, time: u64) -> Result<Tally, Refused> {
        let docket = &self.docket.docket;
        tally(charter, &self.request.request, &docket.epochs, &case_digest(docket), &self.verdicts, time)
    }

    /// That the view is on record, and that the approvals it names were enough when it was recorded: of every committee whose key the docket
    /// names.
    pub fn check_view(&self, charter: &Charter) -> Result<(CheckedView, Tally), Refused> {
        let view = self.view.as_ref().ok_or_else(|| Refused::NoView("there is no record of it".into()))?;
        let checked = view.check(charter, &self.docket.docket, &self.verdicts)?;
        // Threat: a holder counts on, and shows more views than were granted.
        if checked.view == 0 || checked.view > self.request.request.views {
            return Err(Refused::Views);
        }
        let tally = self.tally(charter, checked.at)?;
        tally.is_enough()?;
        self.request.request.is_open(checked.at)?;
        Ok((checked, tally))
    }

    /// That a release is the holder's, of this case, and of the view that is on record and was approved. `now` in milliseconds since the Unix
    /// epoch.
    ///
    /// Threat: a holder hands data out on nobody's approval, and has a file that verifies.
    pub fn check_release(&self, charter: &Charter, release: &SignedRelease, now: u64) -> Result<(CheckedView, Tally), Refused> {
        let key = self.check_head(charter, now)?;
        release.verify(&self.docket.docket, &key)?;
        let (view, tally) = self.check_view(charter)?;
        if release.release.view == view.view {
            Ok((view, tally))
        } else {
            Err(Refused::NoView("the record is of another view".into()))
        }
    }
}
