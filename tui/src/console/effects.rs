//! Effects as tokio tasks: the console's only hands.
//!
//! Every piece of work is a task that answers with a message over a bounded channel. Cancelling drops
//! the task. Progress is coalesced: at most ten messages a second per job, always the newest state.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use keyward_core::vault::SecondFactor;
use keyward_custody::chain::SolanaNode;
use keyward_custody::{
    AuditReader, Custody, CustodyError, OpenOptions, Progress as WorkProgress, ProgressState, StoreLocation,
};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use zeroize::Zeroizing;

use super::effect::{Answer, Failure, FailureKind, Lifetime, Progress, RequestId, Work};
use super::msg::Msg;
use crate::config::Config;

pub mod audit;
pub mod backup;
pub mod book;
pub mod bulk;
mod files;
pub mod find;
pub mod holdings;
pub mod inspect;
pub mod keys;
pub mod node;
pub mod plans;
pub mod rotation;
pub mod send;
pub mod settings;
pub mod upkeep;
pub mod vault;
pub mod wallets;

/// The shortest time between two progress messages of one job.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// What work is done with. Shared by all tasks.
pub struct Services {
    location: StoreLocation,
    config_path: PathBuf,
    second_factor: Option<Zeroizing<String>>,
    custody: Mutex<Option<Custody>>,
    /// The look at the audit log that the screen's pages are part of.
    audit_look: Mutex<Option<AuditReader>>,
    open_error: Mutex<Option<CustodyError>>,
    /// The making of the vault's next key, to stop it by.
    rotation: Mutex<Option<WorkProgress>>,
    node: Mutex<Option<SolanaNode>>,
    /// The subscription to the balances on the screen, between two changes.
    following: Mutex<Option<node::Following>>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

impl Services {
    /// The services for a vault at `location`; nothing is opened yet.
    #[must_use]
    pub fn new(
        location: StoreLocation,
        config: &Config,
        config_path: PathBuf,
        second_factor: Option<Zeroizing<String>>,
    ) -> Self {
        let services = Self {
            location,
            config_path,
            second_factor,
            custody: Mutex::new(None),
            audit_look: Mutex::new(None),
            open_error: Mutex::new(None),
            rotation: Mutex::new(None),
            node: Mutex::new(None),
            following: Mutex::new(None),
        };
        services.use_node(config);
        services
    }

    /// Opens the store, once.
    ///
    /// # Errors
    /// Why it did not open.
    pub async fn open(&self) -> Result<Custody, Failure> {
        if let Ok(custody) = self.custody() {
            return Ok(custody);
        }
        let options = OpenOptions {
            actor: "console".to_owned(),
            client: Some(crate::client::identity()),
            ..OpenOptions::default()
        };
        // The future of `open` is not `Send` in the eyes of the compiler (sqlx's `Acquire` over a borrowed
        // connection), so it runs on a thread of its own.
        let location = self.location.clone();
        let runtime = tokio::runtime::Handle::current();
        let opening =
            tokio::task::spawn_blocking(move || runtime.block_on(Custody::open(&location, options)));
        let opened = opening
            .await
            .map_err(|_| Failure::new("opening the vault broke off", "try again"))?;
        match opened {
            Ok(custody) => {
                *lock(&self.custody) = Some(custody.clone());
                Ok(custody)
            }
            Err(error) => {
                let failure = Failure::new(error.to_string(), error.remedy());
                *lock(&self.open_error) = Some(error);
                Err(failure)
            }
        }
    }

    fn current_audit_look(&self) -> Option<AuditReader> {
        lock(&self.audit_look).clone()
    }

    fn audit_look(&self, look: Option<AuditReader>) {
        *lock(&self.audit_look) = look;
    }

    fn rotating(&self, progress: Option<WorkProgress>) {
        *lock(&self.rotation) = progress;
    }

    fn stop_rotation(&self) {
        if let Some(progress) = &*lock(&self.rotation) {
            progress.cancel();
        }
    }

    /// Why the store did not open, for the exit code.
    #[must_use]
    pub fn open_error(&self) -> Option<CustodyError> {
        lock(&self.open_error).take()
    }

    /// Where changed settings are written.
    #[must_use]
    pub fn config_path(&self) -> &Path {
        &self.config_path
    }

    /// The open store.
    ///
    /// # Errors
    /// When it is not open.
    pub fn custody(&self) -> Result<Custody, Failure> {
        lock(&self.custody)
            .clone()
            .ok_or_else(|| Failure::new("the vault's database is not open", "leave and start again"))
    }

    /// The node that was chosen.
    ///
    /// # Errors
    /// When none was.
    pub fn node(&self) -> Result<SolanaNode, Failure> {
        lock(&self.node).clone().ok_or_else(|| Failure {
            cause: "no node was chosen".into(),
            remedy: "choose an RPC endpoint in the settings (4)".into(),
            kind: FailureKind::NoNode,
        })
    }

    /// Talks to the endpoint of these settings from now on. An unusable address counts as none; it
    /// was checked when it was entered.
    pub fn use_node(&self, config: &Config) {
        *lock(&self.node) = config.node().and_then(|node| SolanaNode::connect(&node).ok());
        self.take_following();
    }

    fn take_following(&self) -> Option<node::Following> {
        lock(&self.following).take()
    }

    fn keep_following(&self, following: node::Following) {
        *lock(&self.following) = Some(following);
    }

