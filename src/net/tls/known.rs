//! The file of known peers, in Tessera's form: one `<subject CN> <hex fingerprint>` a line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::live::Stamp;
use super::{Fingerprint, TlsError};

/// Peers that first use may add. Threat: a stranger presents a new name in each handshake and fills the disk.
const MAX_LEARNED: usize = 10_000;

/// What the file says of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It is written down.
    Known,
    /// Its name is written down with other fingerprints.
    Another,
    /// Its name is not written down.
    New,
}

/// A file of known peers, read anew whenever it has changed.
#[derive(Debug)]
pub(super) struct KnownPeers {
    path: PathBuf,
    read: Mutex<(Stamp, Vec<(String, Fingerprint)>)>,
}

impl KnownPeers {
    /// Reads the file. A missing one is empty if peers may be learned, an error otherwise.
    pub(super) fn open(path: &Path, may_learn: bool) -> Result<Self, TlsError> {
        let failed = |source| TlsError::File { path: path.to_owned(), source };
        if may_learn {
            OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        }
        let stamp = Stamp::of([path]);
        let entries = parse(path, &fs::read_to_string(path).map_err(failed)?)?;
        Ok(Self { path: path.to_owned(), read: Mutex::new((stamp, entries)) })
    }

    /// Looks a certificate up.
    pub(super) fn standing(&self, name: &str, der: &[u8]) -> Standing {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut read);
        standing(&read.1, name, der)
    }

    /// Looks a certificate up, and writes it down if its name is new. The entry is on the disk when this returns.
    pub(super) fn learn(&self, name: &str, der: &[u8]) -> io::Result<Standing> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&mut read);
        let standing = standing(&read.1, name, der);
        if standing != Standing::New {
            return Ok(standing);
        }
        if read.1.len() >= MAX_LEARNED {
            return Err(io::Error::other("the file of known peers is full"));
        }
        let fingerprint = Fingerprint::sha1(der);
        append(&self.path, &format!("{name} {fingerprint}\n"))?;
        tracing::info!(peer = name, %fingerprint, file = %self.path.display(), "a certificate is trusted from its first use on");
        self.refresh(&mut read);
        Ok(Standing::Known)
    }

    /// A file that has become unreadable does not change what we know.
    fn refresh(&self, read: &mut (Stamp, Vec<(String, Fingerprint)>)) {
        let stamp = Stamp::of([self.path.as_path()]);
        if stamp == read.0 {
            return;
        }
        let text = fs::read_to_string(&self.path).map_err(|source| TlsError::File { path: self.path.clone(), source });
        match text.and_then(|text| parse(&self.path, &text)) {
            Ok(entries) => *read = (stamp, entries),
            Err(error) => {
                tracing::error!(%error, "the file of known peers was not reloaded; the former entries stay");
                read.0 = stamp;
            }
        }
    }
}

/// Entries with SHA-256 outrank those with SHA-1: an operator wrote them on purpose.
fn standing(entries: &[(String, Fingerprint)], name: &str, der: &[u8]) -> Standing {
    let of_name: Vec<_> = entries.iter().filter(|(known, _)| known == name).map(|(_, fingerprint)| fingerprint).collect();
    if of_name.is_empty() {
        return Standing::New;
    }
    let strong = |fingerprint: &&&Fingerprint| matches!(fingerprint, Fingerprint::Sha256(_));
    let strongest = of_name.iter().any(|fingerprint| strong(&fingerprint));
    let matches =
        of_name.iter().filter(|fingerprint| !strongest || strong(fingerprint)).any(|fingerprint| fingerprint.is_of(der));
    if matches { Standing::Known } else { Standing::Another }
}

/// A common name may hold spaces, so the fingerprint is what follows the last one.
fn parse(path: &Path, text: &str) -> Result<Vec<(String, Fingerprint)>, TlsError> {
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let entry = line.rsplit_once(' ').and_then(|(name, hex)| Some((name.trim().to_owned(), hex.parse().ok()?)));
            entry.ok_or_else(|| TlsError::KnownLine { path: path.to_owned(), line: index + 1 })
        })
        .collect()
}

/// Adds a line in one write, on a line of its own even if an editor left the file without a final newline.
fn append(path: &Path, line: &str) -> io::Result<()> {
    let whole = fs::read(path)?.last().is_none_or(|byte| *byte == b'\n');
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    file.write_all(format!("{}{line}", if whole { "" } else { "\n" }).as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tesseras_lines_are_read_and_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        fs::write(&path, format!("# ours\nnode 1 {}", Fingerprint::sha1(b"one"))).unwrap();
        let known = KnownPeers::open(&path, true).unwrap();
        assert_eq!(known.standing("node 1", b"one"), Standing::Known);
        assert_eq!(known.standing("node 1", b"two"), Standing::Another);
        assert_eq!(known.standing("node", b"one"), Standing::New);
        assert_eq!(known.learn("two", b"two").unwrap(), Standing::Known);
        assert_eq!(known.learn("two", b"other").unwrap(), Standing::Another);
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.ends_with(&format!("\ntwo {}\n", Fingerprint::sha1(b"two"))), "{written}");
    }

    #[test]
    fn a_stronger_entry_outranks_a_weaker_one() {
        let entries = [("n".to_owned(), Fingerprint::sha1(b"weak")), ("n".to_owned(), Fingerprint::sha256(b"strong"))];
        assert_eq!(standing(&entries, "n", b"strong"), Standing::Known);
        assert_eq!(standing(&entries, "n", b"weak"), Standing::Another);
        assert_eq!(standing(&entries[..1], "n", b"weak"), Standing::Known);
    }

    #[test]
    fn an_edit_is_seen_and_a_broken_one_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        let line = |der: &[u8]| format!("n {}\n", Fingerprint::sha1(der));
        fs::write(&path, line(b"one")).unwrap();
        let known = KnownPeers::open(&path, false).unwrap();
        fs::write(&path, line(b"one") + &line(b"two")).unwrap();
        assert_eq!(known.standing("n", b"two"), Standing::Known);
        fs::write(&path, "nonsense").unwrap();
        assert_eq!(known.standing("n", b"two"), Standing::Known);
        fs::write(&path, "").unwrap();
        assert_eq!(known.standing("n", b"two"), Standing::New);
    }

    #[test]
    fn a_broken_or_missing_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        assert!(matches!(KnownPeers::open(&path, false), Err(TlsError::File { .. })));
        fs::write(&path, "\nn 1234\n").unwrap();
        assert!(matches!(KnownPeers::open(&path, true), Err(TlsError::KnownLine { line: 2, .. })));
    }
}
