//! What a release gives, and what it does not: each reason is its holder's signed word.

use std::path::Path;

use super::{Frames, Looked};
use crate::cli::Failure;
use crate::disclosure::{Refused, Released, SignedRelease};

/// Checks and shows the payloads of a file that is a release, whose head was verified; of a case file nothing.
pub(super) fn show(file: &Path, looked: &Looked) -> Result<(), Failure> {
    let coded = |refused: Refused| Failure::coded(2, &refused);
    let mut frames = Frames::open(file)?;
    frames.expect()?;
    let Some(Ok(head)) = frames.next()?.map(|frame| SignedRelease::decode(&frame)) else { return Ok(()) };
    let docket = &looked.bundle.docket.docket;
    let keys = looked.charter.signing_keys(&docket.member, head.release.time);
    let (mut given, mut withheld) = (0_u64, 0_u64);
    while let Some(frame) = frames.next()? {
        let released = Released::decode(&frame).map_err(coded)?;
        released.check(docket, head.release.view, &keys).map_err(coded)?;
        if let Released::Withheld { id, why, .. } = released {
            withheld += 1;
            say!("  {}", Refused::NotReleased(id, why));
        } else {
            given += 1;
        }
    }
    say!("payloads: {given} given, {withheld} not, of {}", docket.items);
    Ok(())
}
