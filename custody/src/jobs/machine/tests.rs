//! The machine in a world of its own: a chain with forks, lost and late transactions, expiring blockhashes and nodes that
//! lag or say nothing; a store that outlives the machine; and a death after any step.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod world;

use proptest::prelude::*;
use world::{Faults, Plan, World};

use super::*;

/// Runs a plan to its end, dying after the steps named; how many steps it took in all.
fn run(mut world: World, mut deaths: Vec<usize>) -> usize {
    let mut steps = 0;
    let mut lives = 0;
    loop {
        lives += 1;
        assert!(lives < 200, "it never ends: {world:#?}");
        let until = (!deaths.is_empty()).then(|| deaths.remove(0));
        let (took, outcome) = world.live(until);
        steps += took;
        match outcome {
            Some(JobOutcome::Done) => break,
            // Nobody answered for long, or a node lagged: a person starts it again.
            Some(JobOutcome::Unknown { .. } | JobOutcome::Held { .. }) | None => {}
            Some(JobOutcome::Stopped) => panic!("nobody stopped it"),
        }
    }
    world.check_end();
    steps
}

fn small(faults: Faults) -> World {
    World::new(
        Plan {
            groups: vec![vec![0, 1], vec![2]],
            ..Plan::default()
        },
        faults,
        1,
    )
}

/// Every death, and every pair of deaths, of a small plan.
fn die_everywhere(make: impl Fn() -> World) {
    let whole = run(make(), Vec::new());
    assert!(whole > 15, "{whole}");
    for first in 0..=whole {
        run(make(), vec![first]);
        for second in 0..=whole {
            run(make(), vec![first, second]);
        }
    }
}

#[test]
fn each_is_paid_once_whenever_it_dies() {
    die_everywhere(|| small(Faults::default()));
}

#[test]
fn each_is_paid_once_when_the_first_sendings_are_lost_and_expire() {
    die_everywhere(|| {
        small(Faults {
            lost_batches: vec![1],
            ..Faults::default()
        })
    });
}

#[test]
fn each_is_paid_once_when_it_lands_only_just_before_it_expires() {
    die_everywhere(|| {
        small(Faults {
            landing_blocks: world::LIFE_BLOCKS,
            ..Faults::default()
        })
    });
}

#[test]
fn each_is_paid_once_when_a_fork_takes_a_landing_back() {
    die_everywhere(|| {
        small(Faults {
            forked_batches: vec![1],
            ..Faults::default()
        })
    });
}

#[test]
fn the_one_that_fails_on_chain_is_found_and_the_others_are_paid() {
    for names_culprit in [true, false] {
        die_everywhere(|| {
            let plan = Plan {
                groups: vec![vec![0, 1], vec![2]],
                fails_on_chain: vec![1],
                names_culprit,
                ..Plan::default()
            };
            World::new(plan, Faults::default(), 1)
        });
    }
}

#[test]
fn the_one_whose_simulation_fails_costs_nothing_and_the_others_are_paid() {
    for names_culprit in [true, false] {
        let plan = Plan {
            groups: vec![(0..8).collect()],
            fails_to_simulate: vec![5],
            names_culprit,
            ..Plan::default()
        };
        run(World::new(plan, Faults::default(), 1), Vec::new());
    }
}

#[test]
fn a_node_that_hides_what_landed_by_its_status_cannot_make_it_pay_twice() {
    die_everywhere(|| {
        small(Faults {
            hides_status: true,
            ..Faults::default()
        })
    });
}

#[test]
fn a_node_that_calls_final_what_never_landed_cannot_make_it_forget() {
    let mut world = small(Faults {
        lost_batches: vec![1],
        invents_finality: true,
        ..Faults::default()
    });
    let (_, outcome) = world.live(None);
    assert!(matches!(outcome, Some(JobOutcome::Unknown { .. })), "{outcome:?}");
    world.stop_lying();
    run(world, Vec::new());
}

