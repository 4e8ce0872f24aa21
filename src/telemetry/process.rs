use std::fs;

/// Clock ticks a second in `/proc` (`USER_HZ`): 100 on every Linux architecture that Rust runs on.
const TICKS: f64 = 100.0;

/// What the system says of this process (proc(5)); zero where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub open_files: u64,
    /// Processor time used, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Threads.
    pub threads: u64,
}

impl Process {
    /// Reads `/proc/self`.
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            resident_bytes: field(&status, "VmRSS:") * 1024,
            open_files: fs::read_dir("/proc/self/fd").map_or(0, |list| list.count() as u64),
            cpu_seconds: cpu(&stat),
            threads: field(&status, "Threads:"),
        }
    }
}

/// First number of a line of `/proc/self/status`.
fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Fields 14 and 15 of `/proc/self/stat`, counted after the command's closing parenthesis.
fn cpu(stat: &str) -> f64 {
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    let ticks: f64 = fields.into_iter().flatten().filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_files_and_threads() {
        let process = Process::read();
        assert!(process.resident_bytes > 100_000 && process.open_files > 2 && process.threads >= 1, "{process:?}");
    }

    #[test]
    fn processor_time_is_read_behind_a_strange_name() {
        assert!((cpu("7 (a) b) S 1 7 7 0 -1 4194304 1 0 0 0 150 50 0 0 20") - 2.0).abs() < 1e-9);
        assert!(cpu("").abs() < 1e-9);
    }
}
