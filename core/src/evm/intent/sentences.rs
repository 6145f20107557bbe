//! An EVM intent in plain sentences.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::EvmAddress;
use super::super::u256::U256;
use super::{AllowanceChange, EvmAction, EvmIntent, Grant, NftItem, chain_name, is_unlimited};

/// Decimals of the coin of every EVM chain.
const COIN_DECIMALS: u8 = 18;

/// The most tokens of one transfer that a sentence names.
const ITEMS_SHOWN: usize = 5;

pub(super) fn describe(intent: &EvmIntent) -> Vec<String> {
    let coin = |wei: &U256| shown_coin(intent.chain_id, wei);
    let mut lines = Vec::new();
    match &intent.action {
        EvmAction::NativeTransfer { to } => {
            lines.push(format!(
                "Transfer {} from {} to {to}",
                coin(&intent.value),
                intent.from
            ));
        }
        action => {
            lines.push(sentence(action, &intent.from));
            if !intent.value.is_zero() {
                let to = match intent.contract() {
                    Some(contract) => format!("contract {contract}"),
                    None => String::from("the new contract"),
                };
                lines.push(format!("Transfer {} along with it to {to}", coin(&intent.value)));
            }
        }
    }
    lines.extend(intent.authorizations.iter().map(|one| one.sentence()));
    lines.push(format!(
        "Pay a fee of at most {} for at most {} gas",
        coin(&intent.max_fee),
        intent.gas_limit
    ));
    lines.push(format!(
        "Be transaction number {} of {} on {}",
        intent.nonce,
        intent.from,
        shown_chain(intent.chain_id)
    ));
    lines
}

fn sentence(action: &EvmAction, signer: &EvmAddress) -> String {
    match action {
        EvmAction::NativeTransfer { to } => format!("Pay {to}"),
        EvmAction::Create { code_len } => format!("Create a contract from {code_len} bytes of code"),
        EvmAction::Erc20Transfer { token, to, amount } => {
            format!("Transfer {amount} smallest units of token {token} from {signer} to {to}")
        }
        EvmAction::TransferFrom {
            token,
            from,
            to,
            amount_or_id,
        } => format!(
            "Transfer {amount_or_id} smallest units of token {token} (or its token number {amount_or_id}) from {from} to {to}"
        ),
        EvmAction::Approve {
            token,
            spender,
            amount,
            change,
        } => allowance(token, spender, amount, *change),
        EvmAction::Permit {
            token,
            owner,
            spender,
            amount,
        } => format!(
            "{}Hand in the signed permission of {owner} that {spender} may spend {} of its token {token}",
            warning(amount),
            shown_amount(amount)
        ),
        EvmAction::NftTransfer {
            collection,
            from,
            to,
            items,
            data_len,
        } => {
            let data = match data_len {
                0 => String::new(),
                len => format!(", with {len} bytes of data"),
            };
            format!(
                "Transfer {} of collection {collection} from {from} to {to}{data}",
                shown_items(items)
            )
        }
        EvmAction::ApprovalForAll {
            collection,
            operator,
            grant,
        } => match grant {
            Grant::Given => format!("DANGER: let {operator} move every token of collection {collection}"),
            Grant::Revoked => {
                format!("Let {operator} no longer move every token of collection {collection}")
            }
        },
        EvmAction::Call {
            contract,
            selector,
            data_len,
        } => match selector {
            Some(selector) => format!(
                "Call contract {contract}, function 0x{} with {data_len} bytes of data, which are not decoded",
                hex::encode(selector)
            ),
            None => format!("Call contract {contract} with {data_len} bytes of data, which are not decoded"),
        },
    }
}

fn allowance(token: &EvmAddress, spender: &EvmAddress, amount: &U256, change: AllowanceChange) -> String {
    match change {
        AllowanceChange::Set if amount.is_zero() => {
            format!("Let {spender} no longer spend token {token}")
        }
        AllowanceChange::Set => format!(
            "{}Let {spender} spend {} of token {token} (or its token number {amount})",
            warning(amount),
            shown_amount(amount)
        ),
        AllowanceChange::Increase => format!(
            "{}Let {spender} spend {} more of token {token}",
            warning(amount),
            shown_amount(amount)
        ),
        AllowanceChange::Decrease => {
            format!("Let {spender} spend {amount} smallest units less of token {token}")
        }
    }
}

fn warning(amount: &U256) -> &'static str {
    if is_unlimited(amount) {
        "DANGER: unlimited. "
    } else {
        ""
    }
}

fn shown_amount(amount: &U256) -> String {
    if is_unlimited(amount) {
        String::from("any amount")
    } else {
        format!("{amount} smallest units")
    }
}

fn shown_items(items: &[NftItem]) -> String {
    let mut shown: Vec<String> = items
        .iter()
        .take(ITEMS_SHOWN)
        .map(|item| format!("{} of token number {}", item.amount, item.id))
        .collect();
    match items.len().checked_sub(ITEMS_SHOWN) {
        None if items.is_empty() => shown.push(String::from("nothing")),
        None | Some(0) => {}
        Some(more) => shown.push(format!("{more} more kinds")),
    }
    shown.join(", ")
}

/// An amount of a chain's coin with all that matters: `1.5 ETH`.
pub(in crate::evm) fn shown_coin(chain_id: u64, wei: &U256) -> String {
    let amount = wei.format_units_short(COIN_DECIMALS);
    match chain_name(chain_id) {
        Some(chain) => format!("{amount} {}", chain.coin),
        None => format!("{amount} coins ({wei} wei)"),
    }
}

/// A chain's name and id.
pub(in crate::evm) fn shown_chain(chain_id: u64) -> String {
    match chain_name(chain_id) {
        Some(chain) => format!("{} (chain {chain_id})", chain.name),
        None => format!("chain {chain_id}, which is not known"),
    }
}