#[test]
fn a_history_that_was_cut_before_it_was_searched_proves_nothing() {
    let mut world = small(Faults {
        lost_batches: vec![1],
        searched_later: 5_000,
        history_start: 4_000,
        ..Faults::default()
    });
    let (_, outcome) = world.live(None);
    assert!(matches!(outcome, Some(JobOutcome::Unknown { .. })), "{outcome:?}");
    world.remember_all();
    run(world, Vec::new());
}

#[test]
fn a_changed_state_in_the_store_is_looked_at_again_before_anything_is_paid_twice() {
    let mut world = small(Faults::default());
    assert_eq!(world.live(None).1, Some(JobOutcome::Done));
    world.call_expired(1);
    assert_eq!(world.live(None).1, Some(JobOutcome::Done));
    world.check_end();
}

#[test]
fn a_job_that_is_paused_signs_nothing_more_and_follows_what_was_sent() {
    for at in 0..40 {
        let mut world = small(Faults::default());
        let (_, outcome) = world.live(Some(at));
        if outcome.is_some() {
            break;
        }
        world.pause();
        let recorded = world.recorded();
        let outcome = world.live(None).1.unwrap();
        assert!(matches!(outcome, JobOutcome::Stopped | JobOutcome::Done));
        assert_eq!(world.recorded(), recorded);
        assert_eq!(world.unfinished(), 0);
        world.resume();
        run(world, Vec::new());
    }
}

#[test]
fn a_locked_vault_follows_what_was_sent_and_holds_the_rest() {
    for at in 0..40 {
        let mut world = small(Faults::default());
        if world.live(Some(at)).1.is_some() {
            break;
        }
        world.lock(true);
        let recorded = world.recorded();
        let outcome = world.live(None).1.unwrap();
        assert!(
            matches!(outcome, JobOutcome::Held { .. } | JobOutcome::Done),
            "{outcome:?}"
        );
        assert_eq!((world.recorded(), world.unfinished()), (recorded, 0));
        world.lock(false);
        run(world, Vec::new());
    }
}

#[test]
fn two_processes_on_one_job_pay_each_once() {
    for seed in 0..300 {
        let plan = Plan {
            groups: (0..6).map(|group| vec![group * 2, group * 2 + 1]).collect(),
            ..Plan::default()
        };
        let mut world = World::new(plan, Faults::random(seed), seed);
        world.live_together();
        run(world, Vec::new());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn large_plans_with_every_fault_and_many_deaths(
        seed in any::<u64>(),
        sizes in prop::collection::vec(1_u32..12, 1..30),
        deaths in prop::collection::vec(0_usize..400, 0..12),
        bad in prop::collection::vec((0_u32..330, any::<bool>()), 0..6),
        names_culprit in any::<bool>(),
    ) {
        let mut next = 0..;
        let groups: Vec<Vec<u32>> = sizes.iter().map(|size| next.by_ref().take(*size as usize).collect()).collect();
        let total: u32 = sizes.iter().sum();
        let bad = bad.into_iter().map(|(item, early)| (item % total, early));
        let (early, late): (Vec<_>, Vec<_>) = bad.partition(|(_, early)| *early);
        let plan = Plan {
            groups,
            fails_to_simulate: early.into_iter().map(|(item, _)| item).collect(),
            fails_on_chain: late.into_iter().map(|(item, _)| item).collect(),
            names_culprit,
        };
        run(World::new(plan, Faults::random(seed), seed), deaths);
    }
}

#[test]
fn nothing_is_sent_before_it_is_recorded_and_no_more_than_allowed_is_under_way() {
    let plan = Plan {
        groups: (0..100).map(|group| vec![group]).collect(),
        ..Plan::default()
    };
    let mut world = World::new(plan, Faults::default(), 3);
    assert_eq!(world.live(None).1, Some(JobOutcome::Done));
    assert!(
        world.most_under_way() <= world::pace().in_flight,
        "{}",
        world.most_under_way()
    );
    assert!(world.most_under_way() > 4);
    world.check_end();
}
