//! The database server is taken away and comes back while a handle is in use: what could not be done says so and how to
//! mend it, nothing is done twice, and the handle goes on without being opened anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use keyward_core::address::Address;
use keyward_custody::{
    Custody, CustodyError, DeriveRequest, OpenOptions, Progress, SettingKey, SignError, StoreLocation,
    SystemClock, WalletQuery,
};
use keyward_tests::chaos::place::Place;
use keyward_tests::chaos::proxy::Proxy;
use keyward_tests::chaos::random::Random;
use keyward_tests::chaos::scene;
use keyward_tests::postgres::{PostgresServer, Stop, administer};

/// How long an operation may take when the server is away, and to work again when it is back.
const BOUND: Duration = Duration::from_secs(90);

/// A vault on a server of the test's own, with some wallets.
struct Scene {
    server: Arc<Mutex<PostgresServer>>,
    place: Place,
    custody: Custody,
    wallets: Vec<Address>,
}

impl Scene {
    /// The same vault, through a network that can be told to be bad.
    async fn through_a_proxy() -> anyhow::Result<(Self, Proxy)> {
        let scene = Self::new().await?;
        let proxy = Proxy::start(&scene.place.address())?;
        let location = StoreLocation::parse(&proxy.through(&scene.place.address())?)?;
        let custody = Custody::open(&location, options()).await?;
        custody.unlock(&scene::password(), None).await?;
        Ok((Self { custody, ..scene }, proxy))
    }

    async fn new() -> anyhow::Result<Self> {
        let server = tokio::task::spawn_blocking(|| PostgresServer::start(false)).await??;
        let place = Place::on_server(server.url())?;
        let custody = scene::vault(&place, options(), &[], 3).await?;
        custody
            .change_settings(
                &[(SettingKey::SignaturesPerMinute, 1_000_000)],
                &scene::password(),
                None,
            )
            .await?;
        let wallets = scene::wallets(&custody, 3).await?;
        Ok(Self {
            server: Arc::new(Mutex::new(server)),
            place,
            custody,
            wallets,
        })
    }

    /// Has the server stopped or started, off the async threads.
    async fn order(
        &self,
        order: impl FnOnce(&mut PostgresServer) -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || order(&mut server.lock().unwrap())).await?
    }
}

/// With the time that people wait, not what these tests give a busy machine.
fn options() -> OpenOptions {
    OpenOptions {
        busy_timeout_ms: OpenOptions::default().busy_timeout_ms,
        ..scene::options(Arc::new(SystemClock), "tester")
    }
}

/// What three tasks were told while the server went and came.
#[derive(Default)]
struct Told {
    /// By the payments' numbers.
    signatures: Mutex<BTreeMap<u64, String>>,
    signed: AtomicU64,
    derived: AtomicU64,
    listed: AtomicU64,
    /// Those of which the server was the cause.
    refused: AtomicU64,
    /// Those of which it is not known whether they were done.
    unknown_derivations: AtomicU64,
}

/// Whether it is the server's absence that is told of, with a remedy; whether the outcome is unknown.
fn told_of_absence(error: &CustodyError) -> anyhow::Result<bool> {
    ensure!(!error.to_string().is_empty() && !error.remedy().is_empty());
    match error {
        CustodyError::Unreachable { detail } => {
            ensure!(!detail.is_empty(), "no cause");
            Ok(false)
        }
        CustodyError::OutcomeUnknown => Ok(true),
        CustodyError::AuditUnwritable(cause) => told_of_absence(cause),
        other => bail!("{other:?}"),
    }
}

