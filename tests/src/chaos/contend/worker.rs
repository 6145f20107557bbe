//! One of the processes: it does what its random numbers say, and writes down what it was told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use keyward_core::address::Address;
use keyward_custody::{
    Custody, CustodyError, DeriveRequest, Progress, SignError, SignRequest, StoreLocation,
};
use serde::{Deserialize, Serialize};

use super::MAX_LAMPORTS;
use super::log::{Entry, Log};
use crate::chaos::clock::FileClock;
use crate::chaos::process;
use crate::chaos::random::Random;
use crate::chaos::scene;

/// How often one operation is asked for again that is in somebody's way.
const TRIES: u32 = 1_000;

/// How many operations of one task lie between two common payments that differ: all processes ask for the same ones at
/// about the same time.
const COMMON_FOR: u64 = 12;

/// What one process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Where the vault is.
    pub address: String,
    /// The clock's file.
    pub clock: PathBuf,
    /// The log to write.
    pub log: PathBuf,
    /// Which process it is.
    pub number: u64,
    /// What its choices come from, with its number.
    pub seed: u64,
    /// How many operations are under way at once.
    pub tasks: u32,
    /// How many operations in all.
    pub operations: u64,
    /// The wallets that sign.
    pub hot: Vec<String>,
    /// The wallets that go from owner to owner.
    pub pool: Vec<String>,
}

/// What it says meanwhile.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Telling {
    /// It is unlocked and waits for the word.
    Ready,
    /// An operation has come to its end.
    Step,
}

/// The whole life of the process.
///
/// # Errors
/// When the vault does not open, or nobody listens.
pub async fn run() -> anyhow::Result<()> {
    let task: Task = process::task()?;
    let counter = Arc::new(AtomicU64::new(0));
    tracing::subscriber::set_global_default(Anew(Arc::clone(&counter)))?;
    let clock = Arc::new(FileClock::open(&task.clock)?);
    let options = scene::options(clock, &format!("process {}", task.number));
    let custody = Custody::open(&StoreLocation::parse(&task.address)?, options).await?;
    custody.unlock(&scene::password(), None).await?;
    let log = Arc::new(Log::create(&task.log)?);
    let (hot, pool) = (addresses(&task.hot)?, addresses(&task.pool)?);
    process::say(&Telling::Ready)?;
    process::wait_for_go()?;
    let share = task.operations.div_ceil(u64::from(task.tasks));
    let hands: Vec<_> = (0..u64::from(task.tasks))
        .map(|hand| {
            let number = task.number * u64::from(task.tasks) + hand;
            let mut hand = Hand {
                custody: custody.clone(),
                log: Arc::clone(&log),
                hot: Arc::clone(&hot),
                pool: Arc::clone(&pool),
                random: Random::new(task.seed ^ (number << 32)),
                number,
            };
            tokio::spawn(async move { hand.work(share).await })
        })
        .collect();
    for hand in hands {
        hand.await??;
    }
    log.write(&Entry::BegunAnew {
        times: counter.load(Ordering::Relaxed),
    })?;
    log.finish()?;
    custody.close().await?;
    Ok(())
}

fn addresses(texts: &[String]) -> anyhow::Result<Arc<[Address]>> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}

/// One of a process's tasks.
struct Hand {
    custody: Custody,
    log: Arc<Log>,
    hot: Arc<[Address]>,
    pool: Arc<[Address]>,
    random: Random,
    /// Among those of all processes.
    number: u64,
}

impl Hand {
    async fn work(&mut self, operations: u64) -> anyhow::Result<()> {
        for at in 0..operations {
            match self.random.below(100) {
                0..20 => self.derive().await?,
                20..30 => self.assign().await?,
                30..35 => self.unassign().await?,
                35..45 => self.lead().await?,
                45..90 => {
                    // Each payment of each task is another transaction.
                    let number = (self.number << 40) | (at << 1) | 1;
                    let lamports = 1 + self.random.below(MAX_LAMPORTS);
                    self.pay(lamports, number, false).await?;
                }
                _ => {
                    let number = (at / COMMON_FOR) << 1;
                    self.pay(1 + number % MAX_LAMPORTS, number, true).await?;
                }
            }
            process::say(&Telling::Step)?;
        }
        Ok(())
    }

