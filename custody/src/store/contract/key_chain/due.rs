//! Schedules, and runs by them.

use super::*;

contract!(
    schedules_are_by_role_or_by_hand,
    due_wallets_come_in_pages_the_longest_due_first,
    a_run_goes_on_after_a_failure,
    a_run_ends_when_the_vault_is_locked,
);

async fn schedules_are_by_role_or_by_hand(scene: Scene) {
    let custody = &scene.custody;
    let other = derive(&scene, PathFamily::EvmBip44, 1).await[0];
    let both = [scene.wallet, other];
    let times = custody.schedule_rotation(&both, Schedule::ByRole).await.unwrap();
    assert_eq!(times, [Some(START + 90 * DAY); 2]);
    let times = custody
        .schedule_rotation(&[other, other], Schedule::Every(days(3)))
        .await
        .unwrap();
    assert_eq!(times, [Some(START + 3 * DAY); 2]);
    let shown = wallet(&scene, other).await;
    assert_eq!(
        (shown.rotate_every_ms, shown.rotate_at_ms),
        (Some(3 * DAY), Some(START + 3 * DAY))
    );
    // A wallet that is for trading is rotated daily.
    let trading = rotated_for_trading(&scene).await;
    let times = custody
        .schedule_rotation(&[trading], Schedule::ByRole)
        .await
        .unwrap();
    assert_eq!(times, [Some(START + DAY)]);
    let times = custody
        .schedule_rotation(&[other], Schedule::Never)
        .await
        .unwrap();
    assert_eq!(times, [None]);
    let shown = wallet(&scene, other).await;
    assert_eq!((shown.rotate_every_ms, shown.rotate_at_ms), (None, None));
    // All or none, and only what is in use.
    let error = custody
        .schedule_rotation(&[other, scene.wallet], Schedule::ByRole)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::WalletRetired { .. }), "{error:?}");
    assert_eq!(wallet(&scene, other).await.rotate_every_ms, None);
    let stranger: AccountAddress = Address::new([9; 32]).into();
    let error = custody
        .schedule_rotation(&[other, stranger], Schedule::ByRole)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error:?}");
    let none: [AccountAddress; 0] = [];
    assert!(custody.schedule_rotation(&none, Schedule::Never).await.is_err());
    assert_eq!(entries(&scene, Operation::ScheduleRotation, None).await, 5);
}

/// The first wallet's next key, whose role is trading.
async fn rotated_for_trading(scene: &Scene) -> AccountAddress {
    let id = scene.id().await;
    let change = Replacement {
        new: crate::store::NewWallet {
            index: Some(77),
            ..replacement(id, 9).new
        },
        ..replacement(id, 9)
    };
    let address = change.new.address;
    scene
        .write(vec![Write::Key(KeyChange::Replace(Box::new(change)))])
        .await
        .unwrap();
    address
}

