//! What a transfer's instructions are: SOL, or tokens with the accounts that they move between.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::Instruction;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::instructions::{
    TokenPayment, create_associated_account, sol_transfer, token_transfer, token_transfer_with_fee,
};
use keyward_core::solana::token::TokenAccount;

use super::{TransferAmount, TransferError, TransferRequest};
use crate::chain::{SolanaNode, TokenAccountAt, TokenMint};

/// What moves, as far as the chain had to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payment {
    Sol(Lamports),
    Token(Box<TokenRoute>),
}

/// How tokens get from one wallet to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenRoute {
    pub(super) payment: TokenPayment,
    /// The recipient's account is created, at the sender's cost.
    pub(super) creates: bool,
    /// What the mint keeps of the amount.
    pub(super) fee: Option<u64>,
    /// What deserves a second look.
    pub(super) warnings: Vec<String>,
}

impl Payment {
    /// Asks the chain for what the request leaves open.
    pub(super) async fn find(node: &SolanaNode, request: &TransferRequest) -> Result<Self, TransferError> {
        match request.amount {
            TransferAmount::Sol(lamports) => Ok(Self::Sol(lamports)),
            TransferAmount::Token { mint, units } => {
                let found = read_mint(node, mint).await?;
                if found.mint.decimals != units.decimals {
                    return Err(TransferError::Token {
                        mint,
                        reason: format!(
                            "it has {} decimals, and the amount was read with {}",
                            found.mint.decimals, units.decimals
                        ),
                    });
                }
                let route = token_route(node, request, &found, units.amount).await?;
                Ok(Self::Token(Box::new(route)))
            }
        }
    }

    /// The instructions, without those of the compute budget and the memo.
    pub(super) fn instructions(&self, request: &TransferRequest) -> Vec<Instruction> {
        match self {
            Self::Sol(lamports) => vec![sol_transfer(request.from, request.to, *lamports)],
            Self::Token(route) => {
                let payment = &route.payment;
                let mut instructions = Vec::with_capacity(2);
                if route.creates {
                    let funder = request.from;
                    instructions.push(create_associated_account(
                        funder,
                        request.to,
                        payment.program,
                        payment.mint,
                    ));
                }
                instructions.push(match route.fee {
                    Some(fee) => token_transfer_with_fee(payment, fee),
                    None => token_transfer(payment),
                });
                instructions
            }
        }
    }
}

/// Reads a token's mint.
///
/// # Errors
/// [`TransferError::Token`] where there is none; the node's.
pub(super) async fn read_mint(node: &SolanaNode, mint: Address) -> Result<TokenMint, TransferError> {
    let (_, found) = node.mints(&[mint]).await?;
    found.into_iter().next().flatten().ok_or(TransferError::Token {
        mint,
        reason: "there is no token of that mint on this network".into(),
    })
}

async fn token_route(
    node: &SolanaNode,
    request: &TransferRequest,
    found: &TokenMint,
    amount: u64,
) -> Result<TokenRoute, TransferError> {
    let TransferRequest { from, to, .. } = *request;
    let (mint, program) = (found.address, found.program);
    let refuse = |reason: String| TransferError::Token { mint, reason };
    if let Some(hook) = found.mint.transfer_hook() {
        return Err(refuse(format!(
            "each transfer runs the program {hook}, which this version does not support"
        )));
    }
    if found.mint.transfers_are_stopped() {
        return Err(refuse("its transfers are stopped".into()));
    }
    let source = source(node, &from, found, amount).await?;
    let destination = associated_token_account(&to, &program.address(), &mint);
    let (_, accounts) = node.token_accounts(&[destination, to]).await?;
    let mut accounts = accounts.into_iter();
    let (at_destination, at_recipient) = (accounts.next().flatten(), accounts.next().flatten());
    if let Some(account) = at_recipient {
        return Err(refuse(format!(
            "the recipient is a token account; give its owner {} instead",
            account.account.owner
        )));
    }
    let mut warnings = Vec::new();
    if let Some(account) = &at_destination {
        check_destination(account, found, &to).map_err(refuse)?;
        if account.account.requires_memo() && request.memo.is_none() {
            return Err(refuse("the recipient takes transfers with a memo only".into()));
        }
    }
    let fee = match found.mint.transfer_fee() {
        None => None,
        Some(config) => {
            let fee = config.at(node.epoch().await?).of(amount);
            let fee = fee.ok_or_else(|| refuse("its transfer fee is beyond the amount".into()))?;
            let arrives = amount.checked_sub(fee);
            let arrives = arrives.ok_or_else(|| refuse("its transfer fee is beyond the amount".into()))?;
            if fee > 0 {
                let shown = |amount| keyward_core::amount::format_units(amount, found.mint.decimals);
                warnings.push(format!(
                    "the token keeps a transfer fee of {}: {} arrive",
                    shown(fee),
                    shown(arrives)
                ));
            }
            Some(fee)
        }
    };
    if let Some(delegate) = found.mint.permanent_delegate() {
        warnings.push(format!(
            "{delegate} may move or burn this token in any account at any time"
        ));
    }
    Ok(TokenRoute {
        payment: TokenPayment {
            program: program.address(),
            source,
            mint,
            destination,
            authority: from,
            amount,
            decimals: found.mint.decimals,
        },
        creates: at_destination.is_none(),
        fee,
        warnings,
    })
}

/// The sender's account: the associated one where it holds enough, else the one that holds most.
async fn source(
    node: &SolanaNode,
    from: &Address,
    found: &TokenMint,
    amount: u64,
) -> Result<Address, TransferError> {
    let mint = found.address;
    let owned = node.token_accounts_of(from, found.program).await?;
    let usual = associated_token_account(from, &found.program.address(), &mint);
    let usable = |account: &TokenAccount| !account.is_frozen();
    let mut of_mint: Vec<TokenAccountAt> = owned
        .accounts
        .into_iter()
        .filter(|held| held.account.mint == mint)
        .collect();
    let frozen = of_mint.iter().any(|held| !usable(&held.account));
    of_mint.retain(|held| usable(&held.account));
    of_mint.sort_by_key(|held| std::cmp::Reverse((held.address == usual, held.account.amount)));
    if let Some(held) = of_mint.iter().find(|held| held.account.amount >= amount) {
        return Ok(held.address);
    }
    let available = of_mint.iter().map(|held| held.account.amount).max().unwrap_or(0);
    Err(TransferError::InsufficientTokens {
        mint,
        available: keyward_core::amount::format_units(available, found.mint.decimals),
        needed: keyward_core::amount::format_units(amount, found.mint.decimals),
        frozen: match frozen {
            true => "; another account of it is frozen",
            false => "",
        },
    })
}

fn check_destination(account: &TokenAccountAt, mint: &TokenMint, to: &Address) -> Result<(), String> {
    if account.program != mint.program || account.account.mint != mint.address {
        return Err("the recipient's associated account is of another token".into());
    }
    // Whoever was given the account would get the tokens.
    if account.account.owner != *to {
        return Err(format!(
            "the recipient's associated account belongs to {} now",
            account.account.owner
        ));
    }
    if account.account.is_frozen() {
        return Err("the recipient's account is frozen".into());
    }
    Ok(())
}
