//! Access to a Solana node over JSON-RPC and WebSocket.
//!
//! This is the only place that knows JSON-RPC and the `solana-*` crates; everything that leaves it is in this project's own
//! types. It contacts the endpoints it was given and nothing else: no redirects are followed and no proxy is taken from
//! the environment. Answers are bounded in size and time and checked in shape; what does not fit is an error, never "no".
//! It does not sign, does not decide and keeps no state but the cached blockhash, the genesis hash it first saw and the
//! pooled connections. JSON-RPC batches are not used, since providers limit or refuse them.
//!
//! Methods: <https://solana.com/docs/rpc>.

mod accounts;
mod blockhash;
mod compare;
mod error;
mod explain;
mod fault;
mod fees;
mod history;
mod landed;
mod network;
mod statuses;
mod tables;
mod tokens;
mod transactions;
mod transport;
mod types;
mod watch;

use std::sync::Arc;

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;

pub use error::ChainError;
pub(crate) use error::clean as clean_text;
pub use fault::{Fault, Trial};
pub(crate) use history::FIRST_BLOCKS;
pub use tables::LookupTables;
pub use types::{
    AccountData, AccountInfo, BalanceDisagreement, Balances, Blockhashes, ChainTip, Commitment, Comparison,
    EndpointTraffic, HistoryItem, HistoryQuery, LandedTransaction, NodeConfig, NodeStatus,
    OwnedTokenAccounts, RecentFee, SearchScope, SignatureSearch, SignatureStatus, Simulation, SolChange,
    TokenAccountAt, TokenChange, TokenMint, WatchedBalance,
};
pub use watch::{AccountUpdate, AccountWatch, AccountsWatch, SignatureWatch};

/// A Solana node, reached at one endpoint. Cheap to clone; clones share connections and caches.
#[derive(Clone)]
pub struct SolanaNode {
    inner: Arc<Inner>,
}

struct Inner {
    /// At least one, the preferred one first.
    endpoints: Vec<transport::Endpoint>,
    /// The first one's.
    name: String,
    blockhash: blockhash::Cache,
    genesis: std::sync::OnceLock<String>,
}

impl std::fmt::Debug for SolanaNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SolanaNode")
            .field("endpoint", &self.inner.name)
            .finish_non_exhaustive()
    }
}

impl SolanaNode {
    /// Prepares to talk to a node. Contacts nothing yet.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`] when an address is not an http or ws URL with a host;
    /// [`ChainError::OutOfBounds`] when the timeout is not in 1..=600,000 ms.
    pub fn connect(config: &NodeConfig) -> Result<Self, ChainError> {
        let endpoints = transport::open(config)?;
        let name = endpoints.first().map(|first| first.name.clone());
        let inner = Inner {
            name: name.unwrap_or_default(),
            endpoints,
            blockhash: blockhash::Cache::default(),
            genesis: std::sync::OnceLock::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Returns scheme, host and port of the preferred endpoint, without path and query, which may hold an access key.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.inner.name
    }

    /// Says what was asked of each endpoint so far, in their order.
    #[must_use]
    pub fn traffic(&self) -> Vec<EndpointTraffic> {
        self.inner
            .endpoints
            .iter()
            .map(transport::Endpoint::traffic)
            .collect()
    }

    /// Asks the node for its version, its confirmed slot and height, and its network.
    ///
    /// # Errors
    /// Any [`ChainError`]; [`ChainError::WrongNetwork`] when the genesis hash is not the one seen before.
    pub async fn status(&self) -> Result<NodeStatus, ChainError> {
        network::status(self).await
    }

    /// Returns the genesis hash, which names the network. Asks once and remembers.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn network(&self) -> Result<String, ChainError> {
        network::remembered(self).await
    }

    /// Asks for the genesis hash again and compares it with the one seen first.
    ///
    /// # Errors
    /// [`ChainError::WrongNetwork`] when they differ; any other [`ChainError`].
    pub async fn verify_network(&self) -> Result<String, ChainError> {
        network::verify(self).await
    }

    /// Reads balances, 100 addresses a request, at most 4 requests at a time.
    ///
    /// # Errors
    /// The first failure, when every request failed. When only some failed, their balances are `None`.
    /// [`ChainError::OutOfBounds`] for more than 100,000 addresses.
    pub async fn balances(&self, addresses: &[Address]) -> Result<Balances, ChainError> {
        accounts::balances(self, addresses).await
    }

