//! The second implementations, in Go: `tests/foreign`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program of the module, by the name of its folder; all are built once, into this test's own place.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("foreign-", env!("CARGO_CRATE_NAME")));
        std::fs::create_dir_all(&folder).unwrap();
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
        let built = Command::new("go").args(["build", "-o"]).arg(&folder).arg("./...").current_dir(module).output();
        let output = built.expect("there is no `go`: scripts/setup test installs it");
        assert!(output.status.success(), "go build: {}", String::from_utf8_lossy(&output.stderr));
        folder
    };
    BUILT.get_or_init(build).join(name)
}
