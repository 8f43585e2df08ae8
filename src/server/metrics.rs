//! What the server counts, in Prometheus' text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds of the histogram of times, in microseconds.
const BOUNDS: [u64; 9] = [250, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 5_000_000];

/// The counters.
#[derive(Default)]
pub struct Metrics {
    /// Answers by the first digit of their status.
    by_class: [AtomicU64; 6],
    bytes: AtomicU64,
    within: [AtomicU64; 9],
    micros: AtomicU64,
    answered: AtomicU64,
    refused: AtomicU64,
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).min(5);
        self.by_class[class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.answered.fetch_add(1, Ordering::Relaxed);
        for (bound, count) in BOUNDS.iter().zip(&self.within) {
            if micros <= *bound {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Counts bytes of bodies.
    pub fn sent(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a request or connection turned away for want of room.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes all, with numbers that others keep: name, what it is, value.
    pub fn write(&self, gauges: &[(&str, &str, u64)]) -> String {
        let mut out = String::new();
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "# HELP tome_requests_total Requests answered.\n# TYPE tome_requests_total counter"
        );
        for (class, count) in self.by_class.iter().enumerate().skip(1) {
            let _ = writeln!(out, "tome_requests_total{{code=\"{class}xx\"}} {}", of(count));
        }
        for (name, what, counter) in [
            ("tome_response_bytes_total", "Bytes of bodies sent.", &self.bytes),
            ("tome_refused_total", "Requests and connections turned away for want of room.", &self.refused),
        ] {
            let _ = writeln!(out, "# HELP {name} {what}\n# TYPE {name} counter\n{name} {}", of(counter));
        }
        let name = "tome_request_seconds";
        let _ = writeln!(
            out,
            "# HELP {name} Time from a request's head to its answer's.\n# TYPE {name} histogram"
        );
        for (bound, count) in BOUNDS.iter().zip(&self.within) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {}", *bound as f64 / 1e6, of(count));
        }
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {}", of(&self.answered));
        let _ = writeln!(
            out,
            "{name}_sum {}\n{name}_count {}",
            of(&self.micros) as f64 / 1e6,
            of(&self.answered)
        );
        for (name, what, value) in gauges {
            let _ = writeln!(out, "# HELP {name} {what}\n# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}