async fn due_wallets_come_in_pages_the_longest_due_first(scene: Scene) {
    let custody = &scene.custody;
    let wallets = derive(&scene, PathFamily::Bip44Change, 7).await;
    // Two of them at each time but the last.
    for (at, wallet) in wallets.iter().enumerate() {
        let every = days(4 - u64::try_from(at).unwrap() / 2);
        custody
            .schedule_rotation(&[*wallet], Schedule::Every(every))
            .await
            .unwrap();
    }
    let query = |within_ms, after, limit| DueQuery {
        within_ms,
        after,
        limit,
    };
    assert_eq!(custody.due_rotations(query(0, None, 10)).await.unwrap().total, 0);
    assert_eq!(
        custody
            .due_rotations(query(DAY - 1, None, 10))
            .await
            .unwrap()
            .total,
        0
    );
    assert_eq!(
        custody.due_rotations(query(DAY, None, 10)).await.unwrap().total,
        1
    );
    assert_eq!(
        custody
            .due_rotations(query(u64::MAX, None, 10))
            .await
            .unwrap()
            .total,
        7
    );
    on_day(&scene, 3);
    let expected: Vec<_> = [6, 4, 5, 2, 3].into_iter().map(|at| wallets[at]).collect();
    for size in 1..=6 {
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..7 {
            let page = custody.due_rotations(query(0, after, size)).await.unwrap();
            assert_eq!(page.total, 5);
            found.extend(page.rows.iter().map(|wallet| wallet.address));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {size}");
    }
    let error = custody.due_rotations(query(0, None, 1_001)).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
    // Also while it is locked.
    let locked = scene::open(&scene.place, &scene.clock).await;
    assert_eq!(locked.due_rotations(DueQuery::default()).await.unwrap().total, 5);
}

async fn a_run_goes_on_after_a_failure(scene: Scene) {
    let custody = &scene.custody;
    let full = derive(&scene, PathFamily::Bip44, 1).await[0];
    let protected = derive(&scene, PathFamily::EvmBip44, 1).await[0];
    let others = derive(&scene, PathFamily::Bip44Change, 3).await;
    custody
        .set_wallet_password(protected, None, &own())
        .await
        .unwrap();
    let mut all = vec![scene.wallet, full, protected];
    all.extend(&others);
    custody
        .schedule_rotation(&all, Schedule::Every(days(1)))
        .await
        .unwrap();
    let next_index = 1 << 31;
    scene
        .write(vec![Write::NextIndex {
            master: 1,
            family: PathFamily::Bip44,
            next_index,
        }])
        .await
        .unwrap();
    let progress = Progress::new();
    // An old key whose time is over at that moment.
    let replaced = derive(&scene, PathFamily::EvmLegacy, 1).await[0];
    let replaced = if replaced == protected {
        derive(&scene, PathFamily::EvmLegacy, 1).await[0]
    } else {
        replaced
    };
    rotate(&scene, replaced).await;
    on_day(&scene, 30);
    let report = custody.rotate_due(4, &progress).await.unwrap();
    assert!(report.stopped.is_none(), "{report:?}");
    assert_eq!(
        report.rotated.len() + report.failed.len() + report.skipped.len(),
        4
    );
    let report_2 = custody.rotate_due(100, &progress).await.unwrap();
    let rotated: Vec<_> = report
        .rotated
        .iter()
        .chain(&report_2.rotated)
        .map(|done| done.from)
        .collect();
    let mut expected = vec![scene.wallet];
    expected.extend(&others);
    assert_eq!(rotated, expected);
    for wallet in &rotated {
        assert_eq!(status(&scene, *wallet).await, WalletStatus::Rotated);
    }
    // Told each time, and in nobody's way.
    assert_eq!(report_2.failed.len(), 1);
    assert_eq!(
        (report_2.failed[0].wallet, report_2.failed[0].error.code()),
        (full, "invalid")
    );
    assert_eq!(report_2.first_error().unwrap().code(), "invalid");
    assert_eq!(report_2.skipped.len(), 1);
    assert_eq!(report_2.skipped[0].wallet, protected);
    assert_eq!(report_2.skipped[0].reason, SkipReason::OwnPassword);
    assert_eq!(report_2.still_due, 2);
    assert_eq!(report.retired, [replaced]);
    // A missed month is one rotation: the next is a day from now.
    let page = custody
        .due_rotations(DueQuery {
            within_ms: DAY,
            ..DueQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(page.total, 6);
    for limit in [0, 10_001] {
        assert!(custody.rotate_due(limit, &progress).await.is_err());
    }
    intact(&scene).await;
}

async fn a_run_ends_when_the_vault_is_locked(scene: Scene) {
    let custody = &scene.custody;
    custody
        .schedule_rotation(&[scene.wallet], Schedule::Every(days(1)))
        .await
        .unwrap();
    on_day(&scene, 1);
    let progress = Progress::new();
    progress.cancel();
    let report = custody.rotate_due(10, &progress).await.unwrap();
    assert!(
        matches!(report.stopped, Some(CustodyError::Cancelled)),
        "{report:?}"
    );
    assert_eq!(report.still_due, 1);
    custody.lock().await;
    let error = custody.rotate_due(10, &Progress::new()).await.unwrap_err();
    assert!(matches!(error, CustodyError::Locked), "{error:?}");
    for outcome in [
        custody.rotate_wallet(scene.wallet, None).await.map(|_| ()),
        custody.retire_due().await.map(|_| ()),
        custody.extend_rotated(scene.wallet, days(1)).await.map(|_| ()),
        custody.retire_rotated(&[scene.wallet]).await,
        custody
            .schedule_rotation(&[scene.wallet], Schedule::Never)
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(outcome, Err(CustodyError::Locked)), "{outcome:?}");
    }
    assert_eq!(statuses(&scene, scene.wallet).await, ["active"]);
}
