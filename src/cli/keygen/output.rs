//! `--configfile`, `--configout`, `--pwdout`: the new keys and their passwords added to files of Tessera's form.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{Made, absolute, entries};
use crate::cli::Failure;

/// Adds one line for each key, blank for an unlocked one. A new file is 0600.
pub(super) fn add_passwords(file: &Path, made: &[Made]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::plain(2, format!("{}: {error}", file.display()));
    let mut out = OpenOptions::new().create(true).append(true).mode(0o600).open(file).map_err(failed)?;
    for made in made {
        out.write_all(made.password.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(failed)?;
    }
    out.sync_all().map_err(failed)
}

/// Adds the keys to a Tessera configuration, written to `output` or printed.
pub(super) fn add_to_configuration(
    file: &Path,
    output: Option<&Path>,
    passwords: Option<&Path>,
    made: &[Made],
) -> Result<(), Failure> {
    let failed = |reason: String| Failure::plain(1, format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let mut document: Value =
        serde_json::from_str(&text).map_err(|error| Failure::plain(3, format!("{}: not valid JSON: {error}", file.display())))?;
    let root = document.as_object_mut().ok_or_else(|| failed("expected an object".to_owned()))?;
    let keys = root.entry("keys").or_insert_with(|| json!({}));
    let keys = keys.as_object_mut().ok_or_else(|| failed("keys: expected an object".to_owned()))?;
    let data = keys.entry("keyData").or_insert_with(|| json!([]));
    if !data.is_array() {
        *data = json!([data.take()]);
    }
    if let Some(list) = data.as_array_mut() {
        list.extend(entries(made));
    }
    if let Some(passwords) = passwords {
        keys.insert("passwordFile".to_owned(), json!(absolute(passwords)));
    }
    let text = format!("{document:#}\n");
    match output {
        None => std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::plain(2, error)),
        Some(output) => replace(output, &text).map_err(|error| Failure::plain(2, format!("{}: {error}", output.display()))),
    }
}

/// Whole or not at all: `output` may be the very file that a node starts from. 0600, as it may hold keys.
pub(in crate::cli) fn replace(output: &Path, text: &str) -> std::io::Result<()> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(output)?;
    std::fs::File::open(folder)?.sync_all()
}
