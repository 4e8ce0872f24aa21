//! Officers of a network on this machine, each with a folder and all of it done by the real program: a key that only they open.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::ceremony::CommitteeFile;
use crate::governance::Committee;
use crate::types::NetworkId;

/// Officers, and how many of them open.
pub(crate) const OFFICERS: usize = 5;
pub(crate) const THRESHOLD: usize = 3;
/// Rounds until everybody has the committee.
const ROUNDS: usize = 4;
/// Passwords of a network that is thrown away are not stretched.
const QUICK: &str = r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#;
const PASSWORD: &str = "a network that is thrown away\n";

/// The folders of the officers, and of an auditor, below one.
#[derive(Clone, Debug)]
pub(crate) struct Desk(PathBuf);

impl Desk {
    /// In a network's folder.
    pub(crate) fn of(network: &Path) -> Self {
        Self(network.join("officers"))
    }

    /// A file or folder of it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Makes officers and their key.
    pub(crate) fn found(&self, network: NetworkId) -> anyhow::Result<Committee> {
        std::fs::create_dir_all(&self.0).with_context(|| self.0.display().to_string())?;
        std::fs::write(self.path("argon.json"), QUICK)?;
        std::fs::write(self.path("password"), PASSWORD)?;
        let (network, ceremony, threshold) = (network.to_string(), self.path("ceremony"), THRESHOLD.to_string());
        let mut plan = vec!["officer", "dkg", "--ceremony", &ceremony, "--network", &network, "--threshold", &threshold];
        let cards = (1..=OFFICERS).map(|at| self.init(at)).collect::<anyhow::Result<Vec<_>>>()?;
        plan.extend(cards.iter().flat_map(|card| ["--card", card.as_str()]));
        self.run(&plan)?;
        for _ in 0..ROUNDS {
            for at in 1..=OFFICERS {
                self.officer(at, "dkg", &["--ceremony", &ceremony, "--yes"])?;
            }
        }
        let text = std::fs::read_to_string(Path::new(&ceremony).join("committee.toml")).context("the ceremony does not end")?;
        Ok(CommitteeFile::parse(&text)?.committee)
    }

    fn init(&self, at: usize) -> anyhow::Result<String> {
        let (folder, name, entity) = (self.folder(at), format!("Officer {at}"), format!("Entity {at}"));
        let (password, argon) = (self.path("password"), self.path("argon.json"));
        let whose = ["officer", "init", "--folder", &folder, "--name", &name, "--entity", &entity];
        self.run(&[&whose[..], &["--password-file", &password, "--argonconfig", &argon]].concat())?;
        Ok(format!("{folder}/officer.pub"))
    }

    fn folder(&self, at: usize) -> String {
        self.path(&format!("officer-{at}"))
    }

    /// What an officer does.
    pub(crate) fn officer(&self, at: usize, verb: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let (folder, password) = (self.folder(at), self.path("password"));
        let fixed = ["officer", verb, "--folder", &folder, "--password-file", &password];
        self.run(&[&fixed[..], arguments].concat())
    }

    /// A command of this program, to its end.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.command(arguments)?.output()?;
        let told = || String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "celosia {}: {}", arguments.join(" "), told());
        Ok(())
    }

    /// A command of this program.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("cannot find the running program")?);
        command.current_dir(&self.0).args(arguments);
        Ok(command)
    }
}