async fn sign(scene: &Scene, told: &Told, ends: &AtomicBool) -> anyhow::Result<()> {
    let mut number = 0_u64;
    while !ends.load(Ordering::Relaxed) {
        number += 1;
        let at = usize::try_from(number)? % scene.wallets.len();
        let payment = scene::payment(scene.wallets[at], 5, number)?;
        // Until it is signed: however often it is asked for, it is one.
        loop {
            let asked = tokio::time::timeout(BOUND, scene.custody.sign_transaction(payment.clone()));
            match asked.await.context("a signature that never ends")? {
                Ok(signed) => {
                    let signature = signed.signature.to_string();
                    told.signatures.lock().unwrap().insert(number, signature);
                    break;
                }
                Err(SignError::Custody(error)) => {
                    told_of_absence(&error)?;
                    told.refused.fetch_add(1, Ordering::Relaxed);
                }
                Err(other) => bail!("{other:?}"),
            }
        }
        told.signed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn derive(scene: &Scene, told: &Told, ends: &AtomicBool) -> anyhow::Result<()> {
    while !ends.load(Ordering::Relaxed) {
        let request = DeriveRequest {
            count: 2,
            ..DeriveRequest::default()
        };
        let progress = Progress::new();
        let asked = tokio::time::timeout(BOUND, scene.custody.derive_wallets(request, &progress));
        match asked.await.context("a derivation that never ends")? {
            Ok(_) => {
                told.derived.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if told_of_absence(&error)? {
                    told.unknown_derivations.fetch_add(1, Ordering::Relaxed);
                }
                told.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

async fn list(scene: &Scene, told: &Told, ends: &AtomicBool) -> anyhow::Result<()> {
    while !ends.load(Ordering::Relaxed) {
        let query = WalletQuery::default();
        let asked = tokio::time::timeout(BOUND, scene.custody.wallets(&query));
        match asked.await.context("a page that never ends")? {
            Ok(page) => {
                ensure!(page.total >= 3, "wallets are gone");
                told.listed.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                ensure!(!told_of_absence(&error)?, "a page has no outcome to be unknown");
                told.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// Waits until each of the counters has moved on.
async fn all_go_on(told: &Told) -> anyhow::Result<()> {
    let counters = [&told.signed, &told.derived, &told.listed];
    let before = counters.map(|counter| counter.load(Ordering::Relaxed));
    keyward_tests::wait::until("the handle goes on", BOUND, async || {
        counters
            .iter()
            .zip(before)
            .all(|(counter, before)| counter.load(Ordering::Relaxed) > before + 1)
            .then_some(())
    })
    .await
}

/// All three at once, while `away` does its worst.
async fn through(scene: &Scene, away: impl AsyncFnOnce(&Told) -> anyhow::Result<()>) -> anyhow::Result<Told> {
    let (told, ends) = (Told::default(), AtomicBool::new(false));
    let disturbing = async {
        all_go_on(&told).await?;
        let disturbed = away(&told).await;
        if disturbed.is_ok() {
            all_go_on(&told).await?;
        }
        ends.store(true, Ordering::Relaxed);
        disturbed
    };
    tokio::try_join!(
        disturbing,
        sign(scene, &told, &ends),
        derive(scene, &told, &ends),
        list(scene, &told, &ends)
    )?;
    Ok(told)
}

/// What was told, against what is there.
async fn check(scene: &Scene, told: &Told) -> anyhow::Result<()> {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (place, custody) = (&scene.place, &scene.custody);
    let signatures = std::mem::take(&mut *told.signatures.lock().unwrap());
    ensure!(!signatures.is_empty(), "nothing was signed");
    let signed = signatures.len() as u64;
    // A server that loses its memory may have lost that a payment was signed, never that it was allowed (decision 0005).
    // Asked for again, it is the same signature and the same reservation.
    for (number, signature) in signatures {
        let at = usize::try_from(number)? % scene.wallets.len();
        let payment = scene::payment(scene.wallets[at], 5, number)?;
        let again = custody.sign_transaction(payment).await?;
        ensure!(
            again.signature.to_string() == signature,
            "payment {number} was signed otherwise"
        );
    }
    for (what, from) in [
        ("COUNT(*)", "intents WHERE state = 'signed'"),
        ("COUNT(DISTINCT signature)", "intents"),
        ("COUNT(*)", "intents"),
        ("COUNT(*)", "spend_reservations"),
    ] {
        let found = place.number(what, from).await?;
        ensure!(
            found == signed,
            "{what} of {from} is {found} of {signed} payments"
        );
    }
    let wallets = place.number("COUNT(*)", "wallets").await?;
    let ranges = wallets.checked_sub(3).context("wallets are gone")? / 2;
    let (derived, unknown) = (load(&told.derived), load(&told.unknown_derivations));
    ensure!(
        wallets % 2 == 1 && (derived..=derived + unknown).contains(&ranges),
        "{wallets} wallets of {derived} derivations, {unknown} unknown"
    );
    for what in ["MAX(derivation_index) + 1", "COUNT(DISTINCT address)"] {
        ensure!(place.number(what, "wallets").await? == wallets, "{what}");
    }
    scene::intact(custody).await?;
    Ok(())
}

async fn server_goes(how: Stop) -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let told = through(&scene, async |told| {
        scene.order(move |server| server.stop(how)).await?;
        let before = told.refused.load(Ordering::Relaxed);
        keyward_tests::wait::until("somebody is told", BOUND, async || {
            (told.refused.load(Ordering::Relaxed) > before + 2).then_some(())
        })
        .await?;
        scene.order(PostgresServer::start_again).await
    })
    .await?;
    check(&scene, &told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_shut_down_and_started_again_is_used_again() -> anyhow::Result<()> {
    server_goes(Stop::Fast).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_at_once_and_recovers_is_used_again() -> anyhow::Result<()> {
    server_goes(Stop::Immediate).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_recovers_is_used_again() -> anyhow::Result<()> {
    server_goes(Stop::Kill).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_are_made_anew() -> anyhow::Result<()> {
    const TIMES: u64 = 20;
    let scene = Scene::new().await?;
    let mut random = Random::new(u64::from(std::process::id()));
    let told = through(&scene, async |told| {
        for _ in 0..TIMES {
            // After a number of operations that nobody knows.
            let done =
                |told: &Told| told.signed.load(Ordering::Relaxed) + told.derived.load(Ordering::Relaxed);
            let enough = done(told) + random.below(4);
            keyward_tests::wait::until("work goes on", BOUND, async || {
                (done(told) >= enough).then_some(())
            })
            .await?;
            let url = scene.place.address();
            let ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
            tokio::task::spawn_blocking(move || administer(&url, ends)).await?;
        }
        Ok(())
    })
    .await?;
    check(&scene, &told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_cuts_messages_in_the_middle_does_nothing_twice() -> anyhow::Result<()> {
    const CUTS: u64 = 12;
    let (scene, proxy) = Scene::through_a_proxy().await?;
    let mut random = Random::new(u64::from(std::process::id()));
    let told = through(&scene, async |_| {
        for cut in 1..=CUTS {
            proxy.cut_after(1 + random.below(6_000));
            keyward_tests::wait::until("a cut", BOUND, async || (proxy.cuts() >= cut).then_some(())).await?;
        }
        proxy.refuse(true);
        proxy.refuse(false);
        Ok(())
    })
    .await?;
    check(&scene, &told).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_network_held_back_is_done_once_when_it_arrives() -> anyhow::Result<()> {
    let (scene, proxy) = Scene::through_a_proxy().await?;
    let told = through(&scene, async |_| {
        for _ in 0..3 {
            proxy.hold(true);
            // A question or an answer of those who write and of those who read.
            keyward_tests::wait::until("held back", BOUND, async || (proxy.held() >= 2).then_some(()))
                .await?;
            proxy.hold(false);
        }
        Ok(())
    })
    .await?;
    check(&scene, &told).await
}
