//! What a node answers, in this project's own types.

use std::fmt;

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use keyward_core::solana::token::{Mint, TokenAccount, TokenDataError, TokenProgram};

/// Which node to talk to.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// The JSON-RPC endpoint: `http://` or `https://`.
    pub rpc_url: String,
    /// Further endpoints of the same network, in the order in which they stand in for the first: at most 7.
    pub more_rpc_urls: Vec<String>,
    /// The most requests in a second of each endpoint. Without it as many as the endpoint takes.
    pub max_requests_per_second: Option<u32>,
    /// The WebSocket endpoint: `ws://` or `wss://`. Without it the customary one is used where there is one (the same host
    /// without a port, or 8900 beside 8899); else everything is polled.
    pub ws_url: Option<String>,
    /// How long one request may take, in milliseconds, from connecting to the last byte: 1..=600,000.
    pub timeout_ms: u64,
}

impl NodeConfig {
    /// How long one request may take unless said otherwise, in milliseconds.
    pub const DEFAULT_TIMEOUT_MS: u64 = 10_000;

    /// Names a node with the default timeout and the customary WebSocket address.
    #[must_use]
    pub fn new(rpc_url: impl Into<String>) -> Self {
        Self {
            rpc_url: rpc_url.into(),
            more_rpc_urls: Vec::new(),
            max_requests_per_second: None,
            ws_url: None,
            timeout_ms: Self::DEFAULT_TIMEOUT_MS,
        }
    }
}

/// Paths and queries of endpoints hold access keys, so neither is shown.
impl fmt::Debug for NodeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeConfig")
            .field("timeout_ms", &self.timeout_ms)
            .finish_non_exhaustive()
    }
}

/// What was asked of an endpoint so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointTraffic {
    /// Scheme, host and port.
    pub endpoint: String,
    /// Requests, those that were asked again included.
    pub requests: u64,
    /// How many were answered with 429.
    pub rate_limited: u64,
    /// Questions that it gave no usable answer to.
    pub failures: u64,
}

/// What several endpoints said of the same balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Who was asked, in the order of preference.
    pub endpoints: Vec<String>,
    /// Who did not answer, and why.
    pub failures: Vec<(String, super::ChainError)>,
    /// Where those who answered differ.
    pub disagreements: Vec<BalanceDisagreement>,
}

/// A balance of which endpoints say different things, at slots that all of them had reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceDisagreement {
    /// Whose.
    pub address: Address,
    /// What each endpoint says, and at which slot, in their order. `None`: it did not answer.
    pub answers: Vec<Option<(u64, Lamports)>>,
}

/// How settled something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commitment {
    /// Seen by the node; may still vanish.
    Processed,
    /// Voted for by a supermajority.
    Confirmed,
    /// Rooted; cannot vanish.
    Finalized,
}

/// A node's view of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node's software version.
    pub version: String,
    /// The confirmed slot.
    pub slot: u64,
    /// The confirmed block height.
    pub block_height: u64,
    /// How long the quickest of the calls took, in milliseconds.
    pub latency_ms: u64,
    /// The genesis hash, which names the network.
    pub network: String,
    /// The name of a public cluster, when the genesis hash is one of theirs.
    pub cluster_name: Option<&'static str>,
}

/// Balances in the order of the addresses that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balances {
    /// The lowest slot at which any of them was read.
    pub slot: u64,
    /// `Some(0)`: there is no such account. `None`: unknown, because the request for it failed.
    pub values: Vec<Option<Lamports>>,
    /// Why some are unknown.
    pub failure: Option<super::ChainError>,
}

/// An account as far as a transfer of SOL cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInfo {
    /// Its balance.
    pub lamports: Lamports,
    /// The program that owns it.
    pub owner: Address,
    /// The length of its data, in bytes.
    pub data_len: u64,
    /// Whether it is a program.
    pub executable: bool,
}

/// One past transaction of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// Its first signature.
    pub signature: Signature,
    /// The slot it landed in.
    pub slot: u64,
    /// When, in milliseconds since the Unix epoch, if the node knows.
    pub time_ms: Option<u64>,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Its memo, as the node prints it.
    pub memo: Option<String>,
    /// How settled it is, if the node says.
    pub commitment: Option<Commitment>,
}

/// Which past transactions of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The most of them: 1..=1,000.
    pub limit: usize,
    /// Those older than this one.
    pub before: Option<Signature>,
    /// Down to this one, which is left out.
    pub until: Option<Signature>,
    /// How settled they must be: confirmed or finalized.
    pub commitment: Commitment,
}

impl HistoryQuery {
    /// The most that one page has.
    pub const MAX_LIMIT: usize = 1_000;

    /// The newest ones that are confirmed.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self {
            limit,
            before: None,
            until: None,
            commitment: Commitment::Confirmed,
        }
    }
}

