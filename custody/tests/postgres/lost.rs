//! What a broken connection leaves behind: a commit is never taken for a failure, nor the other way round.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use keyward_core::audit::Operation;
use keyward_custody::{AuditQuery, AuditReport, Custody, CustodyError, StoreLocation};

use crate::fixture::{Fixture, first, password};

/// What happens to the next COMMIT, and to connections after it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Mode {
    /// Everything goes through.
    Pass,
    /// The next COMMIT reaches the server, its answer does not come back.
    LoseAnswer,
    /// The next COMMIT does not reach the server.
    LoseQuestion,
    /// As `LoseAnswer`, and then nobody gets through any more.
    LoseAnswerAndServer,
    /// Nobody gets through.
    Refuse,
}

const MODES: [Mode; 5] = [
    Mode::Pass,
    Mode::LoseAnswer,
    Mode::LoseQuestion,
    Mode::LoseAnswerAndServer,
    Mode::Refuse,
];

/// COMMIT as the driver sends it: a simple query.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Stands between the store and the server.
struct Proxy {
    port: u16,
    mode: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self {
            port,
            mode: Arc::new(AtomicU8::new(Mode::Pass as u8)),
            open: Arc::default(),
        };
        let (mode, open) = (proxy.mode.clone(), proxy.open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if MODES[usize::from(mode.load(Ordering::SeqCst))] == Mode::Refuse {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for stream in [&client, &server] {
                    open.lock().unwrap().push(stream.try_clone().unwrap());
                }
                relay(client, server, &mode, &open);
            }
        });
        proxy
    }

    fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        if mode == Mode::Refuse {
            close_all(&self.open);
        }
    }
}