    async fn derive(&mut self) -> anyhow::Result<()> {
        let request = DeriveRequest {
            count: u32::try_from(1 + self.random.below(3))?,
            ..DeriveRequest::default()
        };
        for _ in 0..TRIES {
            match self.custody.derive_wallets(request, &Progress::new()).await {
                Ok(range) => {
                    return self.log.write(&Entry::Derived {
                        first: range.first,
                        count: range.count,
                        added: range.added,
                    });
                }
                Err(CustodyError::Busy) => self.log.write(&Entry::Busy)?,
                Err(error) => return self.failed("derive", &error),
            }
        }
        self.failed("derive", &"busy for ever")
    }

    async fn assign(&mut self) -> anyhow::Result<()> {
        let wallet = *self.random.one_of(&self.pool).context("no wallets")?;
        let owner = super::owner(self.random.below(super::OWNERS));
        for _ in 0..TRIES {
            match self.custody.assign_wallets(&owner, &[wallet]).await {
                Ok(_) => return self.log.write(&Entry::Assigned),
                Err(CustodyError::Busy) => self.log.write(&Entry::Busy)?,
                Err(error) => return self.turned("assign", &error),
            }
        }
        self.failed("assign", &"busy for ever")
    }

    async fn unassign(&mut self) -> anyhow::Result<()> {
        let wallet = *self.random.one_of(&self.pool).context("no wallets")?;
        for _ in 0..TRIES {
            match self.custody.unassign_wallets(&[wallet]).await {
                Ok(_) => return self.log.write(&Entry::Assigned),
                Err(CustodyError::Busy) => self.log.write(&Entry::Busy)?,
                Err(error) => return self.turned("unassign", &error),
            }
        }
        self.failed("unassign", &"busy for ever")
    }

    async fn lead(&mut self) -> anyhow::Result<()> {
        let wallet = *self.random.one_of(&self.pool).context("no wallets")?;
        for _ in 0..TRIES {
            match self.custody.set_primary(wallet).await {
                Ok(()) => return self.log.write(&Entry::Led),
                Err(CustodyError::Busy) => self.log.write(&Entry::Busy)?,
                Err(error) => return self.turned("lead", &error),
            }
        }
        self.failed("lead", &"busy for ever")
    }

    /// An owner that is full, a wallet that nobody owns: both happen, and are no defect.
    fn turned(&self, what: &str, error: &CustodyError) -> anyhow::Result<()> {
        let expected = match error {
            CustodyError::OwnerFull { .. } => what == "assign",
            CustodyError::Invalid { .. } => what == "lead",
            _ => false,
        };
        if !expected {
            return self.failed(what, error);
        }
        let code = match what {
            "lead" => "no owner to lead".to_owned(),
            _ => error.code().to_owned(),
        };
        self.log.write(&Entry::Turned { code })
    }

    async fn pay(&mut self, lamports: u64, number: u64, is_common: bool) -> anyhow::Result<()> {
        // Of the common ones, the number says whose it is.
        let wallet = if is_common {
            let at = usize::try_from((number >> 1) % self.hot.len() as u64)?;
            self.hot.get(at)
        } else {
            self.random.one_of(&self.hot)
        };
        let wallet = *wallet.context("no wallet signs")?;
        let request: SignRequest = scene::payment(wallet, lamports, number)?;
        for _ in 0..TRIES {
            match self.custody.sign_transaction(request.clone()).await {
                Ok(signed) => {
                    return self.log.write(&Entry::Signed {
                        wallet: wallet.to_string(),
                        lamports,
                        signature: signed.signature.to_string(),
                        is_common,
                    });
                }
                Err(SignError::Custody(CustodyError::Busy)) => self.log.write(&Entry::Busy)?,
                Err(error @ (SignError::Refused { .. } | SignError::RateLimited { .. })) => {
                    return self.log.write(&Entry::Refused {
                        code: error.code().to_owned(),
                    });
                }
                Err(error) => return self.failed("sign", &error),
            }
        }
        self.failed("sign", &"busy for ever")
    }

    fn failed(&self, what: &str, error: &dyn std::fmt::Debug) -> anyhow::Result<()> {
        self.log.write(&Entry::Failed {
            what: what.to_owned(),
            error: format!("{error:?}"),
        })
    }
}

/// Counts what the stores say they begin anew.
struct Anew(Arc<AtomicU64>);

impl tracing::Subscriber for Anew {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("keyward_custody::store")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Message(bool);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 |= field.name() == "message" && format!("{value:?}").contains("anew");
            }
        }
        let mut message = Message(false);
        event.record(&mut message);
        if message.0 {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
