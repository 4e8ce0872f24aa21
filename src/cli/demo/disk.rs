//! What lies on a member's disk: the plaintext (nowhere) and the ciphertext (found by its id, which is its SHA3-512).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use data_encoding::{BASE64, HEXLOWER};

use crate::crypto::hash::payload_id;
use crate::crypto::nacl::MAC;
use crate::types::PayloadId;

/// A spot in a file.
pub(super) struct Spot {
    pub(super) file: PathBuf,
    pub(super) offset: usize,
    bytes: Vec<u8>,
}

/// All files of a member, read at one moment.
pub(super) struct Disk {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Disk {
    /// Reads every file below `folder`.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut disk = Self { files: Vec::new() };
        disk.add(folder, folder)?;
        Ok(disk)
    }

    fn add(&mut self, root: &Path, folder: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.add(root, &entry.path())?;
            } else if kind.is_file() {
                // A file that the store has just dropped is no finding.
                let Ok(bytes) = fs::read(entry.path()) else { continue };
                self.files.push((entry.path().strip_prefix(root)?.to_owned(), bytes));
            }
        }
        Ok(())
    }

    /// Files and bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.files.len(), self.files.iter().map(|(_, bytes)| bytes.len()).sum())
    }

    /// Where `plaintext` lies, as it is, in base64 or in hex.
    pub(super) fn find_plaintext(&self, plaintext: &[u8]) -> Option<Spot> {
        // Base64 of the middle is another text at each of three alignments.
        let aligned = (0..3).map(|skip| {
            let whole = (plaintext.len() - skip) / 3 * 3;
            BASE64.encode(&plaintext[skip..skip + whole]).into_bytes()
        });
        let forms: Vec<Vec<u8>> = aligned.chain([plaintext.to_vec(), HEXLOWER.encode(plaintext).into_bytes()]).collect();
        self.files.iter().find_map(|(file, bytes)| {
            forms.iter().find_map(|form| Some(spot(file, bytes, bytes.windows(form.len()).position(|w| w == form)?, form.len())))
        })
    }

    /// Where the ciphertext of `id` lies, if it does: the run of bytes whose SHA3-512 is the id.
    pub(super) fn find_ciphertext(&self, id: &PayloadId, plaintext_len: usize) -> Option<Spot> {
        let len = plaintext_len + MAC;
        self.files.iter().find_map(|(file, bytes)| {
            let offset = bytes.windows(len).position(|window| looks_random(window) && payload_id(window) == *id)?;
            Some(spot(file, bytes, offset, len))
        })
    }
}

/// A cheap test before the hash: ciphertext has no run of zeros.
fn looks_random(window: &[u8]) -> bool {
    window.first_chunk::<4>() != Some(&[0; 4])
}

fn spot(file: &Path, bytes: &[u8], offset: usize, len: usize) -> Spot {
    Spot { file: file.to_owned(), offset, bytes: bytes[offset..offset + len].to_vec() }
}

impl Spot {
    /// `offset  hex  |text|`, sixteen bytes a line.
    pub(super) fn dump(&self) -> String {
        let mut out = String::new();
        for (n, line) in self.bytes.chunks(16).enumerate() {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let text: String = line.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
            let _ = writeln!(out, "     {:08x}  {:47}  |{text}|", self.offset + n * 16, hex.join(" "));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAINTEXT: &[u8] = b"the price is 1,250,000 euros";

    fn disk(content: &[u8]) -> Disk {
        Disk { files: vec![("log".into(), content.to_vec())] }
    }

    #[test]
    fn plaintext_is_found_in_every_form() {
        let text = format!("x{}", BASE64.encode(PLAINTEXT));
        for shift in 0..3 {
            let mut padded = vec![b'-'; shift];
            padded.extend_from_slice(PLAINTEXT);
            assert!(disk(BASE64.encode(&padded).as_bytes()).find_plaintext(PLAINTEXT).is_some(), "base64 shifted by {shift}");
        }
        assert!(disk(text.as_bytes()).find_plaintext(PLAINTEXT).is_some());
        assert!(disk(HEXLOWER.encode(PLAINTEXT).as_bytes()).find_plaintext(PLAINTEXT).is_some());
        assert_eq!(disk(&[b"ab", PLAINTEXT].concat()).find_plaintext(PLAINTEXT).unwrap().offset, 2);
        assert!(disk(b"the price is secret").find_plaintext(PLAINTEXT).is_none());
    }

    #[test]
    fn ciphertext_is_found_by_its_id() {
        let ciphertext = [7; 20 + MAC];
        let spot = disk(&[&[1, 2, 3], ciphertext.as_slice()].concat()).find_ciphertext(&payload_id(&ciphertext), 20).unwrap();
        assert_eq!((spot.offset, spot.bytes.len()), (3, 36));
        assert!(spot.dump().starts_with("     00000003  07 07"), "{}", spot.dump());
        assert!(disk(&ciphertext).find_ciphertext(&payload_id(b"other"), 20).is_none());
    }
}
