//! Token accounts and mints, of both token programs.

use keyward_core::address::Address;
use keyward_core::solana::token::{Mint, TokenAccount, TokenProgram};
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;

use super::accounts::{self, RawData};
use super::transport::{AtSlot, call};
use super::{AccountData, ChainError, Commitment, OwnedTokenAccounts, SolanaNode, TokenAccountAt, TokenMint};

#[derive(Deserialize)]
struct RawKeyed {
    pubkey: Address,
    account: RawData,
}

/// All token accounts of an owner, of one program, as they are.
pub(super) async fn data_of_owner(
    node: &SolanaNode,
    owner: &Address,
    program: TokenProgram,
) -> Result<(u64, Vec<(Address, AccountData)>), ChainError> {
    let filter = json!({ "programId": program.address() });
    let options = json!({ "commitment": Commitment::Confirmed.as_str(), "encoding": "base64" });
    let answer: AtSlot<Vec<RawKeyed>> = call(
        node,
        RpcRequest::GetTokenAccountsByOwner,
        json!([owner, filter, options]),
    )
    .await?;
    let mut accounts = Vec::with_capacity(answer.value.len());
    for keyed in answer.value {
        if keyed.account.owner != program.address() {
            return Err(ChainError::nonsense(
                "an account of another program than asked for",
            ));
        }
        accounts.push((keyed.pubkey, keyed.account.read()?));
    }
    // The node's order means nothing, and changes from answer to answer.
    accounts.sort_unstable_by_key(|(address, _)| *address);
    Ok((answer.context.slot, accounts))
}

/// All token accounts of an owner, of one program.
pub(super) async fn of_owner(
    node: &SolanaNode,
    owner: &Address,
    program: TokenProgram,
) -> Result<OwnedTokenAccounts, ChainError> {
    let (slot, accounts) = data_of_owner(node, owner, program).await?;
    let mut found = OwnedTokenAccounts {
        slot,
        accounts: Vec::with_capacity(accounts.len()),
        unreadable: Vec::new(),
    };
    for (address, data) in accounts {
        match TokenAccount::decode(program, &data.data) {
            Ok(account) if account.owner == *owner => found.accounts.push(TokenAccountAt {
                address,
                program,
                lamports: data.lamports,
                account,
            }),
            Ok(_) => {
                return Err(ChainError::nonsense(
                    "a token account of another owner than asked for",
                ));
            }
            Err(error) => found.unreadable.push((address, error)),
        }
    }
    Ok(found)
}

/// At most 100 token accounts. `None`: there is no account there, or it is none of a token program.
pub(super) async fn accounts(
    node: &SolanaNode,
    addresses: &[Address],
) -> Result<(u64, Vec<Option<TokenAccountAt>>), ChainError> {
    let (slot, found) = accounts::data(node, addresses, Commitment::Confirmed).await?;
    let read = |(address, account): (&Address, Option<AccountData>)| {
        let account = account?;
        let program = TokenProgram::of(&account.owner)?;
        let lamports = account.lamports;
        let account = TokenAccount::decode(program, &account.data).ok()?;
        Some(TokenAccountAt {
            address: *address,
            program,
            lamports,
            account,
        })
    };
    Ok((slot, addresses.iter().zip(found).map(read).collect()))
}

/// At most 100 mints.
pub(super) async fn mints(
    node: &SolanaNode,
    addresses: &[Address],
) -> Result<(u64, Vec<Option<TokenMint>>), ChainError> {
    let (slot, found) = accounts::data(node, addresses, Commitment::Confirmed).await?;
    let read = |(address, account): (&Address, Option<AccountData>)| {
        let account = account?;
        let program = TokenProgram::of(&account.owner)?;
        let mint = Mint::decode(program, &account.data).ok()?;
        Some(TokenMint {
            address: *address,
            program,
            mint,
        })
    };
    Ok((slot, addresses.iter().zip(found).map(read).collect()))
}
