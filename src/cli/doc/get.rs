use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use hyper::{Method, StatusCode};

use super::{At, Door, PIECE, good, path};
use crate::types::DocumentId;

/// Failures in a row without a byte that arrived.
const PATIENT: u32 = 8;

/// Arguments of `celosia doc get`.
#[derive(clap::Args, Debug)]
pub(super) struct Get {
    #[command(flatten)]
    at: At,
    /// The document's id: base64, or hexadecimal.
    #[arg(value_parser = DocumentId::from_words)]
    id: DocumentId,
    /// Where to write it; standard output if absent. Until it is whole, it lies beside that in a file that ends in `.part`.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A part of it: FIRST-LAST, FIRST- or -COUNT, in bytes from 0.
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,
}

impl Get {
    pub(super) async fn run(&self) -> anyhow::Result<()> {
        let door = self.at.door()?;
        let wanted = self.wanted(self.size(&door).await?)?;
        let Some(output) = &self.output else {
            return self
                .fetch(&door, wanted, |bytes| {
                    if std::io::stdout().write_all(bytes).is_err() {
                        std::process::exit(0);
                    }
                    Ok(())
                })
                .await;
        };
        // The name says of which document and which bytes it is: another download to the same file begins anew.
        let part = part_path(output, &self.id, &wanted);
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&part);
        let file = file.as_mut().map_err(|error| anyhow::anyhow!("{}: {error}", part.display()))?;
        let there = file.metadata()?.len();
        if there > wanted.end - wanted.start {
            bail!("{} is longer than what is asked for: remove it", part.display());
        }
        if there > 0 {
            eprintln!("going on at byte {}", wanted.start + there);
        }
        self.fetch(&door, wanted.start + there..wanted.end, |bytes| Ok(file.write_all(bytes)?)).await?;
        file.sync_all()?;
        std::fs::rename(&part, output).with_context(|| output.display().to_string())?;
        say!("{}", output.display());
        Ok(())
    }

    async fn size(&self, door: &Door) -> anyhow::Result<u64> {
        let answer = door.request(Method::GET, &format!("{}/info", path(&self.id)), &[], Bytes::new()).await?;
        let info = super::json(answer)?;
        if info["state"] != "here" {
            bail!("the document is not complete yet");
        }
        info["size"].as_u64().context("the answer does not say how long it is")
    }

    /// The bytes that are asked for.
    fn wanted(&self, size: u64) -> anyhow::Result<Range<u64>> {
        let Some(range) = &self.range else { return Ok(0..size) };
        let wrong = || format!("{range} is no range: write FIRST-LAST, FIRST- or -COUNT");
        let (first, last) = range.split_once('-').with_context(wrong)?;
        let wanted = match (first, last) {
            ("", count) => size.saturating_sub(count.parse().with_context(wrong)?)..size,
            (first, "") => first.parse().with_context(wrong)?..size,
            (first, last) => {
                first.parse().with_context(wrong)?..last.parse::<u64>().with_context(wrong)?.saturating_add(1).min(size)
            }
        };
        if wanted.is_empty() {
            bail!("the document has {size} bytes, and none in that range");
        }
        Ok(wanted)
    }

    /// Fetches piece after piece; a piece that does not come is asked for again.
    async fn fetch(
        &self,
        door: &Door,
        mut wanted: Range<u64>,
        mut write: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut failures = 0;
        while !wanted.is_empty() {
            let end = wanted.end.min(wanted.start + PIECE as u64);
            let range = format!("bytes={}-{}", wanted.start, end - 1);
            match door.request(Method::GET, &path(&self.id), &[("range", &*range)], Bytes::new()).await {
                Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => failures += 1,
                Ok(answer) => {
                    let answer = good(answer)?;
                    if answer.body.len() as u64 != end - wanted.start {
                        bail!("the node answers with another range");
                    }
                    write(&answer.body)?;
                    (wanted.start, failures) = (end, 0);
                    continue;
                }
                Err(error) => {
                    eprintln!("{error:#}; going on");
                    failures += 1;
                }
            }
            if failures == PATIENT {
                bail!("the download broke off at byte {}: the same command goes on from there", wanted.start);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

fn part_path(output: &Path, id: &DocumentId, wanted: &Range<u64>) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.{}-{}.part", &id.to_hex()[2..18], wanted.start, wanted.end));
    output.with_file_name(name)
}