/// An account with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountData {
    /// Its balance.
    pub lamports: Lamports,
    /// The program that owns it.
    pub owner: Address,
    /// Whether it is a program.
    pub executable: bool,
    /// Its data.
    pub data: Vec<u8>,
}

/// A token account and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAccountAt {
    /// Its address.
    pub address: Address,
    /// Which token program it belongs to.
    pub program: TokenProgram,
    /// Its SOL: the rent, and for wrapped SOL the tokens as well.
    pub lamports: Lamports,
    /// What it holds.
    pub account: TokenAccount,
}

/// The token accounts of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedTokenAccounts {
    /// The slot at which they were read.
    pub slot: u64,
    /// Those that could be read, by address.
    pub accounts: Vec<TokenAccountAt>,
    /// Those that could not, and why.
    pub unreadable: Vec<(Address, TokenDataError)>,
}

/// A mint and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMint {
    /// Its address.
    pub address: Address,
    /// Which token program it belongs to.
    pub program: TokenProgram,
    /// What it says.
    pub mint: Mint,
}

/// The lowest price that was paid for priority in a recent block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentFee {
    /// The block's slot.
    pub slot: u64,
    /// Micro-lamports for each compute unit.
    pub micro_lamports: u64,
}

/// What a transaction did to an account's SOL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolChange {
    /// The account.
    pub address: Address,
    /// Its balance before.
    pub before: Lamports,
    /// Its balance after.
    pub after: Lamports,
}

/// What a transaction did to a token account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenChange {
    /// The token account.
    pub account: Address,
    /// Whose tokens.
    pub mint: Address,
    /// Who owns the account, if the node says.
    pub owner: Option<Address>,
    /// The mint's digits behind the point.
    pub decimals: u8,
    /// Base units before.
    pub before: u64,
    /// Base units after.
    pub after: u64,
}

/// A transaction that landed, as a node tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedTransaction {
    /// Its first signature.
    pub signature: Signature,
    /// The slot it landed in.
    pub slot: u64,
    /// When, in milliseconds since the Unix epoch, if the node knows.
    pub time_ms: Option<u64>,
    /// Why it failed, if it did. A failed one has paid its fee and changed nothing else.
    pub error: Option<String>,
    /// Which part of it failed, if it did.
    pub fault: Option<super::Fault>,
    /// What it cost, as the node says; not every node counts the priority fee in. What the fee payer's balance says is sure.
    pub fee: Lamports,
    /// Its accounts in their order, the fee payer first, with their SOL before and after.
    pub sol: Vec<SolChange>,
    /// Its token accounts before and after.
    pub tokens: Vec<TokenChange>,
    /// What the programs logged, at most 200 lines.
    pub logs: Vec<String>,
    /// Compute units consumed, if the node says.
    pub units: Option<u64>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub transaction: Transaction,
}

/// A recent blockhash and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blockhashes {
    /// The blockhash.
    pub blockhash: Blockhash,
    /// The last block height at which a transaction with it can land.
    pub last_valid_block_height: u64,
    /// The slot at which it was read.
    pub slot: u64,
    /// How long ago it was read, in milliseconds.
    pub age_ms: u64,
}

/// An account's balance around a simulated transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedBalance {
    /// The account.
    pub address: Address,
    /// Its balance before. `None`: unknown.
    pub before: Option<Lamports>,
    /// Its balance after. `None`: unknown, for instance because the simulation failed.
    pub after: Option<Lamports>,
}

/// What a transaction would do if it landed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// The slot it was simulated at.
    pub slot: u64,
    /// Why it would fail, if it would.
    pub error: Option<String>,
    /// Compute units consumed, if the node says.
    pub units: Option<u64>,
    /// What the programs logged, at most 200 lines.
    pub logs: Vec<String>,
    /// The watched accounts, in the order asked for.
    pub balances: Vec<WatchedBalance>,
    /// The same accounts as they would be, with their data; `None`: it would not be there. Empty when the simulation fails.
    pub after: Vec<Option<AccountData>>,
}

/// What the cluster says about a signature it has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureStatus {
    /// The slot the transaction landed in.
    pub slot: u64,
    /// How settled that is.
    pub commitment: Commitment,
    /// Why it failed on chain, if it did.
    pub error: Option<String>,
}

/// The answer to a search for a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureSearch {
    /// The slot that the answering node had reached.
    pub context_slot: u64,
    /// What it found. `None`: nothing *in what it looked through*.
    pub status: Option<SignatureStatus>,
}

/// Whether a search for a signature includes the node's whole history or only its recent cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchScope {
    /// The cache of the last few hundred slots.
    Recent,
    /// Everything the node keeps.
    History,
}

/// A slot and its block height, read together from one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTip {
    /// The slot.
    pub slot: u64,
    /// The block height at that slot.
    pub block_height: u64,
}
