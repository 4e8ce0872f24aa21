use std::fs;
use std::io;
use std::path::Path;

use crate::translog::note::MAX_NOTE;
use crate::translog::tile::Tile;
use crate::translog::verify::{Files, Wrong};

/// Longest tile, bundle or record that is read.
const MAX_FILE: u64 = 64 << 20;

/// A copied log.
pub(super) struct Folder<'a> {
    path: &'a Path,
}

impl<'a> Folder<'a> {
    pub(super) const fn new(path: &'a Path) -> Self {
        Self { path }
    }
}

impl Files for Folder<'_> {
    fn file(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, String> {
        let path = self.path.join(tile.to_string());
        match bounded(&path, MAX_FILE) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(&path, &error)),
        }
    }

    fn partials(&mut self, tile: Tile) -> Result<Vec<u16>, String> {
        let path = self.path.join(tile.partials());
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| told(&path, &error))?,
        };
        let mut widths = Vec::new();
        for entry in entries {
            let name = entry.map_err(|error| told(&path, &error))?.file_name();
            let partial: Option<Tile> = format!("{}/{}", tile.partials(), name.display()).parse().ok();
            widths.extend(partial.map(|partial| partial.width));
        }
        widths.sort_unstable();
        Ok(widths)
    }
}

/// A checkpoint or proof.
pub(super) fn read(path: &Path) -> Result<String, Wrong> {
    let unreadable = |error: &io::Error| Wrong::Unreadable(told(path, error));
    let bytes = bounded(path, MAX_NOTE as u64).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|error| unreadable(&io::Error::new(io::ErrorKind::InvalidData, error.utf8_error())))
}

/// A record.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, Wrong> {
    bounded(path, MAX_FILE).map_err(|error| Wrong::Unreadable(told(path, &error)))
}

/// Threat: a file of a copied log that is larger than memory.
fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {most} bytes")));
    }
    fs::read(path)
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
