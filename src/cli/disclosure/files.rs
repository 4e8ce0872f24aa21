//! Files of disclosures: short documents in a line of JSON, lists as sequences of frames.

use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;

use anyhow::Context as _;
use data_encoding::BASE64;

use crate::cli::Failure;
use crate::cli::admin::Door;
use crate::cli::http::block_on;
use crate::disclosure::{Frame, Refused, frame_head, from_json, to_json};

/// Longest short document.
const MAX_TEXT: u64 = 4 << 20;

/// The whole of a file.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| file.display().to_string())
}

/// The first bytes of a file.
pub(super) fn read_some(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let open = File::open(file).with_context(|| file.display().to_string())?;
    open.take(16).read_to_end(&mut bytes).with_context(|| file.display().to_string())?;
    Ok(bytes)
}

/// The documents of a file of a format.
pub(in crate::cli) fn carried(file: &Path, format: &'static str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut text = String::new();
    let open = File::open(file).with_context(|| file.display().to_string())?;
    open.take(MAX_TEXT).read_to_string(&mut text).with_context(|| file.display().to_string())?;
    from_json(format, &text).map_err(|refused| Failure::coded(2, &refused))
}

/// The one document of a file.
pub(in crate::cli) fn document(file: &Path, format: &'static str) -> Result<Vec<u8>, Failure> {
    let mut all = carried(file, format)?;
    match (all.pop(), all.is_empty()) {
        (Some(document), true) => Ok(document),
        _ => Err(Failure::coded(2, &Refused::Form(format, "it holds not one document".into()))),
    }
}

/// Writes a document to a file.
pub(in crate::cli) fn write_carried(file: &Path, format: &str, document: Vec<u8>) -> anyhow::Result<()> {
    std::fs::write(file, to_json(format, &[document])).with_context(|| file.display().to_string())?;
    eprintln!("{}", file.display());
    Ok(())
}

/// Fetches a sequence into a file, with a signed document where one is asked for. What breaks off leaves no file.
pub(in crate::cli) fn fetch(door: &Door, path: &str, document: Option<&[u8]>, out: &Path) -> anyhow::Result<()> {
    let body = document.map(|document| serde_json::json!({ "document": BASE64.encode(document) }));
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
    block_on(door.download(path, body.as_ref(), &mut |piece| Ok(file.write_all(piece)?)))?;
    file.persist(out).with_context(|| out.display().to_string())?;
    eprintln!("{}", out.display());
    Ok(())
}

/// Reads a sequence, one frame after the other.
pub(in crate::cli) struct Frames<R>(R);

impl Frames<BufReader<File>> {
    /// Of a file.
    pub(in crate::cli) fn open(file: &Path) -> anyhow::Result<Self> {
        let open = File::open(file).with_context(|| file.display().to_string())?;
        Ok(Self(BufReader::with_capacity(1 << 20, open)))
    }
}

impl<R: Read> Frames<R> {
    /// Of bytes.
    pub(in crate::cli) const fn of(reader: R) -> Self {
        Self(reader)
    }

    /// The next frame; nothing at the end. One that breaks off is an error, not an end.
    pub(in crate::cli) fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut start = Vec::with_capacity(5);
        loop {
            if let Frame::Of { content, .. } = frame_head(&start).map_err(|refused| Failure::coded(2, &refused))? {
                return self.content(content).map(Some);
            }
            let mut byte = [0];
            match self.0.read(&mut byte).context("a sequence")? {
                0 if start.is_empty() => return Ok(None),
                0 => return Err(broken()),
                _ => start.push(byte[0]),
            }
        }
    }

    /// A frame that must be there.
    pub(in crate::cli) fn expect(&mut self) -> Result<Vec<u8>, Failure> {
        self.next()?.ok_or_else(broken)
    }

    /// Reads as much as there is: a length is no reason to allocate.
    fn content(&mut self, length: usize) -> Result<Vec<u8>, Failure> {
        let mut content = Vec::with_capacity(length.min(1 << 20));
        self.0.by_ref().take(length as u64).read_to_end(&mut content).context("a sequence")?;
        if content.len() == length { Ok(content) } else { Err(broken()) }
    }
}

fn broken() -> Failure {
    Failure::coded(2, &Refused::Form("sequence", "it breaks off".into()))
}
