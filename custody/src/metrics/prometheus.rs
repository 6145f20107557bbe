//! Metrics as Prometheus reads them: the text format, version 0.0.4.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{BATCH, Histogram, LATENCY, line};
use super::words::Words;
use super::{EntryFate, Metrics, SigningOutcome};
use crate::signing::SigningStep;

/// Collects in atomics, without a lock, and renders the text format on request. Shared in an [`Arc`](std::sync::Arc): one
/// half goes to the builder, the other to whatever serves the text.
///
/// ```
/// use std::sync::Arc;
/// use keyward_custody::{Custody, PrometheusMetrics};
///
/// let metrics = Arc::new(PrometheusMetrics::new());
/// let builder = Custody::builder().metrics(metrics.clone());
/// // In the handler of GET /metrics, with PrometheusMetrics::CONTENT_TYPE:
/// let text = metrics.render();
/// # assert!(text.contains("# TYPE keyward_signing_requests_total counter"));
/// # drop(builder);
/// ```
pub struct PrometheusMetrics {
    requests: Words<Outcomes>,
    signatures: Words<AtomicU64>,
    refusals: Words<AtomicU64>,
    duration: Histogram,
    steps: [Histogram; SigningStep::ALL.len()],
    unlock_failures: Words<AtomicU64>,
    commits: Histogram,
    batches: Histogram,
    store_errors: Words<AtomicU64>,
    entries: [AtomicU64; EntryFate::ALL.len()],
}

/// A counter for each [`SigningOutcome`].
#[derive(Default)]
struct Outcomes([AtomicU64; SigningOutcome::ALL.len()]);

impl PrometheusMetrics {
    /// The `Content-Type` of [`Self::render`]'s text.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// All counts at 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            requests: Words::default(),
            signatures: Words::default(),
            refusals: Words::default(),
            duration: Histogram::new(&LATENCY),
            steps: std::array::from_fn(|_| Histogram::new(&LATENCY)),
            unlock_failures: Words::default(),
            commits: Histogram::new(&LATENCY),
            batches: Histogram::new(&BATCH),
            store_errors: Words::default(),
            entries: Default::default(),
        }
    }

    /// The text: some 10 KiB, every line ended, the same order each time.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(16 * 1024);
        self.render_signing(&mut out);
        counters(
            &mut out,
            "keyward_unlock_failures_total",
            "Passwords and recovery keys that did not open the vault, or were not tried, by reason.",
            "reason",
            &self.unlock_failures,
        );
        head(
            &mut out,
            "keyward_commit_duration_seconds",
            "histogram",
            "Time of one COMMIT of the store, in which durability is paid.",
        );
        self.commits
            .render(&mut out, "keyward_commit_duration_seconds", "");
        head(
            &mut out,
            "keyward_commit_transactions",
            "histogram",
            "Transactions that share one COMMIT of the store.",
        );
        self.batches.render(&mut out, "keyward_commit_transactions", "");
        counters(
            &mut out,
            "keyward_store_errors_total",
            "Changes that the store could not make, by error code.",
            "code",
            &self.store_errors,
        );
        let name = "keyward_audit_entries_total";
        head(
            &mut out,
            name,
            "counter",
            "Audit entries, by what became of them on their way to the sink.",
        );
        for (fate, count) in EntryFate::ALL.iter().zip(&self.entries) {
            sample(&mut out, name, &[("fate", fate.as_str())], count);
        }
        out
    }

    fn render_signing(&self, out: &mut String) {
        let name = "keyward_signing_requests_total";
        head(
            out,
            name,
            "counter",
            "Requests for signatures, by kind and outcome.",
        );
        for (kind, outcomes) in self.requests.all() {
            for (outcome, count) in SigningOutcome::ALL.iter().zip(&outcomes.0) {
                sample(out, name, &[("kind", kind), ("outcome", outcome.as_str())], count);
            }
        }
        counters(
            out,
            "keyward_signatures_total",
            "Signatures made, by kind. Repetitions of one made before are not counted.",
            "kind",
            &self.signatures,
        );
        counters(
            out,
            "keyward_signing_refusals_total",
            "Reasons why requests were not signed, by code. One request may have several.",
            "reason",
            &self.refusals,
        );
        let name = "keyward_signing_duration_seconds";
        head(
            out,
            name,
            "histogram",
            "Time of one request for signatures, whatever its outcome.",
        );
        self.duration.render(out, name, "");
        let name = "keyward_signing_step_duration_seconds";
        head(
            out,
            name,
            "histogram",
            "Time of one step of a request for signatures.",
        );
        for (step, histogram) in SigningStep::ALL.iter().zip(&self.steps) {
            histogram.render(out, name, &format!("step=\"{}\",", step.as_str()));
        }
    }
}

impl Default for PrometheusMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PrometheusMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusMetrics").finish_non_exhaustive()
    }
}

impl Metrics for PrometheusMetrics {
    fn signing_finished(&self, kind: &'static str, outcome: SigningOutcome, took: Duration) {
        if let Some(count) = self.requests.of(kind).0.get(outcome as usize) {
            add(count, 1);
        }
        self.duration.observe(took);
    }

    fn signatures_made(&self, kind: &'static str, count: u64) {
        add(self.signatures.of(kind), count);
    }

    fn signing_step(&self, step: SigningStep, took: Duration) {
        if let Some(histogram) = self.steps.get(step as usize) {
            histogram.observe(took);
        }
    }

    fn signing_refused(&self, reason: &'static str) {
        add(self.refusals.of(reason), 1);
    }

    fn unlock_failed(&self, reason: &'static str) {
        add(self.unlock_failures.of(reason), 1);
    }

    fn committed(&self, transactions: u64, took: Duration) {
        self.batches.count(transactions);
        self.commits.observe(took);
    }

    fn store_failed(&self, code: &'static str) {
        add(self.store_errors.of(code), 1);
    }

    fn audit_entries(&self, fate: EntryFate, count: u64) {
        if let Some(counter) = self.entries.get(fate as usize) {
            add(counter, count);
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Help and type of a family. The help holds neither a backslash nor a line's end, which would be escaped.
fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    line(out, format_args!("# HELP {name} {help}"));
    line(out, format_args!("# TYPE {name} {kind}"));
}

/// A family with one label.
fn counters(out: &mut String, name: &str, help: &str, label: &str, words: &Words<AtomicU64>) {
    head(out, name, "counter", help);
    for (word, count) in words.all() {
        sample(out, name, &[(label, word)], count);
    }
}

fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], count: &AtomicU64) {
    let labels: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
        .collect();
    let count = count.load(Ordering::Relaxed);
    line(out, format_args!("{name}{{{}}} {count}", labels.join(",")));
}

/// A label's value as the format wants it. The services' own words need none of it; others implement the trait's callers.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}
