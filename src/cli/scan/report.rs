use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scan::{Encoding, What};

/// One kind of thing in one file.
pub(super) struct Found {
    pub(super) file: String,
    /// Of the first piece.
    pub(super) offset: u64,
    pub(super) what: What,
    pub(super) encoding: Encoding,
    pub(super) count: u64,
}

/// What a search saw. No byte of a needle is in it.
#[derive(Default)]
pub(super) struct Report {
    pub(super) searched_for: Vec<(What, usize)>,
    pub(super) found: Vec<Found>,
    pub(super) unreadable: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Links, sockets, devices, and the needles' own file.
    pub(super) passed_over: u64,
    pub(super) time: Duration,
}

impl Report {
    /// 0 nothing found, 1 found, 2 not found, but not everything was looked at.
    pub(super) fn exit(&self) -> u8 {
        match (self.found.is_empty(), self.unreadable.is_empty()) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 0,
        }
    }

    pub(super) fn json(&self) -> Value {
        let found = self.found.iter().map(|found| {
            json!({
                "file": found.file,
                "offset": found.offset,
                "what": found.what.name(),
                "encoding": found.encoding.name(),
                "pieces": found.count,
            })
        });
        let parts = self.searched_for.iter().map(|(what, count)| json!({ "what": what.name(), "pieces": count }));
        let unreadable = self.unreadable.iter().map(|(file, why)| json!({ "file": file, "why": why }));
        json!({
            "found": found.collect::<Vec<_>>(),
            "searched-for": parts.collect::<Vec<_>>(),
            "files": self.files,
            "bytes": self.bytes,
            "passed-over": self.passed_over,
            "unreadable": unreadable.collect::<Vec<_>>(),
            "complete": self.unreadable.is_empty(),
            "notes": self.notes,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "note: {}", shown(note))?;
        }
        let parts: Vec<_> = self.searched_for.iter().map(|(what, count)| format!("{what} ({count})")).collect();
        writeln!(f, "searched for: {}", if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") })?;
        for Found { file, offset, what, encoding, count } in &self.found {
            writeln!(f, "FOUND  {what:<16} {encoding:<7} at {offset:>12}  {count:>5} x  {}", shown(file))?;
        }
        for (file, why) in &self.unreadable {
            writeln!(f, "NOT LOOKED AT  {}: {}", shown(file), shown(why))?;
        }
        if self.files + self.passed_over > 0 || !self.unreadable.is_empty() {
            let mib = self.bytes >> 20;
            let rate = (u128::from(self.bytes) * 1_000_000 / self.time.as_micros().max(1)) >> 20;
            let verdict = match self.exit() {
                0 => "nothing found",
                1 => "found",
                _ => "nothing found in what could be read",
            };
            writeln!(f, "{verdict}: {} files, {mib} MiB, {rate} MiB/s; {} passed over", self.files, self.passed_over)?;
        }
        Ok(())
    }
}

/// Names of files are others': nothing in them may move the cursor.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
