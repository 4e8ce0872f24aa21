//! The folder of sealed chunks, and who is at work on which document.
//!
//! Threat: a member, or an application, fills the disk, and payloads find no room. So documents have a quota of their own, and a part of
//! the disk that they never take.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use tokio::sync::{Mutex as AsyncMutex, Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::DocumentError;
use super::keeper::Attempts;
use crate::services::Error;
use crate::translog::hash::{self, Hash};
use crate::types::DocumentId;

/// Room on the disk that is left for everything else.
const SPARE: u64 = 256 << 20;
/// Chunks after which a file is synced: so many may have to be verified again after a power cut.
pub(super) const SYNC_EVERY: u64 = 16;
/// Deliveries under way at once.
const DELIVERIES: usize = 4;

/// What documents may take up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DocumentLimits {
    /// Bytes of one document.
    pub size: u64,
    /// Bytes of all documents' files.
    pub total: u64,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self { size: 5 << 30, total: 1 << 40 }
    }
}

/// Documents in figures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct DocumentFigures {
    /// Complete documents.
    pub documents: u64,
    /// Bytes of all files, unfinished ones too.
    pub bytes: u64,
    /// Deliveries that are still to be made.
    pub pending: u64,
}

/// Documents of this node as files, and the locks on them. Methods named `*_now` block.
pub(crate) struct Shelf {
    folder: PathBuf,
    pub(super) limits: DocumentLimits,
    latches: Mutex<HashMap<DocumentId, Arc<Latch>>>,
    pub(super) attempts: Attempts,
    pub(super) places: Arc<Semaphore>,
    /// There is something to deliver.
    pub(super) news: Notify,
    pub(super) documents: AtomicU64,
    bytes: AtomicU64,
    pub(super) pending: AtomicU64,
}

/// Who is at work on one document.
#[derive(Default)]
pub(super) struct Latch {
    /// Whoever adds chunks: how many are known to be good, once that was looked at.
    pub(super) writer: Arc<AsyncMutex<Option<u64>>>,
    /// Whoever changes its row.
    pub(super) row: AsyncMutex<()>,
    /// It is being erased: who adds to it or delivers it stops.
    pub(super) erased: CancellationToken,
}

/// The name of a document's file.
pub(super) type FileName = [u8; 16];

impl Shelf {
    /// Uses a folder, made when it is needed.
    pub(crate) fn new(folder: PathBuf, limits: DocumentLimits) -> Arc<Self> {
        Arc::new(Self {
            folder,
            limits,
            latches: Mutex::default(),
            attempts: Attempts::default(),
            places: Arc::new(Semaphore::new(DELIVERIES)),
            news: Notify::new(),
            documents: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            pending: AtomicU64::new(0),
        })
    }

    /// The figures.
    pub(crate) fn figures(&self) -> DocumentFigures {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        DocumentFigures { documents: read(&self.documents), bytes: read(&self.bytes), pending: read(&self.pending) }
    }

    /// The latch of a document. Those that nobody holds are let go of.
    pub(super) fn latch(&self, id: &DocumentId) -> Arc<Latch> {
        let mut latches = self.latches.lock().unwrap_or_else(PoisonError::into_inner);
        if latches.len() > 1_024 {
            latches.retain(|_, latch| Arc::strong_count(latch) > 1);
        }
        Arc::clone(latches.entry(*id).or_default())
    }

