//! A case file, read and checked: what an officer's client does before anything is signed, and what anybody does afterwards.

use std::path::Path;

use jiff::Timestamp;

use super::Frames;
use crate::cli::Failure;
use crate::disclosure::{Bundle, Epochs, Found, Item, Refused, Request, SignedRelease, moment};
use crate::governance::Charter;
use crate::types::NetworkId;

/// What is checked of a list.
type Check = fn(&Bundle, &Charter, &[Item], u64) -> Result<Epochs, Refused>;

/// A case file whose request, docket and list hold.
pub(in crate::cli) struct Looked {
    pub(in crate::cli) bundle: Bundle,
    pub(in crate::cli) charter: Charter,
    pub(in crate::cli) items: Vec<Item>,
    pub(in crate::cli) epochs: Epochs,
    /// The head of a release, where the file is one: its items are payloads, and only counted.
    release: Option<SignedRelease>,
}

impl Looked {
    /// Reads a file and checks it against the network that is known.
    pub(in crate::cli) fn open(file: &Path, network: &NetworkId) -> Result<Self, Failure> {
        Self::open_with(file, network, Bundle::check_list)
    }

    /// The same without the capsules' proofs: each capsule is checked before anything is done with it.
    pub(in crate::cli) fn open_bare(file: &Path, network: &NetworkId) -> Result<Self, Failure> {
        Self::open_with(file, network, Bundle::check_bare_list)
    }

    fn open_with(file: &Path, network: &NetworkId, check: Check) -> Result<Self, Failure> {
        let coded = |refused: Refused| Failure::coded(2, &refused);
        let mut frames = Frames::open(file)?;
        let text =
            String::from_utf8(frames.expect()?).map_err(|_| coded(Refused::Form("case file", "its head is no text".into())))?;
        let bundle = Bundle::read(&text).map_err(coded)?;
        let charter = bundle.charter(network, Timestamp::now()).map_err(coded)?;
        let (mut items, mut release, mut is_first) = (Vec::new(), None, true);
        while let Some(frame) = frames.next()? {
            if std::mem::take(&mut is_first)
                && let Ok(head) = SignedRelease::decode(&frame)
            {
                release = Some(head);
                break;
            }
            items.push(Item::decode(&frame).map_err(coded)?);
        }
        let mut looked = Self { bundle, charter, items, epochs: Epochs::new(), release };
        if looked.release.is_none() {
            looked.epochs = check(&looked.bundle, &looked.charter, &looked.items, now()).map_err(coded)?;
        }
        Ok(looked)
    }

    /// What the file proves, in words. So many witnesses must have cosigned the log that the view is in.
    pub(in crate::cli) fn verify_and_show(&self, witnesses: usize) -> Result<(), Failure> {
        let coded = |refused: Refused| Failure::coded(2, &refused);
        let (request, docket) = (&self.bundle.request.request, &self.bundle.docket.docket);
        if let Some(release) = &self.release {
            // Nothing is called good before the approvals are counted.
            self.bundle.check_release(&self.charter, release, now()).map_err(coded)?;
            say!("good: release of view {} by {}", release.release.view, docket.member);
        } else {
            say!("good: request, docket and list hold");
        }
        show_request(request);
        say!("holder: {} ({})", docket.member, self.legal_name(&docket.member));
        self.show_items();
        match self.bundle.check_view(&self.charter) {
            Ok((view, tally)) => {
                for officer in &tally.approvals {
                    say!("approved: {} ({}), {}: {}", officer.name, officer.entity, moment(officer.time), officer.text);
                }
                say!("on record: view {}, {}, entry {} of {} in {}", view.view, moment(view.at), view.index, view.size, view.log);
                say!("witnesses: {}", view.witnesses_named());
                view.is_witnessed(witnesses).map_err(coded)?;
            }
            Err(Refused::NoView(why)) if self.bundle.view.is_none() => {
                let tally = self.bundle.tally(&self.charter, now()).map_err(coded)?;
                for officer in tally.approvals.iter().chain(&tally.refusals) {
                    say!("verdict: {} ({}), {}: {}", officer.name, officer.entity, moment(officer.time), officer.text);
                }
                say!("NOT seen: {why}");
            }
            Err(refused) => return Err(coded(refused)),
        }
        Ok(())
    }

    fn show_items(&self) {
        let count = |is: fn(&Found) -> bool| self.items.iter().filter(|item| is(&item.found)).count();
        if self.release.is_none() {
            say!(
                "items: {}: {} in escrow, {} erased, {} held, {} without escrow, {} not here",
                self.items.len(),
                count(|found| matches!(found, Found::Escrowed { .. })),
                count(|found| matches!(found, Found::Erased(_))),
                count(|found| matches!(found, Found::Held(_))),
                count(|found| matches!(found, Found::NoEscrow)),
                count(|found| matches!(found, Found::Absent)),
            );
        }
        for item in self.items.iter().filter(|item| !matches!(item.found, Found::Escrowed { .. })) {
            if let Some(why) = item.why_not() {
                say!("  {why}");
            }
        }
    }

    fn legal_name(&self, member: &crate::types::MemberId) -> String {
        self.charter.members().by_id(member).map_or_else(String::new, |member| member.legal_name.clone())
    }
}

/// Who asks, what for, until when.
pub(in crate::cli) fn show_request(request: &Request) {
    say!("grant: {}", request.grant);
    say!("asked by: {}, {}, {}", request.name, request.entity, moment(request.time));
    say!("mandate: {}", request.mandate);
    say!("purpose: {}", request.purpose);
    say!("basis: {}", request.basis);
    say!("scope: {}", request.scope);
    say!("window: {} to {}, {} view(s)", moment(request.from), moment(request.until), request.views);
    if let Some(secrecy) = &request.secrecy {
        say!("SECRET until {}: {}", moment(secrecy.until), secrecy.reference);
    }
    if let Some(renewed) = &request.renews {
        say!("renews: {renewed}");
    }
}

/// This machine's clock, milliseconds since the Unix epoch.
pub(in crate::cli) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}
