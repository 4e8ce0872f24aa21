use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::{TlsError, TlsSettings, generate};

/// What files looked like when they were read: equal stamps, equal contents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stamp(Vec<Option<(u64, u64, i64, i64)>>);

impl Stamp {
    pub(super) fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let look =
            |path: &Path| fs::metadata(path).ok().map(|there| (there.ino(), there.size(), there.mtime(), there.mtime_nsec()));
        Self(paths.into_iter().map(look).collect())
    }
}

/// A configuration that follows its files.
#[derive(Debug)]
pub(super) struct Live<C> {
    settings: TlsSettings,
    build: fn(&TlsSettings) -> Result<C, TlsError>,
    current: ArcSwap<C>,
    seen: Mutex<Stamp>,
}

impl<C> Live<C> {
    pub(super) fn load(settings: TlsSettings, build: fn(&TlsSettings) -> Result<C, TlsError>) -> Result<Self, TlsError> {
        settings.identity.iter().try_for_each(generate::if_configured)?;
        // Taken before the files are read: a change while we read is seen next time.
        let seen = Mutex::new(stamp(&settings));
        let current = ArcSwap::from_pointee(build(&settings)?);
        Ok(Self { settings, build, current, seen })
    }

    pub(super) fn current(&self) -> Arc<C> {
        self.current.load_full()
    }

    /// True if the files changed and could be used. A failure is reported once for each change.
    pub(super) fn refresh(&self) -> Result<bool, TlsError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.settings);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        self.current.store(Arc::new((self.build)(&self.settings)?));
        Ok(true)
    }
}

/// The file of known peers is not among them: it follows itself.
fn stamp(settings: &TlsSettings) -> Stamp {
    let own = settings.identity.iter().flat_map(|identity| [identity.certificate.as_path(), identity.key.as_path()]);
    Stamp::of(own.chain(settings.roots.iter().map(std::path::PathBuf::as_path)))
}
