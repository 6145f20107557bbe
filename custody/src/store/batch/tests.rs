//! Who waits for whom, on a writer without a database.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::pin::pin;
use std::sync::Mutex as StdMutex;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::Commit::{Durable, Ordered};
use super::*;

/// What was committed: how durably, and whose changes.
type Log = Arc<StdMutex<Vec<(Commit, Vec<u32>)>>>;

/// A writer that commits numbers.
struct Numbers {
    batch: Option<Batch>,
    pending: Vec<u32>,
    log: Log,
    /// What its commits say.
    outcome: Result<(), CustodyError>,
}

impl Numbers {
    fn tidy(&mut self) {
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.step == Step::Running) {
            batch.step = Step::Done;
            self.pending.pop();
        }
    }
}

impl Writer for Numbers {
    fn batch(&mut self) -> Option<&mut Batch> {
        self.batch.as_mut()
    }

    async fn finish(&mut self) -> Result<(), CustodyError> {
        self.tidy();
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        tokio::task::yield_now().await;
        let outcome = self.outcome.clone();
        let committed = (batch.commit, std::mem::take(&mut self.pending));
        if outcome.is_ok() {
            self.log.lock().unwrap().push(committed);
        }
        batch.tell(&outcome);
        outcome
    }
}

impl Group<Numbers> {
    fn start(outcome: Result<(), CustodyError>) -> (Self, Log) {
        let log = Log::default();
        let numbers = Numbers {
            batch: None,
            pending: Vec::new(),
            log: Arc::clone(&log),
            outcome,
        };
        (Self::new(numbers), log)
    }

    async fn write(&self, commit: Commit, number: u32) -> Result<(), CustodyError> {
        let mut turn = self.turn(commit).await?;
        let commit = turn.commit;
        let writer = turn.writer()?;
        writer.tidy();
        match &mut writer.batch {
            Some(batch) => batch.step = Step::Running,
            None => writer.batch = Some(Batch::new(commit)),
        }
        writer.pending.push(number);
        tokio::task::yield_now().await;
        self.leave(turn).await
    }

    /// All of these, which come while somebody else writes.
    async fn write_at_once(
        &self,
        numbers: impl IntoIterator<Item = (Commit, u32)>,
    ) -> Vec<Result<(), CustodyError>> {
        let held = self.writer.lock().await;
        let writes = numbers
            .into_iter()
            .map(|(commit, number)| self.write(commit, number));
        let mut all = pin!(join_all(writes));
        assert!(all.as_mut().now_or_never().is_none());
        drop(held);
        all.await
    }
}

#[tokio::test]
async fn one_alone_commits_by_itself_as_it_asked() {
    let (group, log) = Group::start(Ok(()));
    group.write(Ordered, 1).await.unwrap();
    group.write(Durable, 2).await.unwrap();
    assert_eq!(*log.lock().unwrap(), [(Ordered, vec![1]), (Durable, vec![2])]);
}

#[tokio::test]
async fn those_who_wait_share_one_commit() {
    let (group, log) = Group::start(Ok(()));
    let told = group.write_at_once((0..20).map(|number| (Ordered, number))).await;
    assert!(told.iter().all(Result::is_ok));
    assert_eq!(*log.lock().unwrap(), [(Ordered, (0..20).collect())]);
}

#[tokio::test]
async fn one_who_asks_for_more_gets_it_and_so_do_all_with_it() {
    for numbers in [[Durable, Ordered, Ordered], [Ordered, Ordered, Durable]] {
        let (group, log) = Group::start(Ok(()));
        let told = group.write_at_once(numbers.into_iter().zip(0..)).await;
        assert!(told.iter().all(Result::is_ok));
        assert_eq!(*log.lock().unwrap(), [(Durable, vec![0, 1, 2])]);
    }
}

#[tokio::test]
async fn a_durable_change_is_in_no_commit_that_is_not() {
    let (group, log) = Group::start(Ok(()));
    // An open transaction that promised less, and one that comes too late to be seen when it was begun.
    let mut held = group.writer.lock().await;
    let mut batch = Batch::new(Ordered);
    batch.step = Step::Done;
    let told = batch.join();
    let writer = held.as_mut().unwrap();
    (writer.batch, writer.pending) = (Some(batch), vec![7]);
    drop(held);
    group.write(Durable, 8).await.unwrap();
    assert!(told.await.unwrap().is_ok());
    assert_eq!(*log.lock().unwrap(), [(Ordered, vec![7]), (Durable, vec![8])]);
}

