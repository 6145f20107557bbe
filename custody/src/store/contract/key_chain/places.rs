//! What of an owner's, of a role and of deletion a rotation meets.

use super::*;

contract!(
    an_owners_place_and_its_primary_are_the_new_keys,
    a_deleted_wallet_is_not_rotated_and_an_old_key_can_be_deleted,
    two_runs_at_once_rotate_each_wallet_once,
);

async fn an_owners_place_and_its_primary_are_the_new_keys(scene: Scene) {
    let custody = &scene.custody;
    custody.create_owner("ada").await.unwrap();
    let mut others = derive(&scene, PathFamily::Bip44Change, 3).await;
    let fourth = others.remove(2);
    custody
        .assign_wallets("ada", &[scene.wallet, others[0], others[1]])
        .await
        .unwrap();
    custody.set_primary(scene.wallet).await.unwrap();
    custody.set_role(&[scene.wallet], "trading").await.unwrap();
    let times = custody
        .schedule_rotation(&[scene.wallet, others[0]], Schedule::ByRole)
        .await
        .unwrap();
    assert_eq!(times, [Some(START + DAY), Some(START + 90 * DAY)]);
    let mut newest = scene.wallet;
    for day in 1..=4 {
        on_day(&scene, day);
        newest = rotate(&scene, newest).await;
    }
    let chain = custody.rotation_chain(newest).await.unwrap();
    for (at, key) in chain.iter().enumerate() {
        assert_eq!(key.owner.as_deref(), Some("ada"));
        assert_eq!(key.role, "trading");
        assert_eq!(key.is_primary, at == 0, "{at}");
        assert_eq!(key.rotate_every_ms, (at == 0).then_some(DAY));
    }
    let facts = scene.look(of_wallets(&[newest, scene.wallet], 0)).await;
    assert!(facts.wallets[0].state.slot.is_some());
    assert_eq!(facts.wallets[1].state.slot, None);
    // All three of her places are taken, as before: old keys count for nothing, and free nothing.
    let error = custody.assign_wallets("ada", &[fourth]).await.unwrap_err();
    assert_eq!(error.code(), "owner-full", "{error:?}");
    assert!(custody.set_primary(scene.wallet).await.is_err());
    custody.set_primary(others[0]).await.unwrap();
    assert!(!wallet(&scene, newest).await.is_primary);
    let next = rotate(&scene, newest).await;
    assert!(!wallet(&scene, next).await.is_primary);
    assert!(wallet(&scene, others[0]).await.is_primary);
    intact(&scene).await;
}

async fn a_deleted_wallet_is_not_rotated_and_an_old_key_can_be_deleted(scene: Scene) {
    let custody = &scene.custody;
    let to = rotate(&scene, scene.wallet).await;
    custody.delete_wallet(to).await.unwrap();
    for error in [
        custody.rotate_wallet(to, None).await.unwrap_err(),
        custody.extend_rotated(to, days(1)).await.unwrap_err(),
        custody.retire_rotated(&[to]).await.unwrap_err(),
        custody
            .schedule_rotation(&[to], Schedule::ByRole)
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, CustodyError::WalletDeleted { .. }), "{error:?}");
    }
    custody.restore_wallet(to).await.unwrap();
    custody.delete_wallet(scene.wallet).await.unwrap();
    on_day(&scene, 40);
    assert!(custody.retire_due().await.unwrap().is_empty());
    let newest = rotate(&scene, to).await;
    assert_eq!(statuses(&scene, newest).await, ["active", "rotated", "deleted"]);
    let error = custody.extend_rotated(scene.wallet, days(1)).await.unwrap_err();
    assert!(matches!(error, CustodyError::WalletDeleted { .. }), "{error:?}");
    intact(&scene).await;
}

async fn two_runs_at_once_rotate_each_wallet_once(scene: Scene) {
    let mut wallets = derive(&scene, PathFamily::Bip44Change, 5).await;
    wallets.push(scene.wallet);
    let custody = &scene.custody;
    custody
        .schedule_rotation(&wallets, Schedule::Every(days(1)))
        .await
        .unwrap();
    on_day(&scene, 2);
    let other = scene::open(&scene.place, &scene.clock).await;
    other.unlock(&vault_password(), None).await.unwrap();
    let (progress, its_progress) = (Progress::new(), Progress::new());
    let (one, two) = tokio::join!(
        custody.rotate_due(100, &progress),
        other.rotate_due(100, &its_progress)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    for report in [&one, &two] {
        assert!(report.first_error().is_none(), "{report:?}");
        let by_another = |skipped: &crate::SkippedRotation| skipped.reason == SkipReason::DoneByAnother;
        assert!(report.skipped.iter().all(by_another), "{report:?}");
    }
    let mut rotated: Vec<_> = one.rotated.iter().chain(&two.rotated).collect();
    rotated.sort_by_key(|rotation| rotation.index);
    let indices: Vec<_> = rotated.iter().map(|rotation| rotation.index).collect();
    assert_eq!(indices, (6..12).collect::<Vec<u32>>());
    for wallet in wallets {
        assert_eq!(statuses(&scene, wallet).await, ["active", "rotated"]);
    }
    intact(&scene).await;
}
