//! People at their machines: each command is run as they would run it, by this program, and shown with what it says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Keys of the demo are locked as quickly as may be: nobody shall wait for them, and nobody shall use them.
const ARGON: &str = r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#;
/// Lines longer than a page is wide are cut.
const WIDTH: usize = 150;

/// Unlocks what people in the demo have.
pub(super) const PASSWORD: [&str; 2] = ["--password-file", "password"];
/// Locks it.
pub(super) const LOCK: [&str; 4] = ["--password-file", "password", "--argonconfig", "argon.json"];

/// The folder in which everybody's folders lie.
pub(super) struct Stage {
    folder: PathBuf,
}

impl Stage {
    /// Puts there what unlocks everything.
    pub(super) fn set(folder: &Path) -> anyhow::Result<Self> {
        for (name, text) in [("argon.json", ARGON), ("password", "demo\n")] {
            fs::write(folder.join(name), text).with_context(|| folder.join(name).display().to_string())?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where it is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs a command that must succeed; `lines` of what it says are shown. All of it comes back.
    pub(super) fn run(&self, who: &str, arguments: &[&str], lines: usize) -> anyhow::Result<String> {
        show_command(who, arguments);
        let (is_good, said) = self.call(arguments)?;
        show(&said, lines);
        ensure!(is_good, "that command failed: {said}");
        Ok(said)
    }

    /// Runs a command that must be refused, for this reason.
    pub(super) fn refused(&self, who: &str, arguments: &[&str], code: &str) -> anyhow::Result<()> {
        show_command(who, arguments);
        let (is_good, said) = self.call(arguments)?;
        show(&said, usize::MAX);
        ensure!(!is_good && said.contains(code), "that command had to be refused with {code}: {said}");
        Ok(())
    }

    /// Runs a command without a word.
    pub(super) fn call(&self, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
        let program = std::env::current_exe().context("cannot find the running program")?;
        let output = Command::new(program).current_dir(&self.folder).args(arguments).output().context("cannot run it")?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim_end().to_owned();
        Ok((output.status.success(), said))
    }
}

fn show_command(who: &str, arguments: &[&str]) {
    let quoted = |word: &&str| {
        let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=+".contains(c));
        if is_plain { (*word).to_owned() } else { format!("'{word}'") }
    };
    let words: Vec<String> = arguments.iter().map(quoted).collect();
    say!("   {who}$ celosia {}", words.join(" "));
}

fn show(said: &str, lines: usize) {
    for line in said.lines().take(lines) {
        let cut: String = line.chars().take(WIDTH).collect();
        say!("      {cut}{}", if cut.len() < line.len() { "…" } else { "" });
    }
    match said.lines().count().saturating_sub(lines) {
        0 => {}
        more => say!("      … {more} more line(s)"),
    }
}
