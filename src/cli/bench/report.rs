use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::super::network::Network;
use super::load::Outcome;

/// One measurement beside its floor.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    operation: &'static str,
    payload_bytes: usize,
    clients: usize,
    per_second: f64,
    p50_micros: u32,
    p99_micros: u32,
    failed: u64,
    floor_per_second: f64,
    floor_p50_micros: u32,
    /// Share of the floor's rate.
    of_floor: f64,
}

impl Row {
    pub(super) fn new(
        operation: &'static str,
        payload_bytes: usize,
        clients: usize,
        measured: &Outcome,
        floor: &Outcome,
    ) -> Self {
        Self {
            operation,
            payload_bytes,
            clients,
            per_second: measured.rate(),
            p50_micros: measured.percentile(50),
            p99_micros: measured.percentile(99),
            failed: measured.failed,
            floor_per_second: floor.rate(),
            floor_p50_micros: floor.percentile(50),
            of_floor: measured.rate() / floor.rate().max(f64::MIN_POSITIVE),
        }
    }
}

/// What the members of a network take up.
#[derive(Debug, Serialize)]
pub(super) struct Footprint {
    resident_kib: Vec<u64>,
    disk_bytes: Vec<u64>,
}

impl Footprint {
    pub(super) fn of(network: &Network) -> Self {
        let resident_kib = network.members.iter().map(|member| member.pid().and_then(resident).unwrap_or_default()).collect();
        let disk_bytes = network.members.iter().map(|member| size_of(&member.folder.join("data"))).collect();
        Self { resident_kib, disk_bytes }
    }
}

/// Resident memory of a process, KiB (proc(5)).
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

fn size_of(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Prints a table for people, or JSON for machines.
pub(super) fn print(rows: &[Row], up: Option<Duration>, footprint: Option<Footprint>, json: bool) {
    if json {
        let up_millis = up.and_then(|up| u64::try_from(up.as_millis()).ok());
        say!("{}", serde_json::json!({ "rows": rows, "up_millis": up_millis, "footprint": footprint }));
        return;
    }
    say!(
        "{:<16} {:>8} {:>7} {:>10} {:>9} {:>9} {:>6} | floor {:>9} {:>8}",
        "operation",
        "bytes",
        "clients",
        "per s",
        "p50 µs",
        "p99 µs",
        "failed",
        "per s",
        "p50 µs"
    );
    for row in rows {
        say!(
            "{:<16} {:>8} {:>7} {:>10.0} {:>9} {:>9} {:>6} | {:>15.0} {:>8}   {:.0} %",
            row.operation,
            row.payload_bytes,
            row.clients,
            row.per_second,
            row.p50_micros,
            row.p99_micros,
            row.failed,
            row.floor_per_second,
            row.floor_p50_micros,
            row.of_floor * 100.0,
        );
    }
    if let Some(up) = up {
        say!("members answer after {} ms", up.as_millis());
    }
    if let Some(footprint) = footprint {
        say!("resident KiB {:?}, bytes on disk {:?}", footprint.resident_kib, footprint.disk_bytes);
    }
}
