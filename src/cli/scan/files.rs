use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{SeekFrom, seek};

use super::report::{Found, Report};
use crate::scan::{Encoding, Hit, Matcher, Stream, What};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;
/// Folders in folders: deeper is named as not looked at.
const DEEP: usize = 200;

/// Device and number: one file, however it is named.
pub(super) type Inode = (u64, u64);

/// A walk through files and folders.
pub(super) struct Search<'a> {
    matcher: &'a Matcher,
    own: Vec<Inode>,
    report: &'a mut Report,
    block: Vec<u8>,
}

impl<'a> Search<'a> {
    /// `own`: files that hold what is searched for because they must.
    pub(super) fn new(matcher: &'a Matcher, own: Vec<Inode>, report: &'a mut Report) -> Self {
        Self { matcher, own, report, block: vec![0; BLOCK] }
    }

    /// Searches what was named. If it is a link, what it leads to: otherwise a data folder behind a link would pass for clean.
    pub(super) fn path(&mut self, path: &Path) {
        match fs::metadata(path) {
            Ok(meta) if meta.file_type().is_block_device() => self.file(path, &meta),
            Ok(meta) => self.entry(path, &meta, 0),
            Err(error) => self.missed(path, &error),
        }
    }

    fn entry(&mut self, path: &Path, meta: &Metadata, depth: usize) {
        let kind = meta.file_type();
        if kind.is_dir() {
            self.folder(path, depth);
        } else if kind.is_file() {
            self.file(path, meta);
        } else {
            // Links, sockets, pipes, devices: they hold no bytes of their own.
            self.report.passed_over += 1;
        }
    }

    fn folder(&mut self, path: &Path, depth: usize) {
        if depth == DEEP {
            self.missed(path, &io::Error::other("too deep"));
            return;
        }
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.missed(path, &error),
        };
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.path(), fs::symlink_metadata(entry.path())?)));
            match found {
                Ok((path, meta)) => self.entry(&path, &meta, depth + 1),
                // Files of a running node come and go.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => self.missed(path, &error),
            }
        }
    }

    fn file(&mut self, path: &Path, meta: &Metadata) {
        if self.own.contains(&(meta.dev(), meta.ino())) {
            self.report.passed_over += 1;
            return;
        }
        let mut hits = BTreeMap::<(What, Encoding), (u64, u64)>::new();
        let mut see = |Hit { offset, what, encoding }| {
            hits.entry((what, encoding)).or_insert((offset, 0)).1 += 1;
        };
        let outcome = File::open(path).and_then(|file| {
            let mut stream = self.matcher.stream();
            let read = read_all(&file, &mut self.block, &mut stream, &mut see);
            stream.finish(&mut see);
            read
        });
        let file = path.display().to_string();
        let found = hits.into_iter().map(|((what, encoding), (offset, count))| {
            let file = file.clone();
            Found { file, offset, what, encoding, count }
        });
        self.report.found.extend(found);
        match outcome {
            Ok(bytes) => {
                self.report.files += 1;
                self.report.bytes += bytes;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.missed(path, &error),
        }
    }

    fn missed(&mut self, path: &Path, error: &io::Error) {
        self.report.unreadable.push((path.display().to_string(), error.to_string()));
    }
}

/// Shows a file's data to the stream, its holes as holes. Bytes of data.
fn read_all(file: &File, block: &mut [u8], stream: &mut Stream<'_>, see: &mut dyn FnMut(Hit)) -> io::Result<u64> {
    let (mut at, mut bytes) = (0, 0);
    loop {
        let end = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => {
                stream.skip(data - at, see);
                at = data;
                seek(file, SeekFrom::Hole(at)).unwrap_or(u64::MAX)
            }
            // Behind the last data.
            Err(rustix::io::Errno::NXIO) => return Ok(bytes),
            // A file system or device that knows no holes.
            Err(_) => u64::MAX,
        };
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(block.len());
            let count = match file.read_at(&mut block[..most], at) {
                Ok(0) => return Ok(bytes),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            stream.push(&block[..count], see);
            at += count as u64;
            bytes += count as u64;
        }
    }
}