#[tokio::test]
async fn no_commit_holds_more_than_its_bound() {
    let (group, log) = Group::start(Ok(()));
    let all = u32::try_from(MAX_JOINED).unwrap() * 2 + 10;
    let told = group
        .write_at_once((0..all).map(|number| (Durable, number)))
        .await;
    assert!(told.iter().all(Result::is_ok));
    let log = log.lock().unwrap();
    let sizes: Vec<_> = log.iter().map(|(_, numbers)| numbers.len()).collect();
    assert!(sizes.iter().all(|size| *size <= MAX_JOINED), "{sizes:?}");
    assert_eq!(sizes[0], MAX_JOINED);
    let numbers: Vec<_> = log.iter().flat_map(|(_, numbers)| numbers).copied().collect();
    assert_eq!(numbers, (0..all).collect::<Vec<_>>());
}

#[tokio::test]
async fn everyone_is_told_of_a_failure() {
    for outcome in [CustodyError::DiskFull, CustodyError::OutcomeUnknown] {
        let code = outcome.code();
        let (group, _) = Group::start(Err(outcome));
        let mut told = group.write_at_once((0..5).map(|number| (Durable, number))).await;
        told.push(group.write(Ordered, 5).await);
        let codes: Vec<_> = told.into_iter().map(|told| told.unwrap_err().code()).collect();
        assert_eq!(codes, [code; 6]);
    }
}

#[tokio::test]
async fn whoever_is_cancelled_takes_nobody_along() {
    // At each of the places where one can be: waiting, half-way, waiting for the commit.
    for polls in 0..6 {
        for cancelled in [0, 3, 9] {
            let (group, log) = Group::start(Ok(()));
            let held = group.writer.lock().await;
            let mut writes: Vec<_> = (0..10)
                .map(|number| Some(Box::pin(group.write(Durable, number))))
                .collect();
            // Everyone waits, in order.
            for write in writes.iter_mut().flatten() {
                assert!(write.as_mut().now_or_never().is_none());
            }
            drop(held);
            for _ in 0..polls {
                let _ = writes[cancelled].as_mut().unwrap().as_mut().now_or_never();
                tokio::task::yield_now().await;
            }
            writes[cancelled] = None;
            let told = join_all(writes.into_iter().flatten()).await;
            assert!(told.iter().all(Result::is_ok));
            let log = log.lock().unwrap();
            let numbers = log.iter().flat_map(|(_, numbers)| numbers).copied();
            let others: Vec<_> = numbers.filter(|number| *number != cancelled as u32).collect();
            let expected: Vec<_> = (0..10).filter(|number| *number != cancelled as u32).collect();
            assert_eq!(others, expected, "{cancelled} after {polls}");
        }
    }
}

#[tokio::test]
async fn closing_commits_what_is_open_and_lets_nobody_in_after_it() {
    let (group, log) = Group::start(Ok(()));
    let held = group.writer.lock().await;
    let mut before = pin!(join_all((0..5).map(|number| group.write(Durable, number))));
    assert!(before.as_mut().now_or_never().is_none());
    let mut close = pin!(group.close());
    assert!(close.as_mut().now_or_never().is_none());
    let mut after = pin!(join_all((5..9).map(|number| group.write(Durable, number))));
    assert!(after.as_mut().now_or_never().is_none());
    drop(held);
    let (before, closed, after) = futures_util::join!(before, close, after);
    assert!(before.iter().all(Result::is_ok));
    assert!(closed.unwrap().is_some());
    assert!(
        after
            .iter()
            .all(|told| matches!(told, Err(CustodyError::Storage(_))))
    );
    let log = log.lock().unwrap();
    let numbers: Vec<_> = log.iter().flat_map(|(_, numbers)| numbers).copied().collect();
    assert_eq!(numbers, (0..5).collect::<Vec<_>>());
}
