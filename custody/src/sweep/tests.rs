//! What is collected, what is closed, and what is left out for which reason.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::token::{
    AccountExtension, Mint, MintExtension, TokenAccount, TokenAccountState, TokenProgram, TransferFee,
    TransferFeeConfig,
};

use super::build::{Seen, TargetState};
use super::collect::{self, Decided};
use super::survey::{Survey, Target, target_of};
use super::*;
use crate::chain::{AccountData, AccountInfo, TokenAccountAt, TokenMint};
use crate::fees::FeePolicy;
use crate::jobs::{ItemAction, JobFormat};

pub(super) const TO: Address = Address::new([1; 32]);
pub(super) const SPONSOR: Address = Address::new([2; 32]);
const SOURCE: Address = Address::new([3; 32]);
const MINT: Address = Address::new([4; 32]);
const STRANGER: Address = Address::new([5; 32]);
const RENT: u64 = 2_039_280;

fn account(amount: u64) -> TokenAccountAt {
    TokenAccountAt {
        address: Address::new([6; 32]),
        program: TokenProgram::Token2022,
        lamports: Lamports::new(RENT),
        account: TokenAccount {
            mint: MINT,
            owner: SOURCE,
            amount,
            delegate: None,
            delegated_amount: 0,
            state: TokenAccountState::Initialized,
            native_reserve: None,
            close_authority: None,
            extensions: vec![AccountExtension::ImmutableOwner],
        },
    }
}

fn mint(extensions: Vec<MintExtension>) -> Mint {
    Mint {
        mint_authority: None,
        supply: 1_000,
        decimals: 6,
        freeze_authority: None,
        extensions,
    }
}

fn fees(basis_points: u16, maximum: u64) -> MintExtension {
    let fee = TransferFee {
        epoch: 0,
        maximum,
        basis_points,
    };
    MintExtension::TransferFee(TransferFeeConfig {
        config_authority: None,
        withdraw_authority: None,
        withheld: 0,
        older: fee,
        newer: fee,
    })
}

fn info(lamports: u64) -> AccountInfo {
    AccountInfo {
        lamports: Lamports::new(lamports),
        owner: programs::SYSTEM,
        data_len: 0,
        executable: false,
    }
}

fn survey(lamports: u64, accounts: Vec<TokenAccountAt>, target: Target, mint: Mint) -> Survey {
    Survey {
        signature_fee: 5_000,
        wallets: [(SOURCE, info(lamports)), (SPONSOR, info(1_000_000_000))].into(),
        accounts: accounts.into_iter().map(|at| (SOURCE, at)).collect(),
        mints: [(
            MINT,
            TokenMint {
                address: MINT,
                program: TokenProgram::Token2022,
                mint,
            },
        )]
        .into(),
        targets: [(MINT, target)].into(),
        ..Survey::default()
    }
}

fn consolidate() -> ConsolidateRequest {
    ConsolidateRequest {
        label: "all".into(),
        sources: vec![SOURCE],
        to: TO,
        sponsor: Some(SPONSOR),
        collect: Collect::Everything,
        emptied: Emptied::Close,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
    }
}

fn close() -> CloseRequest {
    CloseRequest {
        label: "rent".into(),
        wallets: vec![SOURCE],
        rent_to: RentTo::Owner,
        sponsor: Some(SPONSOR),
        wrapped: WrappedSol::Keep,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
    }
}

fn collected(request: &ConsolidateRequest, survey: &Survey) -> Decided {
    collect::decide(request, &[SOURCE], (SPONSOR, TO), survey)
}

fn told(decided: &Decided) -> (Vec<&'static str>, Vec<&'static str>) {
    let done = decided.items.iter().map(|planned| match &planned.item.action {
        ItemAction::DrainSol => "sol",
        ItemAction::DrainToken { close: true, .. } => "token and account",
        ItemAction::DrainToken { .. } => "token",
        ItemAction::CloseAccount { .. } => "account",
        ItemAction::WithdrawExcess { .. } => "excess",
        _ => "payment",
    });
    let skipped = decided.skipped.iter().map(|skipped| skipped.reason.code());
    (done.collect(), skipped.collect())
}

