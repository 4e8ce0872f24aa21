use std::path::PathBuf;

use super::Failure;
use crate::config::{Loaded, Override, load};

/// Which configuration: a file, and what is laid over it.
#[derive(clap::Args, Clone, Debug)]
pub struct ConfigSource {
    /// Configuration: Celosia's TOML, or a Tessera JSON file as it is.
    #[arg(long = "config", visible_alias = "configfile", value_name = "FILE")]
    pub file: PathBuf,
    /// Set a field, whatever the file says: `peer[1].url=http://host:9001/`, `celosia.dataDir=/path`.
    #[arg(short = 'o', long = "override", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl ConfigSource {
    /// Loads it, and prints what was warned of.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let overrides = parse_overrides(&self.overrides)?;
        let loaded = load(&self.file, &overrides)?;
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        Ok(loaded)
    }
}

pub(super) fn parse_overrides(texts: &[String]) -> Result<Vec<Override>, Failure> {
    let parsed = texts.iter().map(|text| Override::parse(text));
    parsed.collect::<Result<_, _>>().map_err(|reason| Failure::plain(super::USAGE, reason))
}
