//! Building one transaction: instructions, simulation, compute budget, fee. The last look before a signature exists, since
//! the bytes are sent without the node's own check.

use std::collections::HashMap;
use std::mem::discriminant;
use std::time::{Duration, Instant};

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::{BuildError, Message};
use tokio::sync::Mutex;

use super::{Prepared, Run};
use crate::chain::{ChainError, Fault};
use crate::fees::priority_fee;
use crate::jobs::assemble::{self, Budget, GENEROUS_UNITS};
use crate::jobs::compose::{Built, ComposeError, composer};
use crate::jobs::job::item_of;
use crate::jobs::machine::{Event, NotBuilt};
use crate::jobs::{Batch, JobItem, Lifetime};

/// How long a price that recent blocks gave is used.
const PRICE_AGE: Duration = Duration::from_secs(10);
/// The most accounts that recent fees are asked for.
const MAX_PRICED: usize = 32;

/// What was asked of the cluster about fees, and when.
#[derive(Default)]
pub(super) struct Fees {
    price: Mutex<Option<(Instant, u64)>>,
    /// By how many signatures, since that is all that it depends on.
    base: Mutex<HashMap<u8, Lamports>>,
}

impl Run<'_> {
    pub(super) async fn build(&self, task: u64, numbers: &[u32]) -> Event {
        match self.prepare(numbers).await {
            Ok(prepared) => {
                self.tasks.lock().await.insert(task, prepared);
                Event::Built { task }
            }
            Err(why) => Event::NotBuilt { task, why },
        }
    }

    async fn prepare(&self, numbers: &[u32]) -> Result<Prepared, NotBuilt> {
        let known = self.items.lock().await;
        let mut items: Vec<JobItem> = numbers
            .iter()
            .filter_map(|number| known.get(number).cloned())
            .collect();
        drop(known);
        items.sort_unstable_by_key(|item| item.new.number);
        let numbers: Vec<u32> = items.iter().map(|item| item.new.number).collect();
        let built = self.instructions(&items).await?;
        let latest = self.node.latest_blockhash().await.map_err(unknown)?;
        // The price is left out here: a generous limit at the real price could ask for more than the payer has.
        let draft = Budget {
            units: GENEROUS_UNITS,
            micro_lamports: 0,
        };
        let compile =
            |budget| assemble::message(&self.job, &built, budget, latest.blockhash).map_err(too_large);
        let message = compile(draft)?;
        let sources: Vec<Address> = items.iter().map(|item| item.new.source).collect();
        if let Some(signer) = assemble::strange_signer(&message, &sources) {
            let reason =
                format!("the transaction would ask {signer} to sign, which is no source of its items");
            return Err(NotBuilt::Hold { reason });
        }
        let recorded = assemble::items(&numbers, &built);
        let count = message.instructions.len();
        let keys = message.account_keys.clone();
        let base = self.base_fee(&message).await?;
        let trial = self
            .node
            .trial(&assemble::unsigned(message))
            .await
            .map_err(unknown)?;
        if let Some(fault) = trial.fault {
            let by_instruction = fault.instruction.and_then(|at| item_of(&recorded, count, at));
            let by_account = || Batch::item_to(&items, keys.get(fault.account?)?);
            return Err(would_fail(by_instruction.or_else(by_account), fault));
        }
        let Some(used) = trial.units else {
            let what = "a simulation that does not say how many compute units it used".to_owned();
            return Err(unknown(ChainError::Nonsense { what }));
        };
        let budget = Budget {
            units: assemble::limit_for(used),
            micro_lamports: self.price(&keys).await?,
        };
        let priority = priority_fee(budget.micro_lamports, budget.units);
        let fee = priority.and_then(|priority| base.checked_add(priority));
        let Some(fee) = fee else {
            let reason = "the fee policy comes to more than 2^64 lamports".to_owned();
            return Err(NotBuilt::Hold { reason });
        };
        Ok(Prepared {
            unsigned: assemble::unsigned(compile(budget)?),
            items: recorded,
            lifetime: Lifetime::Blockhash {
                last_valid_block_height: latest.last_valid_block_height,
            },
            fee,
            signed: None,
        })
    }

    /// The instructions of every item, each by its action's composer, in the order of the items.
    async fn instructions(&self, items: &[JobItem]) -> Result<Vec<Built>, NotBuilt> {
        let mut built: HashMap<u32, Built> = HashMap::new();
        for first in items {
            if built.contains_key(&first.new.number) {
                continue;
            }
            let alike = |item: &&JobItem| discriminant(&item.new.action) == discriminant(&first.new.action);
            let part: Vec<&JobItem> = items.iter().filter(alike).collect();
            let Some(composer) = composer(&first.new.action) else {
                let reason = "this version cannot build it".to_owned();
                let all = part.iter().map(|item| (item.new.number, reason.clone()));
                return Err(NotBuilt::Impossible(all.collect()));
            };
            let answer = composer.build(self.node, &self.job, &part).await;
            let answer = answer.map_err(|error| match error {
                ComposeError::Items(which) => NotBuilt::Impossible(which),
                ComposeError::Nothing(which) => NotBuilt::Nothing(which),
                ComposeError::Chain(error) => unknown(error),
            })?;
            if answer.len() != part.len() || answer.iter().any(|built| built.instructions.is_empty()) {
                let reason = "a composer gave other items than it was asked for".to_owned();
                return Err(NotBuilt::Hold { reason });
            }
            built.extend(part.iter().map(|item| item.new.number).zip(answer));
        }
        let in_order = items.iter().filter_map(|item| built.remove(&item.new.number));
        Ok(in_order.collect())
    }

    /// What the cluster charges for the signatures, asked once for each number of them.
    async fn base_fee(&self, message: &Message) -> Result<Lamports, NotBuilt> {
        let signatures = message.header.num_required_signatures;
        let mut known = self.fees.base.lock().await;
        if let Some(fee) = known.get(&signatures) {
            return Ok(*fee);
        }
        let fee = self
            .node
            .fee_for_message(&message.encode())
            .await
            .map_err(unknown)?;
        known.insert(signatures, fee);
        Ok(fee)
    }

    /// What the job's fee policy comes to, per compute unit.
    async fn price(&self, accounts: &[Address]) -> Result<u64, NotBuilt> {
        let policy = self.job.fee;
        if !policy.asks_the_market() {
            return Ok(policy.price(&[]).micro_lamports);
        }
        let mut known = self.fees.price.lock().await;
        if let Some((_, price)) = known.filter(|(at, _)| at.elapsed() < PRICE_AGE) {
            return Ok(price);
        }
        let asked = accounts.get(..MAX_PRICED).unwrap_or(accounts);
        let recent = self.node.recent_fees(asked).await.map_err(unknown)?;
        let recent: Vec<u64> = recent.iter().map(|fee| fee.micro_lamports).collect();
        let price = policy.price(&recent).micro_lamports;
        *known = Some((Instant::now(), price));
        Ok(price)
    }
}

fn unknown(error: ChainError) -> NotBuilt {
    NotBuilt::Unknown {
        cause: error.to_string(),
    }
}

fn too_large(error: BuildError) -> NotBuilt {
    match error {
        BuildError::TooManyAccounts { .. } | BuildError::TooLong { .. } | BuildError::Unsound(_) => {
            NotBuilt::TooLarge
        }
        other => NotBuilt::Hold {
            reason: other.to_string(),
        },
    }
}

/// A fault of an item, of some item, or of the whole: where neither an instruction nor an account is to blame, no other
/// transaction of the job would do better.
fn would_fail(item: Option<u32>, fault: Fault) -> NotBuilt {
    match (item, fault.instruction, fault.account) {
        (None, None, None) => NotBuilt::Hold { reason: fault.text },
        (item, ..) => NotBuilt::WouldFail {
            item,
            reason: fault.text,
        },
    }
}
