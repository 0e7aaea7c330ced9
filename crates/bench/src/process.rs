//! What the kernel knows of a process: memory and processor time.

use std::path::Path;

use crate::Outcome;

/// How many ticks `/proc` counts a second. The kernel's interface to programs has it fixed.
const TICKS: f64 = 100.0;

/// The memory of a process, in MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Memory {
    /// What is resident now.
    pub(crate) now: f64,
    /// The most that was ever resident.
    pub(crate) peak: f64,
}

/// Reads the memory of a process.
pub(crate) fn memory(pid: u32) -> Outcome<Memory> {
    let status = read(&format!("/proc/{pid}/status"))?;
    let field =
        |name| mebibytes(&status, name).ok_or_else(|| format!("process {pid} has no {name}"));
    Ok(Memory {
        now: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// The processor seconds of a process so far; of its ended children too, if `family`.
pub(crate) fn seconds(pid: u32, family: bool) -> Outcome<f64> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    ticks(&stat, family)
        .map(|ticks| ticks / TICKS)
        .ok_or_else(|| format!("process {pid} has no times"))
}

/// The processor seconds that the whole machine was busy so far.
pub(crate) fn machine_seconds() -> Outcome<f64> {
    let stat = read("/proc/stat")?;
    busy(&stat)
        .map(|ticks| ticks / TICKS)
        .ok_or_else(|| "the machine has no times".to_owned())
}

fn read(path: &str) -> Outcome<String> {
    std::fs::read_to_string(Path::new(path))
        .map_err(|error| format!("could not read `{path}`: {error}"))
}

fn mebibytes(status: &str, field: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn ticks(stat: &str, family: bool) -> Option<f64> {
    // The name in parentheses may hold anything.
    let rest = stat.rsplit_once(") ")?.1;
    let count = if family { 4 } else { 2 };
    let fields: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(count)
        .filter_map(|field| field.parse().ok())
        .collect();
    (fields.len() == count).then(|| fields.iter().sum())
}

fn busy(stat: &str) -> Option<f64> {
    let fields: Vec<f64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let wanted = [0, 1, 2, 5, 6];
    wanted.iter().map(|at| fields.get(*at)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_behind_a_name_with_blanks() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 2 3 4 500 250 30 20 20 0 9 0 0";
        assert_eq!(ticks(stat, false), Some(750.0));
        assert_eq!(ticks(stat, true), Some(800.0));
    }

    #[test]
    fn reads_the_machine_and_memory() {
        assert_eq!(busy("cpu  1 2 4 100 100 8 16 999 0 0\ncpu0 1"), Some(31.0));
        let status = "Name:\tshipway\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n";
        assert_eq!(mebibytes(status, "VmHWM:"), Some(2.0));
        assert_eq!(mebibytes(status, "VmRSS:"), Some(1.0));
        assert_eq!(mebibytes(status, "VmSwap:"), None);
    }
}