/// Changes an account.
fn with(amount: u64, change: impl Fn(&mut TokenAccountAt)) -> TokenAccountAt {
    let mut at = account(amount);
    change(&mut at);
    at
}

fn frozen(at: &mut TokenAccountAt) {
    at.account.state = TokenAccountState::Frozen;
}

fn wrapped(at: &mut TokenAccountAt) {
    at.account.native_reserve = Some(RENT);
}

fn foreign(at: &mut TokenAccountAt) {
    at.account.close_authority = Some(STRANGER);
}

fn withholding(at: &mut TokenAccountAt) {
    let held = AccountExtension::TransferFeeAmount { withheld: 7 };
    at.account.extensions.push(held);
}

fn confidential(at: &mut TokenAccountAt) {
    at.account
        .extensions
        .push(AccountExtension::ConfidentialTransfer {
            is_empty: false,
            takes_public: true,
        });
}

fn fixed(at: &mut TokenAccountAt) {
    at.account.extensions.push(AccountExtension::NonTransferable);
}

#[test]
fn a_consolidation_moves_what_moves_and_tells_of_the_rest() {
    let plain = || mint(Vec::new());
    let ready = Target::Ready;
    for (at, target, mint, done, skipped) in [
        (
            account(5),
            ready,
            plain(),
            vec!["token and account", "sol"],
            vec![],
        ),
        (
            account(5),
            Target::Missing,
            plain(),
            vec!["token and account", "sol"],
            vec![],
        ),
        (account(0), ready, plain(), vec!["account", "sol"], vec![]),
        (with(5, frozen), ready, plain(), vec!["sol"], vec!["frozen"]),
        (with(0, frozen), ready, plain(), vec!["sol"], vec!["frozen"]),
        // The tokens move, the account stays.
        (
            with(5, foreign),
            ready,
            plain(),
            vec!["token", "sol"],
            vec!["foreign-close-authority"],
        ),
        (
            with(5, withholding),
            ready,
            plain(),
            vec!["token", "sol"],
            vec!["withheld-fees"],
        ),
        (
            with(0, withholding),
            ready,
            plain(),
            vec!["sol"],
            vec!["withheld-fees"],
        ),
        (
            with(5, confidential),
            ready,
            plain(),
            vec!["token", "sol"],
            vec!["confidential"],
        ),
        (
            with(5, fixed),
            ready,
            plain(),
            vec!["sol"],
            vec!["non-transferable"],
        ),
        (with(5, wrapped), ready, plain(), vec!["account", "sol"], vec![]),
        (
            account(5),
            Target::Frozen,
            plain(),
            vec!["sol"],
            vec!["recipient-frozen"],
        ),
        (
            account(5),
            Target::WantsMemo,
            plain(),
            vec!["sol"],
            vec!["recipient-wants-memo"],
        ),
        (
            account(5),
            Target::Unfit,
            plain(),
            vec!["sol"],
            vec!["recipient-unfit"],
        ),
        (
            account(5),
            ready,
            mint(vec![fees(10_000, 100)]),
            vec!["sol"],
            vec!["eaten-by-fee"],
        ),
        (
            account(5),
            ready,
            mint(vec![fees(100, 100)]),
            vec!["token and account", "sol"],
            vec![],
        ),
        (
            account(5),
            ready,
            mint(vec![MintExtension::TransferHook {
                authority: None,
                program: Some(STRANGER),
            }]),
            vec!["sol"],
            vec!["transfer-hook"],
        ),
        (
            account(5),
            ready,
            mint(vec![MintExtension::Pausable {
                authority: None,
                paused: true,
            }]),
            vec!["sol"],
            vec!["paused"],
        ),
    ] {
        let survey = survey(1_000_000, vec![at.clone()], target, mint);
        let decided = collected(&consolidate(), &survey);
        assert_eq!(told(&decided), (done, skipped), "{at:?}");
        // Nothing gets lost: each account is moved, or told of, or both.
        assert!(decided.items.len() + decided.skipped.len() >= 2);
    }
}

