//! How long replaced keys stay of use.

use super::*;

contract!(
    the_grace_period_ends_when_it_says,
    more_time_lasts_whatever_keys_come,
    an_old_key_is_retired_when_asked_for,
    fewer_kept_keys_retire_the_others,
);

async fn the_grace_period_ends_when_it_says(scene: Scene) {
    let to = rotate(&scene, scene.wallet).await;
    for (now, pending) in [(START + 30 * DAY - 1, 0), (START + 30 * DAY, 1)] {
        scene.set_clock(now);
        assert_eq!(scene.custody.due_retirements(10).await.unwrap().total, pending);
        let retired = scene.custody.retire_due().await.unwrap();
        assert_eq!(retired.len(), usize::try_from(pending).unwrap(), "at {now}");
    }
    assert_eq!(statuses(&scene, to).await, ["active", "retired"]);
    assert_eq!(wallet(&scene, scene.wallet).await.status_ms, START + 30 * DAY);
    assert_eq!(scene.custody.due_retirements(10).await.unwrap().total, 0);
    assert!(scene.custody.retire_due().await.unwrap().is_empty());
    assert_eq!(
        entries(&scene, Operation::RetireWallet, Some(scene.wallet)).await,
        1
    );
    let error = scene.custody.rotate_wallet(scene.wallet, None).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::AlreadyRotated { replacement, .. } if replacement == to),
        "{error:?}"
    );
}

async fn more_time_lasts_whatever_keys_come(scene: Scene) {
    let custody = &scene.custody;
    let error = custody.extend_rotated(scene.wallet, days(7)).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
    let mut newest = scene.wallet;
    for day in 1..=4 {
        on_day(&scene, day);
        newest = rotate(&scene, newest).await;
    }
    assert_eq!(
        statuses(&scene, newest).await,
        ["active", "rotated", "rotated", "rotated", "retired"]
    );
    // The retired one is brought back for a week, and the first of the kept ones is to stay for two.
    let first_kept = custody.rotation_chain(newest).await.unwrap()[3].address;
    let until = custody.extend_rotated(scene.wallet, days(7)).await.unwrap();
    assert_eq!(until, START + 11 * DAY);
    // It had 30 days from its rotation on, which is longer.
    let until = custody.extend_rotated(first_kept, days(14)).await.unwrap();
    assert_eq!(until, START + 32 * DAY);
    for day in 5..=8 {
        on_day(&scene, day);
        newest = rotate(&scene, newest).await;
    }
    let expected = [
        "active", "rotated", "rotated", "rotated", "retired", "retired", "retired", "rotated", "rotated",
    ];
    assert_eq!(statuses(&scene, newest).await, expected);
    on_day(&scene, 11);
    assert_eq!(custody.retire_due().await.unwrap(), [scene.wallet]);
    assert_eq!(entries(&scene, Operation::ExtendGrace, None).await, 2);
    let error = custody.extend_rotated(newest, days(7)).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
    intact(&scene).await;
}

async fn an_old_key_is_retired_when_asked_for(scene: Scene) {
    let custody = &scene.custody;
    let to = rotate(&scene, scene.wallet).await;
    // All or none: the newest is in use.
    let error = custody.retire_rotated(&[scene.wallet, to]).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
    assert_eq!(status(&scene, scene.wallet).await, WalletStatus::Rotated);
    for _ in 0..2 {
        custody.retire_rotated(&[scene.wallet]).await.unwrap();
        assert_eq!(status(&scene, scene.wallet).await, WalletStatus::Retired);
    }
    assert_eq!(entries(&scene, Operation::RetireWallet, None).await, 1);
    assert!(custody.retire_rotated::<AccountAddress>(&[]).await.is_err());
}

async fn fewer_kept_keys_retire_the_others(scene: Scene) {
    let set = async |kept: u64| {
        scene
            .custody
            .change_settings(&[(crate::SettingKey::KeptKeys, kept)], &vault_password(), None)
            .await
            .unwrap();
    };
    set(100).await;
    let mut newest = scene.wallet;
    for day in 1..=6 {
        on_day(&scene, day);
        newest = rotate(&scene, newest).await;
    }
    assert_eq!(statuses(&scene, newest).await[1..], ["rotated"; 6]);
    set(1).await;
    on_day(&scene, 7);
    let rotation = scene.custody.rotate_wallet(newest, None).await.unwrap();
    assert_eq!(rotation.retired.len(), 6);
    assert_eq!(statuses(&scene, newest).await[..2], ["active", "rotated"]);
    assert_eq!(statuses(&scene, newest).await[2..], ["retired"; 6]);
    // None at all: the key that is replaced signs nothing from then on.
    set(0).await;
    let rotation = scene.custody.rotate_wallet(rotation.to, None).await.unwrap();
    assert_eq!(rotation.retired, [rotation.from, newest]);
    assert_eq!(statuses(&scene, newest).await[1..], ["retired"; 8]);
}
