//! Opening on all cores: frames are read one after the other, opened side by side, and written in their order.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::folder::{CASE, Keys, Known, OUT, RELEASE, SHARES, Unlock};
use super::sheets::Sheets;
use crate::cli::Failure;
use crate::cli::disclosure::{Frames, Looked};
use crate::crypto::secret::Secret;
use crate::disclosure::{
    Bundle, CheckedView, Item, Opened, Opener, Refused, Released, Report, Row, SignedRelease, SignedShares, Tally, on_all_cores,
};
use crate::types::Coded as _;

/// Payloads opened in one go for each core, and bytes of them at most.
const TOGETHER: usize = 64;
const MOST_BYTES: usize = 64 << 20;

/// What was collected, its head checked: request, docket, list, approvals, and the record of this view.
pub(in crate::cli) struct Package {
    pub(in crate::cli) looked: Looked,
    pub(in crate::cli) view: CheckedView,
    pub(in crate::cli) tally: Tally,
    private: Secret<32>,
    frames: Frames<std::io::BufReader<fs::File>>,
    shares: PathBuf,
}

impl Package {
    /// Reads the files of a folder.
    pub(in crate::cli) fn open(unlock: &Unlock) -> Result<Self, Failure> {
        let coded = |refused: Refused| Failure::coded(2, &refused);
        let folder = &unlock.folder;
        let Keys { private, .. } = unlock.keys()?;
        let asked = Known::request(folder)?;
        let mut looked = Looked::open_bare(&folder.join(CASE), &asked.request.network)?;
        // Threat: an answer to another question than the one that was asked.
        if looked.bundle.request != asked {
            return Err(coded(Refused::OtherCase("case file")));
        }
        let mut frames = Frames::open(&folder.join(RELEASE))?;
        let text = String::from_utf8(frames.expect()?).unwrap_or_default();
        // The release has the record of its own view.
        let bundle = Bundle::read(&text).map_err(coded)?;
        if (&bundle.request, &bundle.docket) != (&looked.bundle.request, &looked.bundle.docket) {
            return Err(coded(Refused::OtherCase("release")));
        }
        let release = SignedRelease::decode(&frames.expect()?).map_err(coded)?;
        looked.bundle = bundle;
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        let (view, tally) = looked.bundle.check_release(&looked.charter, &release, now).map_err(coded)?;
        Ok(Self { looked, view, tally, private, frames, shares: folder.join(SHARES) })
    }

    /// Opens and verifies every payload, and gives each to `take` in the order of the list.
    pub(in crate::cli) fn each(&mut self, take: &mut Take<'_>) -> Result<(), Failure> {
        let looked = &self.looked;
        let (request, docket) = (&looked.bundle.request, &looked.bundle.docket);
        let opener = Opener::new(&looked.charter, request, docket, self.view.view, self.private.duplicate());
        let mut opener = opener.map_err(|refused| Failure::coded(2, &refused))?;
        add_shares(&mut opener, &self.shares)?;
        open_all(&opener, &looked.items, &mut self.frames, take)
    }
}

pub(super) fn run(unlock: &Unlock, writes: bool) -> Result<(), Failure> {
    let mut package = Package::open(unlock)?;
    let (charter, bundle) = (package.looked.charter.clone(), package.looked.bundle.clone());
    let docket = &bundle.docket.docket;
    let report = Report::new(&charter, &bundle.request, docket, &package.tally.approvals, &package.view);
    let out = writes.then(|| unlock.folder.join(OUT));
    let mut sheets = Sheets::begin(report, out.as_deref(), package.looked.items.len())?;
    package.each(&mut |item, _, opened| {
        let row = match opened {
            Ok(opened) => {
                let (file, sha256) = sheets.write(&opened)?;
                Row::opened(charter.members(), &opened, file, sha256)
            }
            Err(refused) => Row::not_opened(item.id, &refused),
        };
        sheets.add(row)
    })?;
    sheets.finish()
}

/// Takes every officer's shares. What does not hold is told and left out: enough others may be there.
fn add_shares(opener: &mut Opener<'_>, file: &Path) -> Result<(), Failure> {
    let mut files = Frames::open(file)?;
    while let Some(shares) = files.next()? {
        let mut parts = Frames::of(shares.as_slice());
        let head = parts.expect()?;
        let mut chunks = Vec::new();
        while let Some(chunk) = parts.next()? {
            chunks.push(chunk);
        }
        let taken = SignedShares::decode(&head).and_then(|signed| opener.add(&signed, &chunks));
        if let Err(refused) = taken {
            eprintln!("warning: {refused} [{}]", refused.code());
        }
    }
    Ok(())
}

/// Takes an item of the list, its frame of the release if there is one, and what came of it.
pub(in crate::cli) type Take<'a> = dyn FnMut(&Item, Option<&[u8]>, Result<Opened, Refused>) -> anyhow::Result<()> + 'a;

fn open_all(
    opener: &Opener<'_>,
    items: &[Item],
    frames: &mut Frames<std::io::BufReader<fs::File>>,
    take: &mut Take<'_>,
) -> Result<(), Failure> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut rest = items;
    while !rest.is_empty() {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < rest.len() && batch.len() < TOGETHER * cores && bytes < MOST_BYTES {
            // A release that breaks off: what is missing is not released.
            let Some(frame) = frames.next()? else { break };
            bytes += frame.len();
            batch.push(frame);
        }
        let count = if batch.is_empty() { rest.len() } else { batch.len() };
        let (now, later) = rest.split_at(count);
        let opened = if batch.is_empty() {
            now.iter().map(|item| Err(Refused::NotReleased(item.id, "the release breaks off before it".into()))).collect()
        } else {
            let pairs: Vec<_> = now.iter().zip(&batch).collect();
            on_all_cores(&pairs, |(item, frame)| Released::decode(frame).and_then(|released| opener.open(item, &released)))
        };
        for (at, (item, opened)) in now.iter().zip(opened).enumerate() {
            take(item, batch.get(at).map(Vec::as_slice), opened)?;
        }
        rest = later;
    }
    Ok(())
}
