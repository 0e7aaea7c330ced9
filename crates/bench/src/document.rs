//! The page with the numbers: docs/benchmarks.md, or docs/benchmarks-embedded.md.

use std::fmt::Write as _;

use crate::args::Args;
use crate::report::Report;

const GENUINE: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`; do not edit. Everything is measured on a genuine kube-apiserver, in one run.
`docs/benchmarks-embedded.md` has the same of a delivery on the embedded one.
";

const EMBEDDED: &str = "\
# Benchmarks on the embedded server

Written by `cargo xtask bench --embedded --write`; do not edit. Everything is measured on the API server that Shipway
carries along, as `serve`, a process of its own, in one run. `docs/benchmarks.md` has the same on a genuine
kube-apiserver, by which the design's numbers are judged, and both servers beside each other.
";

const INTRODUCTION: &str = "
Shipway is the release binary with its default flags (plus `--listen` and `--hook-secret`), the repository is served over
TLS by `git http-backend`. Requests are counted by the API server's audit log, memory is `VmRSS` and `VmHWM` of the
process, processor time is that of `/proc`.

The **floor** of an installation is a bare loop of the same server-side applies (as the same impersonated account, asking
for metadata back as Shipway does) plus two writes a Shipment: an Inventory-like object created, a status patched. It is
measured with 1, 8, 16 and 32 connections over HTTP/1.1 and HTTP/2 with 100 Shipments; the best is the floor, and its way
is used for 1,000. It does not create the Shipments and does not wait for health; Shipway's time contains both. The floor
of a latency is one bare apply until a watch shows it. The floor of a **supply chain** is one apply for each resource of each
Workload and one status of it, by 8 connections over HTTP/1.1; it creates no Workloads, which Shipway's time contains.

Every installation and every floor is measured **once**, and the floor of 100 is the best of eight single runs; a ratio
holds as far as both of its sides had the same machine, which each section tells. Restarts are orderly stops, no kills.
";

const BESIDE: &str = "
The rows of the **embedded server** have the genuine server's figure in the place of a floor. Each ran alone with this
program, as `serve` and as etcd, kube-apiserver and kube-controller-manager without an audit log, over one HTTP/2
connection with 16 requests under way; memory is the sum of the processes. Its API server is killed before it is started
again, and etcd is not.
";

/// Measured by others or earlier, and quoted; no number of this run.
const ELSEWHERE: &str = "\
## Flux, measured elsewhere

From Shipway's design notes; not measured in this run. *Published* (stefanprodan/flux-benchmark, Flux 2.4.0, GitHub's
16-core runner, kustomize-controller limited to 2 CPU): 1,000 Kustomizations of the same four kinds of objects in 255 s
with 175 MiB. *Measured on another 2-core machine* with kube-apiserver 1.36.3, etcd 3.6.14 (fsync on), source- and
kustomize-controller 1.9.6 tuned (concurrency 20, qps 500, unpacking in memory), one repository, prune on:

| What | N = 100 | N = 1,000 |
|---|---|---|
| install until all Ready; floor of the applies alone | 28.0 s; 1.18 s | 314 s; 15.8 s |
| requests; kustomize-controller's peak memory and CPU | 2,388; 150 MiB, 34 s | 23,454; 202 MiB, 432 s |
| requests per object per interval, nothing changed | 4.3 | 4.2 |
| one folder changed: reconciles, downloads, requests | 100, 1.0 MB, 1,712 | 1,036, 96.6 MB, 17,583 |
| push to visible by reconcile request, p50 / p95 | 9.4 s / 19.8 s | |
";

/// The whole page.
pub(crate) fn page(
    machine: &str,
    report: &Report,
    args: &Args,
    (failed, is_embedded): (&[String], bool),
) -> String {
    let (title, beside) = if is_embedded {
        (EMBEDDED, "")
    } else {
        (GENUINE, BESIDE)
    };
    let mut text = format!("{title}{INTRODUCTION}{beside}\n## Where and when\n\n{machine}\n");
    if args.quick {
        text.push_str(
            "- a quick run: 100 Shipments, 30 samples, 1 minute; these are not the design's sizes\n",
        );
    }
    let named = args.named();
    if !named.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "- measured by name, and no others: {}",
            named.join(", ")
        );
    }
    for failure in failed {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- **not measured**: {failure}");
    }
    let _ = write!(text, "\n## Numbers\n\n{}\n", report.table());
    text.push_str(
        "The machine may have been shared: each section below says what all other programs on it used meanwhile.\n",
    );
    for detail in report.details() {
        let _ = write!(
            text,
            "\n## {}\n\n{}\n",
            detail.title,
            detail.text.trim_end()
        );
    }
    if !is_embedded {
        let _ = write!(text, "\n{ELSEWHERE}");
    }
    text
}