#[test]
fn a_tokens_own_fee_is_agreed_to_and_an_account_is_made_where_there_is_none() {
    let survey = survey(
        0,
        vec![account(1_001)],
        Target::Missing,
        mint(vec![fees(100, 50)]),
    );
    let decided = collected(&consolidate(), &survey);
    let [planned] = decided.items.as_slice() else {
        panic!("{decided:?}");
    };
    let seen = Seen::Token {
        amount: 1_001,
        fee: Some(11),
        target: TargetState::Missing,
        closes: true,
    };
    assert_eq!(planned.seen, seen);
    assert!(matches!(
        &planned.item.action,
        ItemAction::DrainToken { create: true, destination_account, decimals: 6, .. }
            if *destination_account == associated_token_account(&TO, &programs::TOKEN_2022, &MINT)
    ));
}

#[test]
fn sol_leaves_plain_wallets_that_are_worth_their_signature() {
    let bare = |lamports| survey(lamports, Vec::new(), Target::Ready, mint(Vec::new()));
    for (lamports, done, skipped) in [
        (0, vec![], vec![]),
        (5_000, vec![], vec!["not-worth-it"]),
        (5_001, vec!["sol"], vec![]),
    ] {
        let decided = collected(&consolidate(), &bare(lamports));
        assert_eq!(told(&decided), (done, skipped), "{lamports}");
    }
    // A token has no price, so that it is always worth it, and the SOL comes along.
    let with_token = survey(1, vec![account(1)], Target::Ready, mint(Vec::new()));
    assert_eq!(
        told(&collected(&consolidate(), &with_token)).1,
        Vec::<&str>::new()
    );

    let mut odd = bare(9_000);
    odd.wallets.insert(
        SOURCE,
        AccountInfo {
            data_len: 80,
            ..info(9_000)
        },
    );
    assert_eq!(told(&collected(&consolidate(), &odd)).1, ["not-plain"]);
    odd.wallets.insert(
        SOURCE,
        AccountInfo {
            owner: programs::STAKE,
            ..info(9_000)
        },
    );
    assert_eq!(told(&collected(&consolidate(), &odd)).1, ["not-plain"]);

    // Whoever pays the fees cannot come to zero, and whoever gets it all has it.
    let request = consolidate();
    let decided = collect::decide(&request, &[SPONSOR, SOURCE], (SPONSOR, TO), &bare(9_000));
    assert_eq!(told(&decided), (vec!["sol"], vec!["pays-the-fees"]));
    let own = ConsolidateRequest {
        to: SOURCE,
        ..consolidate()
    };
    let decided = collect::decide(&own, &[SOURCE], (SPONSOR, SOURCE), &bare(9_000));
    assert_eq!(told(&decided), (vec![], vec!["is-the-recipient"]));
}

#[test]
fn only_what_is_asked_for_is_collected() {
    let survey = survey(1_000_000, vec![account(5)], Target::Ready, mint(Vec::new()));
    for (collect, emptied, done) in [
        (Collect::Sol, Emptied::Close, vec!["sol"]),
        (Collect::Tokens, Emptied::Close, vec!["token and account"]),
        (Collect::Tokens, Emptied::Keep, vec!["token"]),
        (
            Collect::Mints(vec![MINT]),
            Emptied::Close,
            vec!["token and account"],
        ),
        (Collect::Mints(vec![STRANGER]), Emptied::Close, vec![]),
    ] {
        let request = ConsolidateRequest {
            collect: collect.clone(),
            emptied,
            ..consolidate()
        };
        assert_eq!(told(&collected(&request, &survey)), (done, vec![]), "{collect:?}");
    }
}

