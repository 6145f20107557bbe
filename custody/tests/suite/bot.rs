//! The documented example of an embedding program does what it says.

use crate::exposition::parse;
use crate::place::Place;
use crate::trading_bot::{Workload, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_trading_bot_signs_what_it_was_told_and_its_metrics_say_so() {
    let place = Place::new();
    let workload = Workload {
        transactions: 60,
        tasks: 8,
        wallets: 4,
    };
    let figures = run(place.location(), workload).await.unwrap();
    assert_eq!(figures.latencies.len(), 60);
    assert!(figures.latencies.is_sorted());
    assert_eq!(figures.followed, figures.entries, "the sink saw everything");
    let read = parse(&figures.metrics).unwrap();
    let labels = [("kind", "transaction"), ("outcome", "signed")];
    assert_eq!(read.value("keyward_signing_requests_total", &labels), 60.0);
    assert_eq!(
        read.value("keyward_signing_refusals_total", &[("reason", "not-allowed")]),
        1.0
    );
    assert_eq!(
        read.value("keyward_audit_entries_total", &[("fate", "dropped")]),
        0.0
    );
}
