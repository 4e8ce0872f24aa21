//! Large ciphertexts arrive in parts, and go on where they broke off, over restarts of either side.
//!
//! Threat: a member fills the disk with parts of payloads that it never delivers, or with files of a byte each. So its unfinished uploads are
//! bounded in number and in blocks of the disk, and what has not moved for an hour is removed. What lies here is ciphertext without a key.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;

use crate::types::MemberId;
use crate::wire::native::{Part, UploadId};

/// Bytes of unfinished uploads of one member, in whole blocks.
const MAX_BYTES: u64 = 256 << 20;
/// Unfinished uploads of one member.
const MAX_FILES: usize = 256;
/// What a file takes at least, and grows by.
const BLOCK: u64 = 4_096;
/// Least part, but for the last: each costs a look at the folder.
const MIN_PART: u64 = 64 << 10;
/// How long an upload may stand still.
const LIFETIME: Duration = Duration::from_hours(1);

/// A folder of unfinished uploads. All methods block.
pub(crate) struct Uploads {
    folder: PathBuf,
    max_total: u64,
}

impl Uploads {
    /// Uses a folder, made when it is needed. `max_total` bounds one upload.
    pub(crate) fn new(folder: PathBuf, max_total: u64) -> Self {
        Self { folder, max_total }
    }

    /// Takes a part if it is the next one; where the next one begins. An upload that cannot be: `None`.
    pub(crate) fn take(&self, from: &MemberId, part: &Part) -> io::Result<Option<u64>> {
        let len = part.bytes.len() as u64;
        if part.total > self.max_total || part.offset.checked_add(len).is_none_or(|end| end > part.total) {
            return Ok(None);
        }
        let path = self.path(from, part.upload);
        let there = fs::metadata(&path).map_or(0, |file| file.len());
        if part.offset != there || len == 0 {
            return Ok(Some(there));
        }
        if len < MIN_PART && there + len != part.total {
            return Ok(None);
        }
        if there == 0 {
            fs::create_dir_all(&self.folder)?;
            self.sweep();
        }
        let (files, bytes) = self.held_of(from);
        if (there == 0 && files >= MAX_FILES) || bytes + len.next_multiple_of(BLOCK) > MAX_BYTES {
            return Ok(None);
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(&part.bytes)?;
        Ok(Some(there + len))
    }

    /// The whole of an upload, which is then gone; `None` if it is not there.
    pub(crate) fn finish(&self, from: &MemberId, upload: UploadId) -> io::Result<Option<Bytes>> {
        let path = self.path(from, upload);
        match fs::read(&path) {
            Ok(bytes) => {
                fs::remove_file(&path)?;
                Ok(Some(bytes.into()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn path(&self, from: &MemberId, UploadId(id): UploadId) -> PathBuf {
        self.folder.join(format!("{from}.{}", HEXLOWER.encode(&id)))
    }

    /// Unfinished uploads of a member, and their bytes in whole blocks.
    fn held_of(&self, from: &MemberId) -> (usize, u64) {
        let prefix = format!("{from}.");
        let theirs = self.files().filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)));
        theirs.fold((0, 0), |(files, bytes), path| (files + 1, bytes + size(&path).max(1).next_multiple_of(BLOCK)))
    }

    /// Removes what stands still. Best effort: what cannot be removed is tried again.
    fn sweep(&self) {
        for path in self.files() {
            let modified = fs::metadata(&path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            if modified.elapsed().is_ok_and(|age| age > LIFETIME) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path())
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_in_order_and_bounds_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let max = 3 * MIN_PART;
        let uploads = Uploads::new(folder.path().join("uploads"), max);
        let (a, b): (MemberId, MemberId) = ("a".parse().expect("a name"), "a-b".parse().expect("a name"));
        let part = |offset, total, bytes: &[u8]| Part { upload: UploadId([1; 16]), offset, total, bytes: bytes.to_vec().into() };
        let (first, total) = (vec![7; 64 << 10], MIN_PART + 3);
        assert_eq!(uploads.take(&a, &part(0, total, &first)).expect("taken"), Some(MIN_PART));
        assert_eq!(uploads.take(&a, &part(0, total, &first)).expect("taken"), Some(MIN_PART), "said twice");
        assert_eq!(uploads.take(&b, &part(MIN_PART, total, b"def")).expect("taken"), Some(0), "another member's");
        // A restart later it goes on.
        let uploads = Uploads::new(folder.path().join("uploads"), max);
        assert_eq!(uploads.take(&a, &part(0, total, b"")).expect("asked"), Some(MIN_PART));
        assert_eq!(uploads.take(&a, &part(MIN_PART, total, b"defg")).expect("too long"), None);
        assert_eq!(uploads.take(&a, &part(MIN_PART, total, b"de")).expect("too small a part"), None);
        assert_eq!(uploads.take(&a, &part(MIN_PART, total, b"def")).expect("taken"), Some(total));
        assert_eq!(uploads.finish(&b, UploadId([1; 16])).expect("read"), None);
        assert_eq!(uploads.finish(&a, UploadId([1; 16])).expect("read").as_deref(), Some(&[&first[..], b"def"].concat()[..]));
        assert_eq!(uploads.finish(&a, UploadId([1; 16])).expect("read"), None);
        assert_eq!(uploads.take(&a, &part(0, max + 1, b"x")).expect("refused"), None);
        assert_eq!(uploads.take(&a, &part(u64::MAX, 5, b"x")).expect("refused"), None);
    }

    /// Many small files cost the disk a block each, and every look at the folder.
    #[test]
    fn a_member_has_few_uploads_and_others_have_theirs() {
        let folder = tempfile::tempdir().expect("a folder");
        let uploads = Uploads::new(folder.path().join("uploads"), 100);
        let (a, b): (MemberId, MemberId) = ("a".parse().expect("a name"), "b".parse().expect("a name"));
        let tiny = |number: u16| {
            let mut upload = [0; 16];
            upload[..2].copy_from_slice(&number.to_be_bytes());
            Part { upload: UploadId(upload), offset: 0, total: 1, bytes: vec![1].into() }
        };
        let taken = (0..600).filter(|number| uploads.take(&a, &tiny(*number)).expect("answered").is_some()).count();
        assert_eq!((taken, uploads.held_of(&a)), (MAX_FILES, (MAX_FILES, MAX_FILES as u64 * BLOCK)));
        assert_eq!(uploads.take(&b, &tiny(1)).expect("answered"), Some(1));
    }
}
