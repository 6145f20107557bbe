//! A sink that is slow, fails or panics: nothing waits for it, and it hears of what it missed.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use keyward_core::audit::{Operation, Outcome};

use super::*;
use crate::metrics::PrometheusMetrics;

fn row(sequence: u64) -> LedgerRow {
    let entry = AuditEntry {
        sequence,
        time_ms: 1_800_000_000_000 + sequence,
        actor: "tester".to_owned(),
        operation: Operation::Unlock,
        wallet: None,
        outcome: Outcome::Done,
        reason: String::new(),
        subject: None,
        details: String::new(),
        client_address: None,
        client_fingerprint: None,
    };
    LedgerRow {
        leaf_hash: entry.leaf_hash(),
        entry,
        head_signature: None,
    }
}

fn rows(sequences: std::ops::Range<u64>) -> Vec<LedgerRow> {
    sequences.map(row).collect()
}

/// What a sink was told, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Entries(Vec<u64>),
    Missed(u64, u64, u64),
}

/// What it does when it is called.
#[derive(Clone, Copy)]
enum Mood {
    Well,
    Fail,
    Panic,
}

/// Asks for leave at every call, and answers as it is told then.
struct Scripted {
    called: SyncSender<Told>,
    mood: Mutex<Receiver<Mood>>,
}

impl Scripted {
    fn tell(&self, told: Told) -> Result<(), SinkError> {
        self.called.send(told).unwrap();
        match self.mood.lock().unwrap_or_else(PoisonError::into_inner).recv() {
            Ok(Mood::Fail) => Err("the disk of the sink is full".into()),
            Ok(Mood::Panic) => panic!("the sink panics, as the test asked"),
            Ok(Mood::Well) | Err(_) => Ok(()),
        }
    }
}

impl AuditSink for Scripted {
    fn write(&self, entries: &[CommittedEntry]) -> Result<(), SinkError> {
        for committed in entries {
            assert_eq!(committed.leaf_hash, committed.entry.leaf_hash());
        }
        self.tell(Told::Entries(
            entries.iter().map(|one| one.entry.sequence).collect(),
        ))
    }

    fn missed(&self, missed: MissedEntries) -> Result<(), SinkError> {
        self.tell(Told::Missed(missed.count, missed.first, missed.last))
    }
}

struct Scene {
    feed: Feed,
    metrics: Arc<PrometheusMetrics>,
    told: Receiver<Told>,
    mood: SyncSender<Mood>,
}

fn scene(capacity: usize) -> Scene {
    let (called, told) = sync_channel(1_000);
    let (mood, moods) = sync_channel(1_000);
    let metrics = Arc::new(PrometheusMetrics::new());
    let sink = Scripted {
        called,
        mood: Mutex::new(moods),
    };
    let feed = Feed::start(Arc::new(sink), metrics.clone(), capacity).unwrap();
    Scene {
        feed,
        metrics,
        told,
        mood,
    }
}

impl Scene {
    /// Waits for the next call.
    fn next(&self) -> Told {
        self.told.recv().unwrap()
    }

    fn answer(&self, mood: Mood) {
        self.mood.send(mood).unwrap();
    }

    fn counted(&self, fate: &str) -> u64 {
        let text = self.metrics.render();
        let line = format!("keyward_audit_entries_total{{fate=\"{fate}\"}} ");
        let value = text.lines().find_map(|have| have.strip_prefix(&line)).unwrap();
        value.parse().unwrap()
    }
}

#[tokio::test]
async fn entries_come_in_order_and_all_of_them_before_the_end() {
    let scene = scene(10_000);
    for _ in 0..1_000 {
        scene.answer(Mood::Well);
    }
    for start in (0..2_000).step_by(7) {
        scene.feed.push(rows(start..start + 7));
    }
    scene.feed.close().await;
    let mut all = Vec::new();
    while let Ok(Told::Entries(entries)) = scene.told.try_recv() {
        assert!(entries.len() <= 256);
        all.extend(entries);
    }
    assert_eq!(all, (0..2_002).collect::<Vec<_>>());
    assert_eq!(scene.counted("delivered"), 2_002);
}

#[tokio::test]
async fn a_slow_sink_holds_nothing_up_and_hears_of_the_gap_in_its_place() {
    let scene = scene(3);
    scene.feed.push(rows(0..1));
    assert_eq!(scene.next(), Told::Entries(vec![0]));
    // It thinks about that one; three fit, five do not.
    scene.feed.push(rows(1..6));
    scene.feed.push(rows(8..11));
    assert_eq!(scene.counted("dropped"), 5);
    scene.answer(Mood::Well);
    assert_eq!(scene.next(), Told::Entries(vec![1, 2, 3]));
    scene.feed.push(rows(11..13));
    scene.answer(Mood::Well);
    assert_eq!(scene.next(), Told::Missed(5, 4, 10));
    scene.answer(Mood::Well);
    assert_eq!(scene.next(), Told::Entries(vec![11, 12]));
    scene.answer(Mood::Well);
    scene.feed.close().await;
    assert_eq!((scene.counted("delivered"), scene.counted("dropped")), (6, 5));
    // Closed, it takes nothing more, and nobody waits.
    scene.feed.push(rows(13..14));
    assert_eq!(scene.counted("dropped"), 6);
}

#[tokio::test]
async fn what_a_sink_fails_to_take_is_told_as_missed_before_anything_else() {
    let scene = scene(100);
    scene.feed.push(rows(0..2));
    assert_eq!(scene.next(), Told::Entries(vec![0, 1]));
    scene.feed.push(rows(2..3));
    scene.answer(Mood::Fail);
    // The gap cannot be told either: what follows is not given, but joins it.
    assert_eq!(scene.next(), Told::Missed(2, 0, 1));
    scene.feed.push(rows(3..5));
    scene.answer(Mood::Panic);
    assert_eq!(scene.next(), Told::Missed(3, 0, 2));
    scene.answer(Mood::Well);
    assert_eq!(scene.next(), Told::Entries(vec![3, 4]));
    scene.answer(Mood::Panic);
    scene.answer(Mood::Well);
    scene.feed.close().await;
    assert_eq!(
        scene.next(),
        Told::Missed(2, 3, 4),
        "told at the end at the latest"
    );
    assert_eq!((scene.counted("delivered"), scene.counted("failed")), (0, 5));
}

#[tokio::test]
async fn the_thread_ends_with_its_feed() {
    let scene = scene(10);
    for _ in 0..3 {
        scene.answer(Mood::Well);
    }
    scene.feed.push(rows(0..2));
    let mut ended = scene.feed.ended.clone();
    drop(scene.feed);
    ended.wait_for(|ended| *ended).await.unwrap();
    assert_eq!(scene.told.try_iter().count(), 1);
}

#[test]
fn a_queue_of_none_or_without_end_is_refused() {
    let (called, _told) = sync_channel(1);
    let (_, moods) = sync_channel(1);
    let sink = Arc::new(Scripted {
        called,
        mood: Mutex::new(moods),
    });
    for capacity in [0, MAX_SINK_QUEUE + 1] {
        let error = Feed::start(sink.clone(), Arc::new(PrometheusMetrics::new()), capacity).err();
        assert_eq!(error.unwrap().code(), "invalid");
    }
}