    /// Lets go of a latch: what comes under the id again begins anew.
    pub(super) fn let_go(&self, id: &DocumentId) {
        self.latches.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// One complete document less.
    pub(super) fn gone(&self) {
        let _ = self.documents.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(1)));
    }

    /// Runs work on files where it may block.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shelf = Arc::clone(self);
        let joined = tokio::task::spawn_blocking(move || work(&shelf)).await;
        joined.unwrap_or_else(|_| Err(Error::Disk("the work was cut off".to_owned())))
    }

    fn path(&self, file: &FileName) -> PathBuf {
        self.folder.join(HEXLOWER.encode(file))
    }

    fn tail_path(&self, file: &FileName) -> PathBuf {
        self.folder.join(format!("{}.tail", HEXLOWER.encode(file)))
    }

    /// Whether so many bytes more may be written.
    pub(super) fn has_room_now(&self, more: u64) -> Result<(), Error> {
        let used = self.bytes.load(Ordering::Relaxed);
        if used.saturating_add(more) > self.limits.total {
            return Err(DocumentError::Full("the quota of this node's documents is used up").into());
        }
        self.make_folder_now()?;
        let disk = rustix::fs::statvfs(&self.folder).map_err(|error| named(&error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < more.saturating_add(SPARE) {
            return Err(DocumentError::Full("the disk is nearly full").into());
        }
        Ok(())
    }

    fn make_folder_now(&self) -> Result<(), Error> {
        if self.folder.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(|error| named(&error))
    }

    /// Writes bytes at an offset of a file, which is made if it is not there. Not synced.
    pub(super) fn write_now(&self, file: &FileName, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.has_room_now(bytes.len() as u64)?;
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.path(file));
        let written = opened.and_then(|file| file.write_all_at(bytes, offset));
        written.map_err(|error| named(&error))?;
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Bytes of a file at an offset.
    pub(super) fn read_now(&self, file: &FileName, offset: u64, len: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; len];
        let read = File::open(self.path(file)).and_then(|file| file.read_exact_at(&mut bytes, offset));
        read.map(|()| bytes).map_err(|error| named(&error))
    }

    /// Bytes of a file; 0 if it is not there.
    pub(super) fn len_now(&self, file: &FileName) -> u64 {
        fs::metadata(self.path(file)).map_or(0, |file| file.len())
    }

    /// Makes what was written durable.
    pub(super) fn sync_now(&self, file: &FileName) -> Result<(), Error> {
        let synced = File::open(self.path(file)).and_then(|file| file.sync_all());
        let synced = synced.and_then(|()| File::open(&self.folder).and_then(|folder| folder.sync_all()));
        synced.map_err(|error| named(&error))
    }

    /// Cuts a file off.
    pub(super) fn truncate_now(&self, file: &FileName, len: u64) -> Result<(), Error> {
        let before = self.len_now(file);
        if before <= len {
            return Ok(());
        }
        let cut = OpenOptions::new().write(true).open(self.path(file)).and_then(|file| file.set_len(len));
        cut.map_err(|error| named(&error))?;
        self.forget_bytes(before - len);
        Ok(())
    }

    /// Removes a file and its tail; those that are not there are removed already.
    pub(super) fn remove_now(&self, file: &FileName) -> Result<(), Error> {
        let len = self.len_now(file);
        for path in [self.path(file), self.tail_path(file)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&error)),
                _ => {}
            }
        }
        self.forget_bytes(len);
        File::open(&self.folder).and_then(|folder| folder.sync_all()).or_else(absent).map_err(|error| named(&error))
    }

    fn forget_bytes(&self, gone: u64) {
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| Some(bytes.saturating_sub(gone)));
    }

    /// The sealed bytes behind the last whole chunk of an upload.
    pub(super) fn tail_now(&self, file: &FileName) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.tail_path(file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(named(&error)),
        }
    }

    /// Replaces them durably; `None` removes them.
    pub(super) fn put_tail_now(&self, file: &FileName, sealed: Option<&[u8]>) -> Result<(), Error> {
        let Some(sealed) = sealed else {
            return fs::remove_file(self.tail_path(file)).or_else(absent).map_err(|error| named(&error));
        };
        self.has_room_now(sealed.len() as u64)?;
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut temporary| {
            io::Write::write_all(&mut temporary, sealed)?;
            temporary.as_file().sync_all()?;
            temporary.persist(self.tail_path(file)).map_err(|error| error.error)?;
            File::open(&self.folder)?.sync_all()
        });
        written.map_err(|error| named(&error))
    }

    /// The root of the Merkle tree (RFC 9162) over the sealed chunks of a file. Memory: 32 bytes a chunk.
    pub(super) fn root_now(&self, file: &FileName, layout: crate::seal::document::Layout) -> Result<Hash, Error> {
        let mut leaves = Vec::with_capacity(usize::try_from(layout.chunks()).unwrap_or_default());
        for index in 0..layout.chunks() {
            let len = layout.plain_len(index) + crate::seal::document::OVERHEAD;
            leaves.push(hash::leaf(&self.read_now(file, crate::seal::document::offset(index), len)?));
        }
        Ok(hash::fold(&leaves))
    }

    /// Removes files that no document has, and counts the bytes of the others.
    pub(super) fn sweep_now(&self, known: &std::collections::BTreeSet<String>) {
        let mut bytes = 0;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if known.contains(name.trim_end_matches(".tail")) {
                bytes += entry.metadata().map_or(0, |file| file.len());
            } else if let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(%error, "a file of no document cannot be removed");
            }
        }
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// When a file or its tail was last written, milliseconds since the Unix epoch; 0 if there is none.
    pub(super) fn moved_now(&self, file: &FileName) -> u64 {
        let at = |path: PathBuf| {
            let modified = fs::metadata(path).and_then(|file| file.modified()).ok()?;
            let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
            u64::try_from(since.as_millis()).ok()
        };
        at(self.path(file)).max(at(self.tail_path(file))).unwrap_or_default()
    }
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A full disk is named as such.
fn named(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DocumentError::Full("the disk is full").into(),
        _ => Error::Disk(error.to_string()),
    }
}
