//! What is counted and timed, and the text that Prometheus reads.

use std::sync::Arc;
use std::time::Duration;

use keyward_custody::{
    Custody, EntryFate, Metrics, OpenOptions, Password, PrometheusMetrics, SigningOutcome, SigningStep,
};

use crate::exposition::{Exposition, parse};
use crate::fixture::{FIRST, Fixture, first, password, transfer};

fn read(metrics: &PrometheusMetrics) -> Exposition {
    parse(&metrics.render()).unwrap()
}

async fn counted(fixture: &Fixture) -> (Custody, Arc<PrometheusMetrics>) {
    let metrics = Arc::new(PrometheusMetrics::new());
    let options = OpenOptions {
        metrics: metrics.clone(),
        ..fixture.options()
    };
    (
        Custody::open(&fixture.location(), options).await.unwrap(),
        metrics,
    )
}

#[test]
fn a_fresh_collector_renders_every_family_at_zero() {
    let text = PrometheusMetrics::new().render();
    let read = parse(&text).unwrap();
    let names: Vec<&str> = read.0.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "keyward_audit_entries_total",
            "keyward_commit_duration_seconds",
            "keyward_commit_transactions",
            "keyward_signatures_total",
            "keyward_signing_duration_seconds",
            "keyward_signing_refusals_total",
            "keyward_signing_requests_total",
            "keyward_signing_step_duration_seconds",
            "keyward_store_errors_total",
            "keyward_unlock_failures_total",
        ]
    );
    let values = read.0.values().flat_map(|family| &family.samples);
    assert!(values.clone().count() > 100);
    assert!(values.into_iter().all(|(_, _, value)| *value == 0.0));
}

#[test]
fn what_is_observed_is_in_its_bucket_and_in_the_sum() {
    let metrics = PrometheusMetrics::new();
    for (took, kind) in [
        (100_000, "transaction"),
        (100_001, "transaction"),
        (11_000_000_000, "message"),
    ] {
        metrics.signing_finished(kind, SigningOutcome::Signed, Duration::from_nanos(took));
    }
    metrics.signing_step(SigningStep::KeyUsed, Duration::from_micros(250));
    metrics.committed(3, Duration::from_millis(2));
    metrics.committed(300, Duration::from_millis(2));
    metrics.audit_entries(EntryFate::Dropped, 7);
    let read = read(&metrics);
    let bucket = |le| read.value("keyward_signing_duration_seconds_bucket", &[("le", le)]);
    assert_eq!(
        ["0.0001", "0.00025", "10", "+Inf"].map(bucket),
        [1.0, 2.0, 2.0, 3.0]
    );
    let sum = read.value("keyward_signing_duration_seconds_sum", &[]);
    assert!((sum - 11.000_200_001).abs() < 1e-9, "{sum}");
    let labels = [("step", "key-used"), ("le", "0.00025")];
    assert_eq!(
        read.value("keyward_signing_step_duration_seconds_bucket", &labels),
        1.0
    );
    let batch = |le| read.value("keyward_commit_transactions_bucket", &[("le", le)]);
    assert_eq!(["2", "4", "256", "+Inf"].map(batch), [0.0, 1.0, 1.0, 2.0]);
    assert_eq!(read.value("keyward_commit_transactions_sum", &[]), 303.0);
    let labels = [("kind", "transaction"), ("outcome", "signed")];
    assert_eq!(read.value("keyward_signing_requests_total", &labels), 2.0);
    assert_eq!(
        read.value("keyward_audit_entries_total", &[("fate", "dropped")]),
        7.0
    );
}

#[test]
fn a_word_with_quotes_and_line_ends_is_escaped() {
    let metrics = PrometheusMetrics::new();
    metrics.signing_refused("a\"b\\c\nd");
    assert!(metrics.render().contains("reason=\"a\\\"b\\\\c\\nd\"} 1"));
    let labels = [("reason", "a\"b\\c\nd")];
    assert_eq!(
        read(&metrics).value("keyward_signing_refusals_total", &labels),
        1.0
    );
}

