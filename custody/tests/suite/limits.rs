//! The rate, the pause and the lockout: for all handles together, across restarts, and over when they should be.

use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{
    AuditQuery, AuditReport, Custody, CustodyError, Password, SettingKey, SignError, WalletPasswords,
    WalletQuery,
};

use crate::fixture::{Fixture, first, password, transfer, transfer_from};

fn wrong() -> Password {
    Password::new("not the password 77".to_owned())
}

fn own() -> Password {
    Password::new("harrow plinth 3317 oboe".to_owned())
}

async fn set(custody: &Custody, changes: &[(SettingKey, u64)]) {
    custody.change_settings(changes, &password(), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_slides_for_all_handles_together() {
    let fixture = Fixture::new();
    let handles = [fixture.vault(1).await, fixture.unlocked().await];
    set(&handles[0], &[(SettingKey::SignaturesPerMinute, 4)]).await;
    // At 0 s, 10 s, 20 s and 30 s, each by the other handle.
    for at in 0..4_u8 {
        handles[usize::from(at % 2)]
            .sign_transaction(transfer(1, at))
            .await
            .unwrap();
        fixture.clock.advance(10_000);
    }
    // At 40 s every handle is told the same, also one opened now: the first place is free at 60 s.
    let newcomer = fixture.unlocked().await;
    for handle in handles.iter().chain([&newcomer]) {
        let error = handle.sign_transaction(transfer(1, 9)).await.unwrap_err();
        let expected = matches!(
            error,
            SignError::RateLimited {
                limit: 4,
                retry_after_ms: 20_000,
                ..
            }
        );
        assert!(expected, "{error}");
    }
    // A place frees as each leaves the window, not all at once: at 60 s one, at 70 s one more.
    for (wait_ms, nonce) in [(20_000, 10), (10_000, 11)] {
        fixture.clock.advance(wait_ms - 1);
        newcomer.sign_transaction(transfer(1, nonce)).await.unwrap_err();
        fixture.clock.advance(1);
        newcomer.sign_transaction(transfer(1, nonce)).await.unwrap();
        let error = handles[0]
            .sign_transaction(transfer(1, nonce + 100))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "rate-limited", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_from_the_settings_holds_under_contention() {
    let fixture = Fixture::new();
    let handles = [
        fixture.vault(2).await,
        fixture.unlocked().await,
        fixture.unlocked().await,
    ];
    set(&handles[1], &[(SettingKey::SignaturesPerMinute, 7)]).await;
    let query = WalletQuery {
        limit: 2,
        ..WalletQuery::default()
    };
    let wallets = handles[2].wallets(&query).await.unwrap().rows;
    let mut tasks = tokio::task::JoinSet::new();
    for nonce in 0..40_u8 {
        let custody = handles[usize::from(nonce) % 3].clone();
        let payer = *wallets[usize::from(nonce) % 2].solana().unwrap();
        tasks.spawn(async move { custody.sign_transaction(transfer_from(payer, 1, nonce)).await });
    }
    let (mut signed, mut limited) = (0, 0);
    for done in tasks.join_all().await {
        match done {
            Ok(_) => signed += 1,
            Err(SignError::RateLimited { limit: 7, .. }) => limited += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((signed, limited), (14, 26), "seven of each wallet");
    let worst = "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM intents GROUP BY wallet_id) AS counted";
    assert_eq!(fixture.number(worst).await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_the_pause_lets_one_through() {
    let fixture = Fixture::new();
    let handles = [
        fixture.vault(1).await,
        fixture.unlocked().await,
        fixture.unlocked().await,
    ];
    set(&handles[0], &[(SettingKey::MinSignatureInterval, 5_000)]).await;
    for round in 0..3_u8 {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..12_u8 {
            let custody = handles[usize::from(task) % 3].clone();
            tasks.spawn(async move { custody.sign_transaction(transfer(1, round * 20 + task)).await });
        }
        let mut signed = 0;
        for done in tasks.join_all().await {
            match done {
                Ok(_) => signed += 1,
                Err(SignError::TooSoon {
                    interval_ms: 5_000,
                    retry_after_ms: 5_000,
                    ..
                }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(signed, 1, "round {round}");
        fixture.clock.advance(5_000);
    }
    // Lifted by one, it is lifted for all.
    set(&handles[2], &[(SettingKey::MinSignatureInterval, 0)]).await;
    for nonce in 200..205 {
        handles[1].sign_transaction(transfer(1, nonce)).await.unwrap();
    }
}

/// Entries about unlocking that failed or was not tried.
async fn refusals(custody: &Custody, operation: Operation) -> u64 {
    let query = AuditQuery {
        operation: Some(operation),
        outcome: Some(Outcome::Refused),
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().total
}

#[tokio::test]
async fn the_vaults_delay_doubles_up_to_its_bound_and_survives_every_restart() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let settings = [
        (SettingKey::MaxFailedAttempts, 3),
        (SettingKey::LockoutFirst, 10_000),
        (SettingKey::LockoutMax, 60_000),
    ];
    set(&custody, &settings).await;
    custody.close().await.unwrap();
    let (mut tried, mut waited) = (0, 0);
    for delay_ms in [0, 0, 10_000, 20_000, 40_000, 60_000, 60_000] {
        // Another process each time.
        let custody = fixture.open().await;
        let error = custody.unlock(&wrong(), None).await.unwrap_err();
        assert!(matches!(error, CustodyError::WrongPassword), "{error}");
        tried += 1;
        custody.close().await.unwrap();
        let custody = fixture.open().await;
        if delay_ms > 0 {
            for left_ms in [delay_ms, 1] {
                fixture.clock.advance(delay_ms - left_ms);
                let error = custody.unlock(&password(), None).await.unwrap_err();
                let expected =
                    matches!(error, CustodyError::LockedOut { retry_after_ms } if retry_after_ms == left_ms);
                assert!(expected, "{error} after {delay_ms}");
                waited += 1;
                if left_ms == delay_ms {
                    continue;
                }
                fixture.clock.advance(1);
            }
        }
        custody.close().await.unwrap();
    }
    let custody = fixture.open().await;
    custody.unlock(&password(), None).await.unwrap();
    assert_eq!(refusals(&custody, Operation::UnlockFailed).await, tried);
    assert_eq!(refusals(&custody, Operation::Lockout).await, waited);
    // The right one cleared it: the whole budget is there again.
    for _ in 0..2 {
        custody.unlock(&wrong(), None).await.unwrap_err();
    }
    custody.unlock(&password(), None).await.unwrap();
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn a_wallets_delay_doubles_is_its_own_and_survives_restarts() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let settings = [
        (SettingKey::MaxFailedAttempts, 2),
        (SettingKey::LockoutFirst, 10_000),
        (SettingKey::LockoutMax, 30_000),
    ];
    set(&custody, &settings).await;
    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    custody.close().await.unwrap();
    let sign = async |custody: &Custody, password: Password, nonce| {
        let passwords = WalletPasswords::of_one(first(), password);
        custody
            .sign_transaction_with(transfer(1, nonce), &passwords)
            .await
    };
    let mut waited = 0;
    for (nonce, delay_ms) in [(1, 0), (2, 10_000), (3, 20_000), (4, 30_000), (5, 30_000)] {
        let custody = fixture.unlocked().await;
        let error = sign(&custody, wrong(), nonce).await.unwrap_err();
        assert_eq!(error.code(), "wrong-wallet-password", "{error}");
        custody.close().await.unwrap();
        let custody = fixture.unlocked().await;
        if delay_ms > 0 {
            fixture.clock.advance(delay_ms - 1);
            let error = sign(&custody, own(), nonce).await.unwrap_err();
            let expected = matches!(
                error,
                SignError::Custody(CustodyError::WalletLockedOut {
                    retry_after_ms: 1,
                    ..
                })
            );
            assert!(expected, "{error}");
            let shown = custody.wallet_lockout(first()).await.unwrap().unwrap();
            assert_eq!((shown.failures, shown.retry_after_ms), (u32::from(nonce), 1));
            waited += 1;
            fixture.clock.advance(1);
        }
        // Others are not held up by it.
        let second = custody.wallet("#1").await.unwrap();
        let other = transfer_from(*second.solana().unwrap(), 1, nonce);
        custody.sign_transaction(other).await.unwrap();
        custody.close().await.unwrap();
    }
    let custody = fixture.unlocked().await;
    sign(&custody, own(), 6).await.unwrap();
    assert_eq!(
        custody.wallet_lockout(first()).await.unwrap().unwrap().failures,
        0
    );
    let other = custody.wallet("#1").await.unwrap();
    assert_eq!(custody.wallet_lockout(other.address).await.unwrap(), None);
    assert_eq!(
        fixture.number("SELECT MAX(failed_passwords) FROM wallets").await,
        0
    );
    let query = |outcome, text: &str| AuditQuery {
        wallet: Some(first().into()),
        outcome: Some(outcome),
        text: text.to_owned(),
        ..AuditQuery::default()
    };
    let failed = query(Outcome::Failed, "password");
    assert_eq!(custody.audit_entries(&failed).await.unwrap().total, 5);
    let refused = query(Outcome::Refused, "wallet-locked-out");
    assert_eq!(custody.audit_entries(&refused).await.unwrap().total, waited);
    // Cleared: one wrong one is free again.
    sign(&custody, wrong(), 7).await.unwrap_err();
    sign(&custody, own(), 7).await.unwrap();
}
