#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::chain::SignatureStatus;

const LAST_VALID: u64 = 1_000;
const SIGNATURE: Signature = Signature::new([7; 64]);

fn status(slot: u64, commitment: Commitment, error: Option<&str>) -> SignatureStatus {
    SignatureStatus {
        slot,
        commitment,
        error: error.map(str::to_string),
    }
}

fn nothing(scope: SearchScope, context_slot: u64) -> Event {
    Event::Found {
        scope,
        search: SignatureSearch {
            context_slot,
            status: None,
        },
    }
}

fn seen(commitment: Commitment, error: Option<&str>) -> Event {
    let search = SignatureSearch {
        context_slot: 2_000,
        status: Some(status(1_990, commitment, error)),
    };
    Event::Found {
        scope: SearchScope::Recent,
        search,
    }
}

fn tip(block_height: u64) -> Event {
    Event::Tip(ChainTip {
        slot: block_height + 500,
        block_height,
    })
}

fn unknown() -> Event {
    Event::Unknown {
        cause: "the node is away".into(),
    }
}

/// A tracker whose bytes are recorded and were sent once.
fn following() -> Tracker {
    let mut tracker = Tracker::new(LAST_VALID, Pace::default());
    for event in [
        Event::Start { now_ms: 0 },
        Event::Signed { signature: SIGNATURE },
        Event::Recorded,
        Event::Accepted,
    ] {
        tracker.handle(event);
    }
    tracker
}

fn end(effects: &[Effect]) -> Option<&TransferResult> {
    effects.iter().find_map(|effect| match effect {
        Effect::Finish(result) => Some(result),
        _ => None,
    })
}

fn end_after(tracker: &mut Tracker, events: Vec<Event>) -> Option<TransferResult> {
    events
        .into_iter()
        .find_map(|event| end(&tracker.handle(event)).cloned())
}

/// Following a transaction that lives by a nonce, which was seen at height [`LAST_VALID`].
fn by_nonce() -> Tracker {
    let mut tracker = Tracker::resume(SIGNATURE, AttemptState::Sent, LAST_VALID, Pace::default()).durable();
    tracker.handle(Event::Start { now_ms: 0 });
    tracker
}

#[test]
fn a_node_behind_where_the_nonce_was_seen_proves_nothing() {
    let gone = |block_height| Event::NonceGone {
        slot: block_height + 500,
        block_height,
    };
    for behind in [0, LAST_VALID - 1, LAST_VALID] {
        let events = vec![
            gone(behind),
            Event::HistoryStart { block_height: 0 },
            nothing(SearchScope::History, 100_000),
        ];
        assert_eq!(end_after(&mut by_nonce(), events), None, "{behind}");
    }
    let proven = vec![
        gone(LAST_VALID + 1),
        Event::HistoryStart { block_height: 0 },
        nothing(SearchScope::History, 100_000),
    ];
    assert_eq!(end_after(&mut by_nonce(), proven), Some(TransferResult::Expired));
}

#[test]
fn a_history_that_begins_after_the_nonce_was_seen_proves_nothing() {
    for (start, result) in [
        (LAST_VALID + 1, None),
        (LAST_VALID, Some(TransferResult::Expired)),
    ] {
        let events = vec![
            Event::NonceGone {
                slot: 50_000,
                block_height: LAST_VALID + 1,
            },
            Event::HistoryStart { block_height: start },
            nothing(SearchScope::History, 100_000),
        ];
        assert_eq!(end_after(&mut by_nonce(), events), result, "{start}");
    }
}

#[test]
fn a_search_long_after_the_tip_asks_how_far_the_history_reaches() {
    let slot = LAST_VALID + 1;
    let tip = || {
        Event::Tip(ChainTip {
            slot,
            block_height: LAST_VALID + 1,
        })
    };
    let soon = vec![tip(), nothing(SearchScope::History, slot + RECENT_BLOCKS - 1)];
    assert_eq!(end_after(&mut following(), soon), Some(TransferResult::Expired));
    let late = || vec![tip(), nothing(SearchScope::History, slot + RECENT_BLOCKS)];
    assert_eq!(end_after(&mut following(), late()), None);
    for (start, result) in [(0, Some(TransferResult::Expired)), (LAST_VALID, None)] {
        let mut events = late();
        events.push(Event::HistoryStart { block_height: start });
        events.push(nothing(SearchScope::History, slot + RECENT_BLOCKS));
        assert_eq!(end_after(&mut following(), events), result, "{start}");
    }
}

