use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A program of the Go module `tests/foreign`, built once.
pub(crate) fn program(name: &'static str) -> PathBuf {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
        let build = Command::new("go")
            .args(["build", "-o", folder.path().join(name).to_str().unwrap(), &format!("./{name}")])
            .current_dir(module)
            .output();
        let output = build.expect("go does not run: `scripts/setup test` installs it");
        assert!(output.status.success(), "go build: {}", String::from_utf8_lossy(&output.stderr));
        folder
    });
    folder.path().join(name)
}