    /// The second factor from the environment, if there is one.
    ///
    /// # Errors
    /// When it is set and is not 32 bytes in base64 or hex.
    pub fn second_factor(&self) -> Result<Option<SecondFactor>, Failure> {
        self.second_factor
            .as_ref()
            .map(|text| {
                SecondFactor::parse(text).map_err(|_| {
                    Failure::new(
                        "KEYWARD_ENCRYPTION_KEY is not 32 bytes in base64 or hex",
                        "correct it or unset it, then start again",
                    )
                })
            })
            .transpose()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The guarded values are replaced whole, so a panic elsewhere cannot leave them half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tasks under way.
pub struct Tasks {
    services: Arc<Services>,
    messages: mpsc::Sender<Msg>,
    running: HashMap<RequestId, (AbortHandle, Lifetime)>,
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

impl Tasks {
    /// No tasks yet; answers go to `messages`.
    #[must_use]
    pub fn new(services: Arc<Services>, messages: mpsc::Sender<Msg>) -> Self {
        Self {
            services,
            messages,
            running: HashMap::new(),
        }
    }

    /// Starts work.
    pub fn start(&mut self, id: RequestId, work: Work, lifetime: Lifetime) {
        self.running.retain(|_, (task, _)| !task.is_finished());
        let services = Arc::clone(&self.services);
        let messages = self.messages.clone();
        let reporter = Reporter {
            id,
            messages: messages.clone(),
        };
        let task = tokio::spawn(async move {
            // A task of its own, so that a panic in the work becomes an answer.
            let mut work = AbortOnDrop(tokio::spawn(perform(services, work, reporter)));
            let answer = match (&mut work.0).await {
                Ok(answer) => answer,
                Err(_) => Answer::Broken(Failure::new(
                    "something in keyward broke; nothing was half done that the audit does not show",
                    "try again, and report it if it happens twice",
                )),
            };
            // The receiver is gone only when the console is leaving.
            let _ = messages.send(Msg::Answer { id, answer }).await;
        });
        self.running.insert(id, (task.abort_handle(), lifetime));
    }

    /// Stops work.
    pub fn cancel(&mut self, id: RequestId) {
        if let Some((task, _)) = self.running.remove(&id) {
            task.abort();
        }
    }

    /// Stops all work of the session.
    pub fn end_session(&mut self) {
        self.running.retain(|_, (task, lifetime)| {
            if *lifetime == Lifetime::Session {
                task.abort();
            }
            *lifetime != Lifetime::Session
        });
        self.services.take_following();
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for (task, _) in self.running.values() {
            task.abort();
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the progress of one piece of work, coalesced.
#[derive(Debug, Clone)]
pub struct Reporter {
    id: RequestId,
    messages: mpsc::Sender<Msg>,
}

impl Reporter {
    /// Follows a watched value for as long as `work` runs and gives back what the work gives.
    pub async fn follow<T, F>(
        &self,
        mut states: watch::Receiver<T>,
        as_progress: fn(T) -> Progress,
        work: F,
    ) -> F::Output
    where
        T: Clone,
        F: Future,
    {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                output = &mut work => return output,
                changed = states.changed() => {
                    if changed.is_err() {
                        return work.await;
                    }
                    let progress = as_progress(states.borrow_and_update().clone());
                    // A full queue means that the console is busy: the next state will do.
                    let _ = self.messages.try_send(Msg::Progress { id: self.id, progress });
                    tokio::select! {
                        biased;
                        output = &mut work => return output,
                        () = tokio::time::sleep(PROGRESS_PAUSE) => {}
                    }
                }
            }
        }
    }

    /// Follows a counted job.
    pub async fn count<F: Future>(&self, states: watch::Receiver<ProgressState>, work: F) -> F::Output {
        self.follow(states, Progress::Count, work).await
    }
}

async fn perform(services: Arc<Services>, work: Work, reporter: Reporter) -> Answer {
    match work {
        Work::Vault(work) => Answer::Vault(vault::perform(&services, work).boxed().await),
        Work::Wallets(work) => Answer::Wallets(wallets::perform(&services, work, &reporter).boxed().await),
        Work::Node(work) => Answer::Node(node::perform(&services, work).boxed().await),
        Work::Send(work) => Answer::Send(send::perform(&services, work, &reporter).boxed().await),
        Work::Audit(work) => Answer::Audit(audit::perform(&services, work).boxed().await),
        Work::Settings(work) => Answer::Settings(settings::perform(&services, work).boxed().await),
        Work::Keys(work) => Answer::Keys(keys::perform(&services, work).boxed().await),
        Work::Inspect(work) => Answer::Inspect(inspect::perform(&services, work).boxed().await),
        Work::Find(work) => Answer::Find(find::perform(work, &reporter).boxed().await),
        Work::Rotation(work) => Answer::Rotation(rotation::perform(&services, work, &reporter).boxed().await),
        Work::Backup(work) => Answer::Backup(backup::perform(&services, work, &reporter).boxed().await),
        Work::Holdings(work) => Answer::Holdings(holdings::perform(&services, work, &reporter).boxed().await),
        Work::Bulk(work) => Answer::Bulk(bulk::perform(&services, work, &reporter).boxed().await),
        Work::Plan(work) => Answer::Plan(plans::perform(&services, work, &reporter).boxed().await),
        Work::Book(work) => Answer::Book(book::perform(&services, work).boxed().await),
        Work::Upkeep(work) => Answer::Upkeep(upkeep::perform(&services, work, &reporter).boxed().await),
    }
}