#[test]
fn the_bytes_are_recorded_before_they_are_sent() {
    let mut tracker = Tracker::new(LAST_VALID, Pace::default());
    let sign = tracker.handle(Event::Start { now_ms: 0 });
    assert_eq!(sign, [Effect::Report(TransferProgress::Signing), Effect::Sign]);
    assert_eq!(
        tracker.handle(Event::Signed { signature: SIGNATURE }),
        [Effect::Record]
    );
    assert_eq!(tracker.handle(Event::Tick { now_ms: 60_000 }), []);
    let sent = tracker.handle(Event::Recorded);
    assert_eq!(
        sent,
        [
            Effect::Report(TransferProgress::Recorded { signature: SIGNATURE }),
            Effect::Send
        ]
    );
    let accepted = tracker.handle(Event::Accepted);
    assert_eq!(
        accepted,
        [
            Effect::Report(TransferProgress::Sent {
                signature: SIGNATURE,
                times: 1
            }),
            Effect::Store {
                state: AttemptState::Sent,
                slot: None,
                error: None
            },
        ]
    );
    let again = tracker.handle(Event::Accepted);
    assert_eq!(
        again,
        [Effect::Report(TransferProgress::Sent {
            signature: SIGNATURE,
            times: 2
        })]
    );
}

#[test]
fn the_same_bytes_are_sent_again_at_intervals_while_they_can_land() {
    let mut tracker = following();
    let mut sends = 0;
    for now_ms in (0..20_000).step_by(200) {
        let effects = tracker.handle(Event::Tick { now_ms });
        sends += effects.iter().filter(|effect| **effect == Effect::Send).count();
        if effects.contains(&Effect::AskTip) {
            tracker.handle(tip(LAST_VALID));
        }
    }
    assert_eq!(sends, 9);
    tracker.handle(tip(LAST_VALID + 1));
    let after = tracker.handle(Event::Tick { now_ms: 60_000 });
    assert_eq!(after, [Effect::Search(SearchScope::History)]);
}

#[test]
fn ends_and_what_is_no_end() {
    let check = |events: Vec<Event>, expected: Option<TransferResult>| {
        assert_eq!(
            end_after(&mut following(), events.clone()),
            expected,
            "{events:?}"
        );
    };
    let confirmed = TransferResult::Confirmed { slot: 1_990 };
    let failed = TransferResult::Failed {
        slot: 1_990,
        error: "no".into(),
    };
    let history = |slot| nothing(SearchScope::History, slot);
    check(vec![seen(Commitment::Confirmed, None)], Some(confirmed.clone()));
    check(vec![seen(Commitment::Finalized, None)], Some(confirmed.clone()));
    check(vec![seen(Commitment::Confirmed, Some("no"))], Some(failed));
    check(
        vec![unknown(), unknown(), seen(Commitment::Confirmed, None)],
        Some(confirmed.clone()),
    );
    check(
        vec![
            Event::NotAccepted {
                cause: "already processed".into(),
            },
            seen(Commitment::Confirmed, None),
        ],
        Some(confirmed),
    );
    // A fork may still lose.
    check(vec![seen(Commitment::Processed, None)], None);
    check(vec![seen(Commitment::Processed, Some("no"))], None);
    // Not past the end yet.
    check(vec![tip(LAST_VALID), history(9_999)], None);
    check(vec![history(9_999)], None);
    // Past the end, but only the cache was searched, or by a node that lags behind the tip.
    check(vec![tip(1_001), nothing(SearchScope::Recent, 9_999)], None);
    check(vec![tip(1_001), history(1_500)], None);
    check(vec![tip(1_001), unknown()], None);
    check(
        vec![
            Event::NotAccepted {
                cause: "blockhash not found".into(),
            },
            history(9_999),
        ],
        None,
    );
    // The search came first: it cannot count for a later tip unless its node had reached that tip.
    check(vec![history(1_400), tip(1_001)], None);
    check(vec![tip(1_001), history(1_501)], Some(TransferResult::Expired));
    check(
        vec![tip(1_001), history(1_400), unknown(), history(1_502)],
        Some(TransferResult::Expired),
    );
    // Long past: the history must reach back to before it could land.
    check(vec![tip(5_000), history(9_999)], None);
    check(
        vec![
            tip(5_000),
            Event::HistoryStart { block_height: 900 },
            history(9_999),
        ],
        None,
    );
    check(
        vec![
            tip(5_000),
            Event::HistoryStart { block_height: 849 },
            history(9_999),
        ],
        Some(TransferResult::Expired),
    );
}

#[test]
fn a_short_chain_s_history_may_begin_at_its_genesis() {
    let mut tracker = Tracker::resume(SIGNATURE, AttemptState::Sent, 150, Pace::default());
    let events = vec![
        Event::Start { now_ms: 0 },
        tip(400),
        Event::HistoryStart { block_height: 0 },
        nothing(SearchScope::History, 10_000),
    ];
    assert_eq!(end_after(&mut tracker, events), Some(TransferResult::Expired));
}

