use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use data_encoding::BASE64;
use hyper::{Method, StatusCode};

use super::{At, Door, PIECE, good, path};
use crate::net::client::Answer;
use crate::types::{Address, Class, DocumentId};

/// Failures in a row without a byte that arrived.
const PATIENT: u32 = 8;

/// Arguments of `celosia doc put`.
#[derive(clap::Args, Debug)]
pub(super) struct Put {
    #[command(flatten)]
    at: At,
    /// The file; `-` for standard input.
    file: PathBuf,
    /// A recipient's public key; may be repeated.
    #[arg(long, value_name = "KEY")]
    to: Vec<Address>,
    /// Whose key puts it; the node's default key if absent.
    #[arg(long, value_name = "KEY")]
    from: Option<Address>,
    /// What it holds: public, business, personal or special.
    #[arg(long, default_value = "personal")]
    class: Class,
    /// Wait until every recipient has it.
    #[arg(long)]
    now: bool,
    /// A name for people; default: the file's.
    #[arg(long)]
    name: Option<String>,
    /// Media type of the content, such as application/pdf.
    #[arg(long, value_name = "TYPE")]
    media: Option<String>,
    /// Go on with an upload that broke off.
    #[arg(long, value_name = "ID", value_parser = DocumentId::from_words)]
    resume: Option<DocumentId>,
}

/// Where bytes come from.
enum Source {
    File(File),
    Input(io::Stdin),
}

impl Put {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let door = self.at.door()?;
        let (mut source, length) = self.open()?;
        let (id, mut offset) = match &self.resume {
            Some(id) => (*id, self.offset(&door, id).await?),
            None => (self.begin(&door, length).await?, 0),
        };
        eprintln!("upload {}", id.to_hex());
        if length != Some(offset) || offset == 0 {
            offset = self.send(&door, &id, &mut source, length, offset).await?;
        }
        say!("id      {id}");
        say!("bytes32 {}", id.to_hex());
        eprintln!("{offset} bytes");
        Ok(())
    }

    fn open(&self) -> anyhow::Result<(Source, Option<u64>)> {
        if self.file == Path::new("-") {
            if self.resume.is_some() {
                bail!("standard input cannot go on where it broke off: name a file");
            }
            return Ok((Source::Input(io::stdin()), None));
        }
        let named = || self.file.display().to_string();
        let file = File::open(&self.file).with_context(named)?;
        let length = file.metadata().with_context(named)?.len();
        Ok((Source::File(file), Some(length)))
    }

    async fn begin(&self, door: &Door, length: Option<u64>) -> anyhow::Result<DocumentId> {
        let to = self.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let (from, class) = (self.from.map(|key| key.to_string()), self.class.to_string());
        let own = self.file.file_name().filter(|_| self.file != Path::new("-")).map(|name| name.to_string_lossy().into_owned());
        let mut metadata = Vec::new();
        for (key, value) in [("filename", self.name.clone().or(own)), ("filetype", self.media.clone())] {
            metadata.extend(value.map(|value| format!("{key} {}", BASE64.encode(value.as_bytes()))));
        }
        let (metadata, size) = (metadata.join(","), length.map(|length| length.to_string()));
        let mut headers = vec![("tus-resumable", "1.0.0"), ("celosia-class", class.as_str())];
        headers.push(("celosia-deliver", if self.now { "now" } else { "eventual" }));
        headers.push(size.as_deref().map_or(("upload-defer-length", "1"), |size| ("upload-length", size)));
        headers.extend(from.as_deref().map(|from| ("celosia-from", from)));
        headers.extend((!to.is_empty()).then_some(("celosia-to", to.as_str())));
        headers.extend((!metadata.is_empty()).then_some(("upload-metadata", metadata.as_str())));
        let answer = good(door.request(Method::POST, "/documents", &headers, Bytes::new()).await?)?;
        let place = answer.headers.get("location").and_then(|place| place.to_str().ok());
        let id = place.and_then(|place| place.rsplit('/').next()).and_then(|id| DocumentId::from_words(id).ok());
        id.context("the answer names no document")
    }

    /// How far the upload is.
    async fn offset(&self, door: &Door, id: &DocumentId) -> anyhow::Result<u64> {
        for _ in 0..PATIENT {
            match door.request(Method::HEAD, &path(id), &[("tus-resumable", "1.0.0")], Bytes::new()).await {
                Ok(answer) if is_passing(answer.status) => {}
                Ok(answer) => return number(&good(answer)?),
                Err(error) => eprintln!("{error:#}; trying again"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        bail!("the node does not say how far the upload is; go on later with --resume {}", id.to_hex())
    }

    /// Sends pieces from `offset` on, each again from where the node has it, until all are there.
    async fn send(
        &self,
        door: &Door,
        id: &DocumentId,
        source: &mut Source,
        length: Option<u64>,
        mut offset: u64,
    ) -> anyhow::Result<u64> {
        let mut failures = 0;
        if let Source::File(file) = source {
            file.seek(SeekFrom::Start(offset))?;
        }
        loop {
            let piece = read(source)?;
            let (begin, is_last) = (offset, piece.len() < PIECE);
            let end = begin + piece.len() as u64;
            loop {
                let from = usize::try_from(offset - begin)?;
                let (at, total) = (offset.to_string(), end.to_string());
                let mut headers = vec![
                    ("tus-resumable", "1.0.0"),
                    ("content-type", "application/offset+octet-stream"),
                    ("upload-offset", &*at),
                ];
                headers.extend((length.is_none() && is_last).then_some(("upload-length", &*total)));
                let answer = door.request(Method::PATCH, &path(id), &headers, piece.slice(from..)).await;
                let reached = match answer {
                    Ok(answer) if is_passing(answer.status) => None,
                    Ok(answer) => Some(number(&good(answer)?)?),
                    Err(error) => {
                        eprintln!("{error:#}; going on");
                        None
                    }
                };
                let reached = match reached {
                    Some(reached) => reached,
                    None => {
                        failures += 1;
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        self.offset(door, id).await?
                    }
                };
                if reached < begin || reached > end || failures == PATIENT {
                    bail!("the upload does not go on; try later with --resume {}", id.to_hex());
                }
                if reached > offset {
                    failures = 0;
                }
                offset = reached;
                if offset == end {
                    break;
                }
            }
            if is_last || length == Some(end) {
                return Ok(end);
            }
        }
    }
}

/// The next piece: shorter than a whole one only at the end.
fn read(source: &mut Source) -> io::Result<Bytes> {
    let mut piece = Vec::new();
    match source {
        Source::File(file) => file.take(PIECE as u64).read_to_end(&mut piece)?,
        Source::Input(input) => input.lock().take(PIECE as u64).read_to_end(&mut piece)?,
    };
    Ok(piece.into())
}

/// What may be otherwise in a second.
fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::LOCKED | StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT)
}

fn number(answer: &Answer) -> anyhow::Result<u64> {
    let offset = answer.headers.get("upload-offset").and_then(|value| value.to_str().ok()?.parse().ok());
    offset.context("the answer does not say how far the upload is")
}