#[tokio::test]
async fn signing_is_counted_by_outcome_and_timed_by_step() {
    let fixture = Fixture::new();
    fixture.vault(2).await.close().await.unwrap();
    let (custody, metrics) = counted(&fixture).await;
    // Locked, then with a wrong password, then right.
    custody.sign_transaction(transfer(5, 1)).await.unwrap_err();
    let wrong = Password::new("not the password 77".to_owned());
    custody.unlock(&wrong, None).await.unwrap_err();
    custody.unlock(&password(), None).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody.sign_transaction(transfer(6, 2)).await.unwrap();
    custody
        .sign_transaction(transfer(u64::MAX / 2, 3))
        .await
        .unwrap_err();
    let mut cut = transfer(5, 4);
    cut.transaction.pop();
    custody.sign_transaction(cut).await.unwrap_err();
    custody.sign_message(first(), b"hello").await.unwrap();

    let read = read(&metrics);
    let requests = |kind, outcome| {
        let labels = [("kind", kind), ("outcome", outcome)];
        read.value("keyward_signing_requests_total", &labels)
    };
    assert_eq!(requests("transaction", "signed"), 3.0);
    assert_eq!(requests("transaction", "refused"), 3.0);
    assert_eq!(requests("transaction", "error"), 0.0);
    assert_eq!(requests("message", "signed"), 1.0);
    let signatures = |kind| read.value("keyward_signatures_total", &[("kind", kind)]);
    assert_eq!((signatures("transaction"), signatures("message")), (2.0, 1.0));
    let refusals = |reason| read.value("keyward_signing_refusals_total", &[("reason", reason)]);
    assert_eq!(refusals("locked"), 1.0);
    assert_eq!(refusals("undecodable"), 1.0);
    let family = &read.0["keyward_signing_refusals_total"];
    let all: f64 = family.samples.iter().map(|(_, _, value)| value).sum();
    assert!(all >= 3.0, "{family:?}");
    let unlocks = |reason| read.value("keyward_unlock_failures_total", &[("reason", reason)]);
    assert_eq!(unlocks("wrong-password"), 1.0);
    // Every request is timed; each step but those of a repetition.
    assert_eq!(read.value("keyward_signing_duration_seconds_count", &[]), 7.0);
    for (step, times) in [
        ("checked", 4.0),
        ("evaluated", 3.0),
        ("authorised", 3.0),
        ("key-used", 3.0),
        ("recorded", 3.0),
    ] {
        let count = read.value("keyward_signing_step_duration_seconds_count", &[("step", step)]);
        assert_eq!(count, times, "{step}");
    }
    let commits = read.value("keyward_commit_duration_seconds_count", &[]);
    assert!(commits >= 1.0, "{commits}");
    let entries = read.value("keyward_audit_entries_total", &[("fate", "committed")]);
    // Locked, wrong, unlocked, two entries for each of three signatures, one for each of two refusals.
    assert_eq!(entries, 11.0);
}

#[tokio::test]
async fn no_label_ever_names_a_wallet_a_network_or_an_actor() {
    let fixture = Fixture::new();
    fixture.vault(3).await.close().await.unwrap();
    let (custody, metrics) = counted(&fixture).await;
    custody.unlock(&password(), None).await.unwrap();
    for nonce in 0..3 {
        custody.sign_transaction(transfer(5, nonce)).await.unwrap();
    }
    custody
        .sign_transaction(transfer(u64::MAX / 2, 9))
        .await
        .unwrap_err();
    custody.sign_message(first(), b"x").await.unwrap();
    for value in read(&metrics).label_values() {
        let is_word = value.chars().all(|c| c.is_ascii_lowercase() || "-_".contains(c));
        let is_bound = value == "+Inf" || value.chars().all(|c| c.is_ascii_digit() || c == '.');
        assert!(value.len() <= 40 && (is_word || is_bound), "{value}");
    }
    assert!(!metrics.render().contains(FIRST));
}
