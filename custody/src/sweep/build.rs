//! From items and what is known of the chain to instructions: the same for planning and for doing. Pure.

use std::collections::BTreeSet;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::instructions::{
    TokenPayment, close_token_account, create_associated_account, sol_transfer, token_transfer,
    token_transfer_with_fee, withdraw_excess_lamports,
};

use crate::jobs::compose::Built;
use crate::jobs::{ItemAction, NewItem};

/// An item and what the chain said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) item: &'a NewItem,
    pub(crate) seen: Seen,
}

/// What the chain said of an item's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A wallet's SOL.
    Sol(u64),
    /// A token account.
    Token {
        /// How much it holds, in base units.
        amount: u64,
        /// What the token's own fee takes of it; none where the mint has no fee.
        fee: Option<u64>,
        /// The recipient's account.
        target: TargetState,
        /// Whether the account can be closed once it is empty.
        closes: bool,
    },
    /// A token account that is closed or relieved of so many lamports.
    Lamports(u64),
}

/// Whether the recipient's account is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetState {
    There,
    Missing,
}

/// The instructions of the items of one transaction, in their order. An account that is missing is made once, before the
/// first that needs it, and the fee payer pays its rent. The rent of accounts that were drained and closed goes to `rent_to`.
pub(crate) fn pieces<'a>(
    fee_payer: Address,
    rent_to: Address,
    pieces: impl IntoIterator<Item = Piece<'a>>,
) -> Vec<Built> {
    let mut made = BTreeSet::new();
    pieces
        .into_iter()
        .map(|piece| built((fee_payer, rent_to), &piece, &mut made))
        .collect()
}

fn built((fee_payer, rent_to): (Address, Address), piece: &Piece<'_>, made: &mut BTreeSet<Address>) -> Built {
    let (source, recipient) = (piece.item.source, piece.item.recipient);
    match (&piece.item.action, piece.seen) {
        (
            ItemAction::DrainToken {
                mint,
                program,
                decimals,
                source_account,
                destination_account,
                close,
                ..
            },
            Seen::Token {
                amount,
                fee,
                target,
                closes,
            },
        ) => {
            let mut instructions = Vec::new();
            let mut referable = None;
            if amount > 0 {
                if target == TargetState::Missing && made.insert(*destination_account) {
                    instructions.push(create_associated_account(fee_payer, recipient, *program, *mint));
                }
                let payment = TokenPayment {
                    program: *program,
                    source: *source_account,
                    mint: *mint,
                    destination: *destination_account,
                    authority: source,
                    amount,
                    decimals: *decimals,
                };
                // Token-2022 hands further accounts of a transfer on to a hook, which policy refuses.
                if *program == programs::TOKEN {
                    referable = Some(instructions.len());
                }
                instructions.push(match fee {
                    Some(fee) => token_transfer_with_fee(&payment, fee),
                    None => token_transfer(&payment),
                });
            }
            if *close && closes {
                referable = Some(instructions.len());
                instructions.push(close_token_account(*program, *source_account, rent_to, source));
            }
            Built {
                instructions,
                amount,
                referable,
            }
        }
        (ItemAction::CloseAccount { account, program, .. }, Seen::Lamports(lamports)) => Built {
            instructions: vec![close_token_account(*program, *account, recipient, source)],
            amount: lamports,
            referable: Some(0),
        },
        (ItemAction::WithdrawExcess { account, program }, Seen::Lamports(lamports)) => Built {
            instructions: vec![withdraw_excess_lamports(*program, *account, recipient, source)],
            amount: lamports,
            referable: None,
        },
        (ItemAction::DrainSol, Seen::Sol(lamports)) => Built {
            instructions: vec![sol_transfer(source, recipient, Lamports::new(lamports))],
            amount: lamports,
            referable: Some(0),
        },
        // Whoever pairs an item with what was seen of another account gets nothing built of it.
        _ => Built {
            instructions: Vec::new(),
            amount: 0,
            referable: None,
        },
    }
}
