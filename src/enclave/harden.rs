//! Process-wide defences of whoever holds private keys; called once, at start, before a key is read.
//!
//! Threat: a core file or another process of the same user (a debugger, `/proc/<pid>/mem`) reads keys and plaintext.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// What could not be done, in words for the log. Empty when all is in place.
#[must_use = "what could not be done is for the log"]
pub fn harden() -> Vec<String> {
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    let core = setrlimit(Resource::Core, nothing).map_err(|error| format!("core files are not switched off: {error}"));
    // The kernel also writes no core where a program, not a file, takes it (a limit of zero does not reach those), and
    // refuses ptrace and /proc/<pid>/mem to other processes of this user.
    let dump = set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| format!("the process is not closed to debuggers and core handlers: {error}"));
    [core, dump].into_iter().filter_map(Result::err).collect()
}

/// Network interfaces that this process could use, the loopback apart. The enclave's own process needs none.
///
/// Threat: code that was smuggled in sends keys away. Leaving the network takes a privilege that the enclave should not have: so its
/// service manager takes the network away (`PrivateNetwork=yes`, `network_mode: none`), and a start with one is told.
pub fn interfaces() -> Vec<String> {
    // Without procfs nothing is known, and nothing is claimed.
    named(&std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default())
}

fn named(table: &str) -> Vec<String> {
    let names = table.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
    names.filter(|name| *name != "lo").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use rustix::process::{dumpable_behavior, getrlimit};

    use super::*;

    const CHILD: &str = "CELOSIA_TEST_HARDEN_CHILD";

    /// Runs in a process of its own, started by the test below: it hardens itself, says what the kernel says, and aborts.
    #[test]
    fn child() {
        let Some(mode) = std::env::var_os(CHILD) else { return };
        // As much core as the system lets us have: then a missing one is harden's doing.
        let most = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).expect("the hard limit may be taken");
        if mode == "hardened" {
            assert_eq!(harden(), Vec::<String>::new());
            assert_eq!(harden(), Vec::<String>::new(), "twice is as good as once");
        }
        let limits = std::fs::read_to_string("/proc/self/limits").expect("procfs");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line for core files");
        println!("{core}\n{:?}", dumpable_behavior().expect("prctl"));
        std::process::abort();
    }

    fn run(mode: &str) -> (String, std::process::ExitStatus) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let output = Command::new(std::env::current_exe().expect("this test binary"))
            .args(["--exact", "enclave::harden::tests::child", "--nocapture"])
            .env(CHILD, mode)
            .current_dir(folder.path())
            .output()
            .expect("starts");
        if mode == "hardened" {
            assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0, "no core file");
        }
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status)
    }

    #[test]
    fn a_hardened_process_leaves_no_core() {
        let (said, status) = run("hardened");
        assert_eq!(status.signal(), Some(6), "{said}");
        assert!(!status.core_dumped());
        let core = said.lines().find(|line| line.contains("Max core file size")).expect("limits");
        let words: Vec<_> = core.rsplit("size").next().expect("values").split_whitespace().collect();
        assert_eq!(words[..2], ["0", "0"], "{core}");
        assert!(said.contains("NotDumpable"), "{said}");
    }

    #[test]
    fn interfaces_are_read_from_the_kernels_table() {
        let table = "Inter-|   Receive                |  Transmit\n face |bytes    packets|bytes\n    lo: 1 2\n  eth0: 3 4\n";
        assert_eq!(named(table), ["eth0"]);
        assert!(!interfaces().contains(&"lo".to_owned()));
    }

    /// The control: without hardening the kernel says something else, so the test above can fail.
    #[test]
    fn an_open_process_is_dumpable() {
        let (said, status) = run("open");
        assert_eq!(status.signal(), Some(6), "{said}");
        assert!(said.lines().any(|line| line == "Dumpable"), "{said}");
    }
}