#[test]
fn a_closing_closes_what_is_empty_and_takes_what_is_above_the_rent() {
    let plain = || mint(Vec::new());
    for (at, above, done, skipped) in [
        (account(0), 0, vec!["account"], vec![]),
        (account(5), 0, vec![], vec!["not-empty"]),
        (account(5), 1_000_000, vec!["excess"], vec!["not-empty"]),
        // Above the rent, and less than the signature costs.
        (account(5), 4_000, vec![], vec!["not-empty", "not-worth-it"]),
        (with(0, frozen), 0, vec![], vec!["frozen"]),
        (with(0, foreign), 0, vec![], vec!["foreign-close-authority"]),
        (with(0, withholding), 0, vec![], vec!["withheld-fees"]),
        (with(0, confidential), 0, vec![], vec!["confidential"]),
        (with(5, wrapped), 9_000_000, vec![], vec!["wrapped-sol"]),
        (with(0, wrapped), 0, vec!["account"], vec![]),
    ] {
        let mut survey = survey(0, vec![at.clone()], Target::Ready, plain());
        if above > 0 {
            survey.excess.insert(at.address, above);
        }
        let decided = super::close::decide(&close(), &[SOURCE], SPONSOR, &survey);
        assert_eq!(told(&decided), (done, skipped), "{at:?}");
    }
    let survey = survey(0, vec![with(5, wrapped)], Target::Ready, plain());
    let unwrap = CloseRequest {
        wrapped: WrappedSol::Unwrap,
        rent_to: RentTo::Wallet(TO),
        ..close()
    };
    let decided = super::close::decide(&unwrap, &[SOURCE], SPONSOR, &survey);
    assert_eq!(told(&decided), (vec!["account"], vec![]));
    assert_eq!(decided.items[0].item.recipient, TO);
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut survey = survey(0, Vec::new(), Target::Ready, mint(Vec::new()));
    survey.unreadable.push((SOURCE, MINT, "it is odd".into()));
    let decided = collected(&consolidate(), &survey);
    assert_eq!(told(&decided).1, ["unreadable"]);
    let decided = super::close::decide(&close(), &[SOURCE], SPONSOR, &survey);
    assert_eq!(told(&decided).1, ["unreadable"]);
    assert!(decided.skipped[0].reason.to_string().contains("it is odd"));
}

#[test]
fn the_recipients_account_is_looked_at_as_its_program_would() {
    let plain = mint(Vec::new());
    let seen = |mint: &Mint, account: Option<AccountData>| {
        target_of(TokenProgram::Token, (&MINT, mint), &TO, account.as_ref())
    };
    assert_eq!(seen(&plain, None), Target::Missing);
    let freezing = MintExtension::DefaultAccountState(Some(TokenAccountState::Frozen));
    assert_eq!(seen(&mint(vec![freezing]), None), Target::Frozen);
    let data = |owner: Address, data: Vec<u8>| {
        Some(AccountData {
            lamports: Lamports::new(1),
            owner,
            executable: false,
            data,
        })
    };
    // Lamports that somebody sent there ahead are no account.
    assert_eq!(seen(&plain, data(programs::SYSTEM, Vec::new())), Target::Missing);
    assert_eq!(
        seen(&plain, data(programs::TOKEN_2022, vec![0; 165])),
        Target::Unfit
    );
    assert_eq!(seen(&plain, data(programs::TOKEN, vec![0; 3])), Target::Unfit);
    let held = |mint: Address, owner: Address, state: u8| {
        let mut bytes = vec![0; 165];
        bytes[..32].copy_from_slice(mint.as_bytes());
        bytes[32..64].copy_from_slice(owner.as_bytes());
        bytes[108] = state;
        data(programs::TOKEN, bytes)
    };
    assert_eq!(seen(&plain, held(MINT, TO, 1)), Target::Ready);
    assert_eq!(seen(&plain, held(MINT, TO, 2)), Target::Frozen);
    assert_eq!(seen(&plain, held(MINT, STRANGER, 1)), Target::Unfit);
    assert_eq!(seen(&plain, held(STRANGER, TO, 1)), Target::Unfit);
}