fn close_all(open: &Mutex<Vec<TcpStream>>) {
    for stream in open.lock().unwrap().drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn relay(client: TcpStream, server: TcpStream, mode: &Arc<AtomicU8>, open: &Arc<Mutex<Vec<TcpStream>>>) {
    let cut = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (mut from_server, mut to_client) = (server, client);
    let (mode, cutting, all) = (mode.clone(), cut.clone(), open.clone());
    let mode_after = mode.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(read @ 1..) = from_client.read(&mut bytes) {
            let sent = &bytes[..read];
            if sent.windows(COMMIT.len()).any(|window| window == COMMIT) {
                match MODES[usize::from(mode.load(Ordering::SeqCst))] {
                    Mode::LoseAnswer => {
                        mode.store(Mode::Pass as u8, Ordering::SeqCst);
                        cutting.store(true, Ordering::SeqCst);
                    }
                    Mode::LoseAnswerAndServer => {
                        mode.store(Mode::Refuse as u8, Ordering::SeqCst);
                        cutting.store(true, Ordering::SeqCst);
                    }
                    Mode::LoseQuestion => {
                        mode.store(Mode::Pass as u8, Ordering::SeqCst);
                        break;
                    }
                    Mode::Pass | Mode::Refuse => {}
                }
            }
            if to_server.write_all(sent).is_err() {
                break;
            }
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            // The server has answered, so the commit is done.
            if cut.load(Ordering::SeqCst) || to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        // Those that are open already are not left to find out by.
        if mode_after.load(Ordering::SeqCst) == Mode::Refuse as u8 {
            close_all(&all);
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

/// A vault with so many wallets, unlocked through a proxy.
async fn through_a_proxy(wallets: u32) -> (Fixture, Proxy, Custody) {
    let fixture = Fixture::new();
    fixture.vault(wallets).await.close().await.unwrap();
    let url = fixture.place.url();
    let (before, after) = url.rsplit_once('@').unwrap();
    let (server, database) = after.split_once('/').unwrap();
    let proxy = Proxy::start(server.to_owned());
    let url = format!("{before}@127.0.0.1:{}/{database}?sslmode=disable", proxy.port);
    let location = StoreLocation::parse(&url).unwrap();
    let custody = Custody::open(&location, fixture.options()).await.unwrap();
    custody.unlock(&password(), None).await.unwrap();
    (fixture, proxy, custody)
}

/// The wallet's label, and how often the log says that it was set.
async fn labelled(custody: &Custody) -> (String, u64) {
    let query = AuditQuery {
        operation: Some(Operation::SetLabel),
        ..AuditQuery::default()
    };
    let entries = custody.audit_entries(&query).await.unwrap().total;
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    (custody.wallet("#0").await.unwrap().label, entries)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_out() {
    let (_fixture, proxy, custody) = through_a_proxy(1).await;
    proxy.set(Mode::LoseAnswer);
    custody.set_label(first(), "treasury").await.unwrap();
    assert_eq!(labelled(&custody).await, ("treasury".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_a_failure_and_changed_nothing() {
    let (_fixture, proxy, custody) = through_a_proxy(1).await;
    proxy.set(Mode::LoseQuestion);
    let error = custody.set_label(first(), "treasury").await.unwrap_err();
    assert!(matches!(error, CustodyError::Unreachable { .. }), "{error:?}");
    assert_eq!(labelled(&custody).await, (String::new(), 0));
    custody.set_label(first(), "treasury").await.unwrap();
    assert_eq!(labelled(&custody).await, ("treasury".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_cannot_be_found_out_is_said_to_be_unknown() {
    let (_fixture, proxy, custody) = through_a_proxy(1).await;
    proxy.set(Mode::LoseAnswerAndServer);
    let error = custody.set_label(first(), "treasury").await.unwrap_err();
    assert!(matches!(error, CustodyError::OutcomeUnknown), "{error:?}");
    proxy.set(Mode::Pass);
    assert_eq!(
        labelled(&custody).await,
        ("treasury".to_owned(), 1),
        "it was done"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_is_used_again_when_it_is_back() {
    let (_fixture, proxy, custody) = through_a_proxy(1).await;
    proxy.set(Mode::Refuse);
    for _ in 0..2 {
        let error = custody.set_label(first(), "treasury").await.unwrap_err();
        assert!(matches!(error, CustodyError::Unreachable { .. }), "{error:?}");
        let error = custody.status().await.unwrap_err();
        assert!(matches!(error, CustodyError::Unreachable { .. }), "{error:?}");
    }
    proxy.set(Mode::Pass);
    custody.set_label(first(), "treasury").await.unwrap();
    assert_eq!(labelled(&custody).await, ("treasury".to_owned(), 1));
}

/// Labels every wallet at the same moment, and says what each was told and what came of it.
async fn label_at_once(custody: &Custody, count: u32) -> Vec<(Result<(), CustodyError>, String)> {
    let mut wallets = Vec::new();
    for index in 0..count {
        wallets.push(custody.wallet(&format!("#{index}")).await.unwrap().address);
    }
    let tasks: Vec<_> = wallets
        .into_iter()
        .map(|wallet| {
            let custody = custody.clone();
            tokio::spawn(async move { custody.set_label(wallet, "treasury").await })
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap());
    }
    let mut all = Vec::new();
    for (index, told) in (0..count).zip(told) {
        // Nobody gets through to see it, perhaps.
        let wallet = custody.wallet(&format!("#{index}")).await;
        all.push((told, wallet.map_or_else(|_| String::new(), |wallet| wallet.label)));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_in_a_lost_commit_is_told_what_became_of_it() {
    const WALLETS: u32 = 24;
    for mode in [Mode::LoseAnswer, Mode::LoseQuestion] {
        let (_fixture, proxy, custody) = through_a_proxy(WALLETS).await;
        proxy.set(mode);
        let all = label_at_once(&custody, WALLETS).await;
        let mut done = 0;
        for (told, label) in all {
            match told {
                Ok(()) => {
                    done += 1;
                    assert_eq!(label, "treasury");
                }
                Err(error) => {
                    assert!(matches!(error, CustodyError::Unreachable { .. }), "{error:?}");
                    assert!(mode == Mode::LoseQuestion);
                    assert_eq!(label, "", "told that it failed");
                }
            }
        }
        assert_eq!(labelled(&custody).await.1, done, "entries in the log");
        assert_eq!(done < u64::from(WALLETS), mode == Mode::LoseQuestion);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_in_a_commit_that_cannot_be_found_out_is_told_that() {
    const WALLETS: u32 = 24;
    let (_fixture, proxy, custody) = through_a_proxy(WALLETS).await;
    proxy.set(Mode::LoseAnswerAndServer);
    let all = label_at_once(&custody, WALLETS).await;
    let codes: Vec<_> = all
        .iter()
        .map(|(told, _)| told.as_ref().unwrap_err().code())
        .collect();
    let unknown = codes.iter().filter(|code| **code == "outcome-unknown").count();
    let unreached = codes
        .iter()
        .filter(|code| **code == "database-unreachable")
        .count();
    assert!(unknown > 0 && unknown + unreached == codes.len(), "{codes:?}");
    proxy.set(Mode::Pass);
    // Those in the lost commit were stored, and nobody else.
    assert_eq!(labelled(&custody).await.1, unknown as u64);
}

#[tokio::test]
async fn what_the_server_refuses_is_said_without_the_password() {
    let fixture = Fixture::new();
    let url = fixture.place.url();
    let (_, after) = url.rsplit_once('@').unwrap();
    let (server, _) = after.split_once('/').unwrap();
    let wrong = url.replacen("for-tests-alone", "hunter2", 1);
    for (url, code) in [
        (wrong, "database-access-denied"),
        (format!("{url}_not_there"), "database-access-denied"),
        (format!("{url}?sslmode=verify-full"), "database-unreachable"),
        (
            format!("postgres://keyward:hunter2@{server}/x?fallback=hunter2"),
            "invalid",
        ),
    ] {
        let location = StoreLocation::parse(&url).unwrap();
        let error = Custody::open(&location, fixture.options()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        let said = format!("{error} {error:?} {} {location} {location:?}", error.remedy());
        assert!(
            !said.contains("hunter2") && !said.contains("for-tests-alone"),
            "{said}"
        );
    }
}
