//! Measures the peak resident memory that a request adds, with a separate allocation for each frame
//! of its body.
//!
//! Each case is a separate process: this program starts itself with the number of the case.

use std::{fs, process::Command};

use tower_webhook_benches::{
    figures::{self, Figure},
    place::Place,
    row::OURS,
    rows::Field,
    workload::{Style, Workload, bytes},
};

const MIB: usize = 1 << 20;

fn workloads() -> [Workload; 6] {
    let large = Workload::of(Style::GitHub, 32 * MIB).fresh();
    let small = Workload::of(Style::GitHub, 4 * MIB).fresh();
    [
        large,
        large.in_frames(16 << 10),
        large.in_frames(16 << 10).undeclared(),
        small.in_frames(1),
        small.in_frames(1).undeclared(),
        large.in_frames(1 << 10).undeclared(),
    ]
}

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .map(|text| text.parse().unwrap())
        .collect();
    let _entered = tower_webhook_benches::row::enter();
    match arguments[..] {
        [workload, row] => measure(workloads()[workload], row),
        _ => all(),
    }
}

fn all() {
    let mut reached = Vec::new();
    for (index, workload) in workloads().into_iter().enumerate() {
        println!(
            "\n### {workload}\n\n| place | row | MiB | of the body |\n| --- | --- | ---: | ---: |"
        );
        for (number, row) in Field::all(workload).rows.iter().enumerate() {
            if matches!(row.place(), Place::Floor | Place::Function) {
                continue;
            }
            let program = std::env::current_exe().unwrap();
            let arguments = [index.to_string(), number.to_string()];
            let output = Command::new(program).args(arguments).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let Ok(kib) = text.trim().parse::<f64>() else {
                println!("| {} | {} | {} | |", row.place(), row.name(), text.trim());
                continue;
            };
            let (mib, of_body) = (kib / 1024.0, kib * 1024.0 / workload.size as f64);
            println!(
                "| {} | {} | {mib:.1} | {of_body:.2} |",
                row.place(),
                row.name()
            );
            if row.name() == OURS && row.place() == Place::Tower {
                let part = if workload.declared { 1.05 } else { 1.1 };
                let most = part * workload.size as f64 / 1024.0 + 128.0;
                reached.push(Figure::new(
                    format!("peak memory: {workload}"),
                    most,
                    kib,
                    "KiB",
                ));
            }
        }
    }
    println!(
        "\nFor a body in one frame, the frame itself is the memory: {} here.",
        bytes(32 * MIB)
    );
    figures::print(&reached);
}

/// Prints by how many KiB one request raised the peak memory of the process.
fn measure(workload: Workload, row: usize) {
    let mut row = Field::all(workload).rows.swap_remove(row);
    row.prepare(1);
    // Resets the peak that the kernel has recorded.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS:");
    match row.run() {
        Ok(()) => println!("{}", status("VmHWM:").saturating_sub(before)),
        Err(reason) => println!("{reason}"),
    }
}

/// A value of `/proc/self/status`, in KiB.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