#[test]
fn resuming_looks_before_it_sends_and_never_signs() {
    for state in [AttemptState::Signed, AttemptState::Sent] {
        let mut tracker = Tracker::resume(SIGNATURE, state, LAST_VALID, Pace::default());
        let first = tracker.handle(Event::Start { now_ms: 0 });
        assert_eq!(first, [Effect::Search(SearchScope::History), Effect::AskTip]);
        tracker.handle(nothing(SearchScope::History, 1_400));
        tracker.handle(tip(900));
        assert!(
            tracker
                .handle(Event::Tick { now_ms: 200 })
                .contains(&Effect::Send)
        );
    }
    for state in [
        AttemptState::Finalized,
        AttemptState::Failed,
        AttemptState::Expired,
    ] {
        let mut tracker = Tracker::resume(SIGNATURE, state, LAST_VALID, Pace::default());
        assert!(tracker.has_ended() && tracker.handle(Event::Start { now_ms: 0 }).is_empty());
    }
}

#[test]
fn silence_is_given_up_as_unknown() {
    let mut tracker = following();
    let pace = Pace::default();
    tracker.handle(unknown());
    assert!(
        !tracker
            .handle(Event::Tick {
                now_ms: pace.patience_ms - 1
            })
            .is_empty()
    );
    let last = tracker.handle(Event::Tick {
        now_ms: pace.patience_ms,
    });
    assert_eq!(
        last,
        [Effect::GiveUp {
            cause: "the node is away".into()
        }]
    );
    assert!(tracker.has_ended());
}

#[test]
fn a_cluster_that_stands_still_is_given_up_as_unknown() {
    let mut tracker = following();
    let given_up_at = (0..).step_by(1_000).find(|now_ms| {
        let effects = tracker.handle(Event::Tick { now_ms: *now_ms });
        tracker.handle(tip(500));
        tracker.handle(nothing(SearchScope::Recent, 1_000));
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::GiveUp { .. }))
    });
    assert_eq!(given_up_at, Some(Pace::default().total_ms));
}

fn any_event() -> impl Strategy<Value = Event> {
    let scope = prop_oneof![Just(SearchScope::Recent), Just(SearchScope::History)];
    let commitment = prop_oneof![
        Just(Commitment::Processed),
        Just(Commitment::Confirmed),
        Just(Commitment::Finalized)
    ];
    let found = prop_oneof![
        6 => Just(None),
        1 => (commitment, proptest::option::of(Just("no"))).prop_map(|(level, error)| Some(status(1_200, level, error))),
    ];
    prop_oneof![
        Just(Event::Start { now_ms: 0 }),
        Just(Event::Signed { signature: SIGNATURE }),
        Just(Event::Recorded),
        Just(Event::Accepted),
        Just(Event::NotAccepted { cause: "x".into() }),
        Just(Event::Hint),
        Just(unknown()),
        (0_u64..2_000_000).prop_map(|now_ms| Event::Tick { now_ms }),
        (0_u64..2_500, scope, found).prop_map(|(context_slot, scope, status)| Event::Found {
            scope,
            search: SignatureSearch { context_slot, status }
        }),
        (900_u64..1_300).prop_map(tip),
        (0_u64..1_000).prop_map(|block_height| Event::HistoryStart { block_height }),
    ]
}

/// Whether the events so far prove that the transaction can no longer land, written without looking at the tracker.
fn proven_expired(events: &[Event]) -> bool {
    let Some(Event::Found {
        scope: SearchScope::History,
        search,
    }) = events.last()
    else {
        return false;
    };
    let reaches = events.iter().any(
        |event| matches!(event, Event::HistoryStart { block_height } if *block_height <= LAST_VALID - 151),
    );
    search.status.is_none()
        && events.iter().any(|event| match event {
            Event::Tip(tip) => {
                let recent = tip.block_height <= LAST_VALID + 100;
                tip.block_height > LAST_VALID && search.context_slot >= tip.slot && (recent || reaches)
            }
            _ => false,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_order_of_events_signs_twice_sends_early_or_expires_without_proof(
        resumed in any::<bool>(),
        events in proptest::collection::vec(any_event(), 1..60),
    ) {
        let pace = Pace::default();
        let mut tracker = match resumed {
            true => Tracker::resume(SIGNATURE, AttemptState::Sent, LAST_VALID, pace),
            false => Tracker::new(LAST_VALID, pace),
        };
        let (mut signs, mut ends) = (0, 0);
        for at in 0..events.len() {
            let so_far = events.get(..=at).unwrap();
            let ended = tracker.has_ended();
            let effects = tracker.handle(events.get(at).unwrap().clone());
            prop_assert!(!ended || effects.is_empty());
            for effect in &effects {
                match effect {
                    Effect::Sign => signs += 1,
                    Effect::Send => prop_assert!(resumed || so_far.contains(&Event::Recorded)),
                    Effect::Finish(TransferResult::Expired) | Effect::Store { state: AttemptState::Expired, .. } => {
                        prop_assert!(proven_expired(so_far), "{so_far:?}");
                    }
                    _ => {}
                }
                ends += usize::from(matches!(effect, Effect::Finish(_) | Effect::GiveUp { .. }));
            }
        }
        prop_assert!(signs <= usize::from(!resumed));
        prop_assert!(ends <= 1);
    }
}