    /// Asks every endpoint for the same balances and tells where they differ, one batch of 100 after another. With one
    /// endpoint there is nothing to tell.
    ///
    /// # Errors
    /// [`ChainError::OutOfBounds`] for more than 100,000 addresses. An endpoint that does not answer is no error.
    pub async fn compare_balances(&self, addresses: &[Address]) -> Result<Comparison, ChainError> {
        compare::balances(self, addresses).await
    }

    /// Reads at most 100 accounts in one request. `None`: there is no such account.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn accounts(
        &self,
        addresses: &[Address],
    ) -> Result<(u64, Vec<Option<AccountInfo>>), ChainError> {
        accounts::infos(self, addresses).await
    }

    /// Reads what lookup tables hold, as it is finalized. Tables that are being deactivated are refused.
    ///
    /// # Errors
    /// [`ChainError::LookupTable`] when one of them cannot be used; any other [`ChainError`].
    pub async fn lookup_tables(&self, tables: &[Address]) -> Result<LookupTables, ChainError> {
        tables::read(self, tables).await
    }

    /// Asks the cluster for the balance an account with so many bytes of data must keep.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn rent_minimum(&self, data_len: u64) -> Result<Lamports, ChainError> {
        accounts::rent_minimum(self, data_len).await
    }

    /// Lists past transactions of an address, newest first: at most `limit` (1..=1,000), older than `before`.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn history(
        &self,
        address: &Address,
        limit: usize,
        before: Option<&Signature>,
    ) -> Result<Vec<HistoryItem>, ChainError> {
        let query = HistoryQuery {
            before: before.copied(),
            ..HistoryQuery::newest(limit)
        };
        history::list(self, address, &query).await
    }

    /// Lists past transactions of an address, newest first. Nothing *in what the node keeps* proves nothing: see
    /// [`Self::history_start`].
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn history_page(
        &self,
        address: &Address,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryItem>, ChainError> {
        history::list(self, address, query).await
    }

    /// Reads a transaction that landed: its bytes, its outcome, its fee, and balances before and after. `None`: the node
    /// has none of this signature, which proves nothing.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn transaction(
        &self,
        signature: &Signature,
        commitment: Commitment,
    ) -> Result<Option<LandedTransaction>, ChainError> {
        landed::read(self, signature, commitment).await
    }

    /// Reads at most 100 accounts with their data in one request. `None`: there is no such account.
    ///
    /// # Errors
    /// Any [`ChainError`]; [`ChainError::TooLarge`] when they hold more than 2 MiB.
    pub async fn account_data(
        &self,
        addresses: &[Address],
        commitment: Commitment,
    ) -> Result<(u64, Vec<Option<AccountData>>), ChainError> {
        accounts::data(self, addresses, commitment).await
    }

    /// Reads the token accounts of an owner, of one token program.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn token_accounts_of(
        &self,
        owner: &Address,
        program: TokenProgram,
    ) -> Result<OwnedTokenAccounts, ChainError> {
        tokens::of_owner(self, owner, program).await
    }

    /// Reads the token accounts of an owner, of one token program, as they are, by address.
    pub(crate) async fn token_account_data(
        &self,
        owner: &Address,
        program: TokenProgram,
    ) -> Result<(u64, Vec<(Address, AccountData)>), ChainError> {
        tokens::data_of_owner(self, owner, program).await
    }

    /// Reads at most 100 token accounts. `None`: there is no account, or it is not one of a token program.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn token_accounts(
        &self,
        addresses: &[Address],
    ) -> Result<(u64, Vec<Option<TokenAccountAt>>), ChainError> {
        tokens::accounts(self, addresses).await
    }

    /// Reads at most 100 mints. `None`: there is no account, or it is no mint.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn mints(&self, addresses: &[Address]) -> Result<(u64, Vec<Option<TokenMint>>), ChainError> {
        tokens::mints(self, addresses).await
    }

    /// Asks for the lowest price of priority in recent blocks, of those that changed all of these accounts (at most 128),
    /// the oldest first.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn recent_fees(&self, writable: &[Address]) -> Result<Vec<RecentFee>, ChainError> {
        fees::recent(self, writable).await
    }

    /// Asks for the epoch, by which transfer fees of Token-2022 come into force.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn epoch(&self) -> Result<u64, ChainError> {
        fees::epoch(self).await
    }

    /// Returns a confirmed blockhash, at most a few seconds old. Callers at the same time share one request.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn latest_blockhash(&self) -> Result<Blockhashes, ChainError> {
        blockhash::latest(self).await
    }

    /// Runs a transaction on the node without effect and without checking signatures, and reads the watched accounts
    /// (at most 64) before and after.
    ///
    /// # Errors
    /// Any [`ChainError`]. A transaction that would fail is not an error: see [`Simulation::error`].
    pub async fn simulate(&self, transaction: &[u8], watch: &[Address]) -> Result<Simulation, ChainError> {
        transactions::simulate(self, transaction, watch).await
    }

    /// Runs a transaction on the node without effect and without checking signatures, and says which part of it would fail.
    ///
    /// # Errors
    /// Any [`ChainError`]. A transaction that would fail is not an error: see [`Trial::fault`].
    pub async fn trial(&self, transaction: &[u8]) -> Result<Trial, ChainError> {
        fault::trial(self, transaction).await
    }

    /// Asks what the cluster charges for a message. Whether that includes the priority fee depends on the node.
    ///
    /// # Errors
    /// [`ChainError::BlockhashUnknown`] when the node no longer knows the message's blockhash; any other [`ChainError`].
    pub async fn fee_for_message(&self, message: &[u8]) -> Result<Lamports, ChainError> {
        transactions::fee_for_message(self, message).await
    }

    /// Hands signed bytes to the node, which forwards them once. Skips the node's preflight and its own retries: the
    /// caller simulates before signing and sends again itself.
    ///
    /// # Errors
    /// Any [`ChainError`]. None of them proves that the transaction will not land.
    pub async fn send_raw(&self, transaction: &[u8]) -> Result<Signature, ChainError> {
        transactions::send(self, transaction).await
    }

    /// Looks a signature up.
    ///
    /// # Errors
    /// Any [`ChainError`]; each means unknown.
    pub async fn signature_status(
        &self,
        signature: &Signature,
        scope: SearchScope,
    ) -> Result<SignatureSearch, ChainError> {
        let mut found = statuses::search(self, std::slice::from_ref(signature), scope).await?;
        found
            .pop()
            .ok_or_else(|| ChainError::nonsense("no status for one signature"))
    }

    /// Looks at most 256 signatures up in one request, each as [`Self::signature_status`] does, in their order.
    ///
    /// # Errors
    /// Any [`ChainError`]; each means unknown for all of them.
    pub async fn signature_statuses(
        &self,
        signatures: &[Signature],
        scope: SearchScope,
    ) -> Result<Vec<SignatureSearch>, ChainError> {
        statuses::search(self, signatures, scope).await
    }

    /// Reads a slot and its block height together.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn tip(&self, commitment: Commitment) -> Result<ChainTip, ChainError> {
        network::tip(self, commitment).await
    }

    /// Reads the block height.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn block_height(&self, commitment: Commitment) -> Result<u64, ChainError> {
        network::block_height(self, commitment).await
    }

    /// Asks how far back the node's history reaches: the height of the first block it still has.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn history_start(&self) -> Result<u64, ChainError> {
        history::first_block_height(self).await
    }

    /// Asks a test node's faucet for SOL. Real clusters refuse.
    ///
    /// # Errors
    /// Any [`ChainError`].
    pub async fn request_airdrop(
        &self,
        address: &Address,
        amount: Lamports,
    ) -> Result<Signature, ChainError> {
        transactions::airdrop(self, address, amount).await
    }

    /// Watches for a signature to be confirmed, over WebSocket. A hint only: the caller asks for the status itself. Without
    /// WebSocket it never fires, and polling has to do.
    #[must_use]
    pub fn subscribe_signature(&self, signature: &Signature) -> SignatureWatch {
        watch::signature(self, signature)
    }

    /// Watches an account's balance: over WebSocket, and by polling while that is not to be had.
    #[must_use]
    pub fn subscribe_account(&self, address: &Address) -> AccountWatch {
        watch::account(self, address)
    }

    /// Watches the balances of what is on screen: over one WebSocket, and by polling, all in one request, while that is not
    /// to be had.
    ///
    /// # Errors
    /// [`ChainError::OutOfBounds`] for more than 100 accounts.
    pub fn subscribe_accounts(&self, addresses: &[Address]) -> Result<AccountsWatch, ChainError> {
        if addresses.len() > accounts::BATCH {
            return Err(ChainError::OutOfBounds {
                what: format!("more than {} accounts to watch", accounts::BATCH),
            });
        }
        Ok(watch::accounts(self, addresses))
    }
}
