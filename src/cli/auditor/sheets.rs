//! What an auditor has in hand at the end: payloads, and the report. Of a long list the rows are in pages, so that no page is longer than a browser
//! shows, and no more than one of them is in memory.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use data_encoding::HEXLOWER;

use crate::cli::Failure;
use crate::crypto::hash::sha256;
use crate::disclosure::{Opened, Report, Row, html_of, page, page_of_rows};

/// Reasons told on the terminal. The report has all.
const TOLD: u64 = 20;

pub(super) struct Sheets<'a> {
    report: Report,
    /// Where everything is written; nowhere, if it is only verified.
    out: Option<&'a Path>,
    is_long: bool,
    at: usize,
    told: u64,
}

impl<'a> Sheets<'a> {
    pub(super) fn begin(report: Report, out: Option<&'a Path>, count: usize) -> Result<Self, Failure> {
        let sheets = Self { report, out, is_long: count > Report::ROWS, at: 0, told: 0 };
        if let Some(out) = out {
            fs::create_dir_all(out).with_context(|| out.display().to_string())?;
        }
        Ok(sheets)
    }

    /// Writes the payload that comes next. Its file's name, and SHA-256.
    pub(super) fn write(&self, opened: &Opened) -> anyhow::Result<(String, String)> {
        let number = self.at + 1;
        let mut name = format!("{number:06}-{}.bin", HEXLOWER.encode(&opened.id.as_bytes()[..8]));
        if self.is_long {
            name = format!("{:06}/{name}", self.at / Report::ROWS + 1);
        }
        if let Some(out) = self.out {
            let file = out.join(&name);
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            fs::write(&file, opened.payload.as_slice()).with_context(|| file.display().to_string())?;
        }
        Ok((name, HEXLOWER.encode(&sha256(&[&opened.payload]))))
    }

    pub(super) fn add(&mut self, row: Row) -> anyhow::Result<()> {
        self.at += 1;
        if !row.why_not.is_empty() {
            self.tell(&format!("not opened: {} [{}]", row.why_not, row.code));
        }
        for wrong in &row.wrong_shares {
            self.tell(&format!("wrong: {wrong}"));
        }
        self.report.add(row);
        if self.is_long && self.report.payloads.len() == Report::ROWS {
            self.turn()?;
        }
        Ok(())
    }

    fn tell(&mut self, words: &str) {
        self.told += 1;
        if self.told <= TOLD {
            say!("{words}");
        }
    }

    fn turn(&mut self) -> anyhow::Result<()> {
        let (file, text, rows) = self.report.turn();
        self.put(&file, &text)?;
        self.put(&html_of(&file), &page_of_rows(&self.report, &file, &rows))
    }

    fn put(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let Some(out) = self.out else { return Ok(()) };
        let file = out.join(name);
        fs::write(&file, text).with_context(|| file.display().to_string())
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if self.is_long && !self.report.payloads.is_empty() {
            self.turn()?;
        }
        if self.told > TOLD {
            say!("{} more of these: the report has all", self.told - TOLD);
        }
        for (name, text) in [("report.json", self.report.to_json()), ("report.html", page(&self.report))] {
            self.put(name, &text)?;
            if let Some(out) = self.out {
                say!("{}", out.join(name).display());
            }
        }
        let Report { opened, not_opened, view, .. } = &self.report;
        say!("{opened} payload(s) opened and verified, {not_opened} not opened; {view}");
        if *opened == 0 { Err(Failure::plain(2, "nothing was opened")) } else { Ok(()) }
    }
}
