#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::ed25519::SecretKey;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::token::{
    AccountExtension, Mint, MintExtension, TokenAccount, TokenAccountState, TransferFee, TransferFeeConfig,
};

use super::*;
use crate::chain::TokenAccountAt;
use crate::distribution::survey::{Destination, TokenSurvey};
use crate::distribution::{Amounts, Division, FeeBearer};
use crate::fees::FeePolicy;
use crate::jobs::JobFormat;

const RENT: u64 = 890_880;
const SOURCE: u8 = 1;
const SECOND: u8 = 2;
const PAYER: u8 = 3;

/// A wallet's address: on the curve.
fn wallet(byte: u8) -> Address {
    SecretKey::from_seed(&[byte; 32]).address()
}

fn mint() -> Address {
    wallet(200)
}

/// An address off the curve.
fn derived() -> Address {
    let derived = associated_token_account(&wallet(9), &programs::TOKEN, &mint());
    assert!(!derived.is_on_curve());
    derived
}

fn request(asset: Asset, payments: &[(Address, u64)]) -> DistributionRequest {
    DistributionRequest {
        label: "march".into(),
        sources: vec![wallet(SOURCE)],
        fee_payer: wallet(PAYER),
        asset,
        recipients: payments
            .iter()
            .zip(2..)
            .map(|((address, _), line)| Recipient {
                address: *address,
                name: String::new(),
                line: Some(line),
                memo: None,
            })
            .collect(),
        amounts: Amounts::Explicit(payments.iter().map(|(_, amount)| *amount).collect()),
        transfer_fee: FeeBearer::Recipient,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
        accepted: Vec::new(),
    }
}

fn account(lamports: u64) -> AccountInfo {
    AccountInfo {
        lamports: Lamports::new(lamports),
        owner: programs::SYSTEM,
        data_len: 0,
        executable: false,
    }
}

fn survey() -> Survey {
    let payers = [SOURCE, SECOND, PAYER].map(wallet);
    Survey {
        network: "network".into(),
        wallets: payers
            .iter()
            .map(|payer| (*payer, account(10_000_000_000)))
            .collect(),
        ours: payers.into_iter().collect(),
        lookalikes: BTreeMap::new(),
        wallet_rent: Lamports::new(RENT),
        token: None,
    }
}

fn token_account(owner: Address, amount: u64) -> TokenAccount {
    TokenAccount {
        mint: mint(),
        owner,
        amount,
        delegate: None,
        delegated_amount: 0,
        state: TokenAccountState::Initialized,
        native_reserve: None,
        close_authority: None,
        extensions: Vec::new(),
    }
}

fn token_survey(program: TokenProgram, extensions: Vec<MintExtension>) -> Survey {
    let source = |owner: Address| TokenAccountAt {
        address: associated_token_account(&owner, &program.address(), &mint()),
        program,
        lamports: Lamports::new(2_039_280),
        account: token_account(owner, 1_000),
    };
    let mint = Mint {
        mint_authority: None,
        supply: 10_000,
        decimals: 2,
        freeze_authority: None,
        extensions,
    };
    Survey {
        token: Some(TokenSurvey {
            mint: Some((program, mint)),
            epoch: 7,
            account_rent: Lamports::new(2_039_280),
            destinations: BTreeMap::new(),
            sources: [SOURCE, SECOND]
                .map(wallet)
                .map(|owner| (owner, source(owner)))
                .into(),
        }),
        ..survey()
    }
}

fn token() -> Asset {
    Asset::Token { mint: mint() }
}

/// The findings: code, payment, line.
fn found(judged: &Judged) -> Vec<(FindingCode, Option<u32>, Option<u32>)> {
    let list = judged.findings.list.iter();
    list.map(|finding| (finding.code, finding.item, finding.line))
        .collect()
}

fn codes(judged: &Judged) -> Vec<FindingCode> {
    judged.findings.list.iter().map(|finding| finding.code).collect()
}

const SOME: u64 = 5_000_000;

#[test]
fn a_sound_list_has_no_findings() {
    let judged = judge(
        &request(Asset::Sol, &[(wallet(10), SOME), (wallet(11), RENT)]),
        &survey(),
        0,
    );
    assert_eq!(found(&judged), []);
    assert_eq!(judged.items.len(), 2);
    assert_eq!(judged.items[1].number, 1);
    assert_eq!(
        (judged.items[1].source, judged.items[1].recipient),
        (wallet(SOURCE), wallet(11))
    );
    assert_eq!((judged.total, judged.items[1].amount), (SOME + RENT, RENT));
    let judged = judge(
        &request(token(), &[(wallet(10), 999)]),
        &token_survey(TokenProgram::Token, vec![]),
        0,
    );
    assert_eq!(found(&judged), []);
    assert_eq!(judged.accounts_created, 1);
}

#[test]
fn bad_recipients_are_named_with_their_line() {
    let mut survey = survey();
    let mut kept = |byte: u8, owner: Address, data_len: u64, executable: bool| {
        let account = AccountInfo {
            owner,
            data_len,
            executable,
            ..account(SOME)
        };
        survey.wallets.insert(wallet(byte), account);
    };
    kept(20, programs::UPGRADEABLE_LOADER, 36, true);
    kept(21, programs::TOKEN, 165, false);
    kept(22, programs::TOKEN_2022, 82, false);
    kept(23, programs::STAKE, 200, false);
    kept(24, SYSVAR.parse().unwrap(), 40, false);
    use FindingCode as F;
    let cases = [
        (wallet(10), None),
        (wallet(SOURCE), Some(F::OwnSource)),
        (wallet(PAYER), Some(F::FeePayerPaid)),
        (derived(), Some(F::OffCurve)),
        (programs::TOKEN, Some(F::ProgramAddress)),
        (programs::SYSTEM, Some(F::ProgramAddress)),
        (
            "SysvarC1ock11111111111111111111111111111111".parse().unwrap(),
            Some(F::ProgramAddress),
        ),
        (INCINERATOR.parse().unwrap(), Some(F::ProgramAddress)),
        (wallet(20), Some(F::ProgramAddress)),
        (wallet(21), Some(F::TokenAccount)),
        (wallet(22), Some(F::MintAddress)),
        (wallet(23), Some(F::ProgramOwned)),
        (wallet(24), Some(F::ProgramAddress)),
        (wallet(10), Some(F::DuplicateRecipient)),
    ];
    let payments = cases.map(|(address, _)| (address, SOME));
    let expected: Vec<_> = cases
        .iter()
        .zip(0..)
        .filter_map(|((_, code), at)| Some(((*code)?, Some(at), Some(at + 2))))
        .collect();
    let judged = judge(&request(Asset::Sol, &payments), &survey, 0);
    assert_eq!(found(&judged), expected);
    assert!(
        judged
            .findings
            .list
            .iter()
            .all(|finding| finding.address.is_some())
    );
    let text = &judged.findings.list.last().unwrap().text;
    assert_eq!(text, "it is paid on line 2 already");
    let own_mint = judge(
        &request(token(), &[(mint(), 1)]),
        &token_survey(TokenProgram::Token, vec![]),
        0,
    );
    assert_eq!(codes(&own_mint), [F::MintAddress]);
}

#[test]
fn lookalikes_are_asked_about() {
    let mut survey = survey();
    survey
        .lookalikes
        .insert(wallet(11), "it looks like another".into());
    let judged = judge(
        &request(Asset::Sol, &[(wallet(10), SOME), (wallet(11), SOME)]),
        &survey,
        0,
    );
    assert_eq!(found(&judged), [(FindingCode::Lookalike, Some(1), Some(3))]);
}

#[test]
fn bad_amounts_are_named_with_their_line() {
    use FindingCode as F;
    let check = |payments: &[(Address, u64)], expected: &[(FindingCode, Option<u32>, Option<u32>)]| {
        let mut survey = survey();
        survey.wallets.insert(wallet(12), account(RENT));
        survey.wallets.insert(wallet(13), account(RENT - 10));
        let judged = judge(&request(Asset::Sol, payments), &survey, 0);
        assert_eq!(found(&judged), expected, "{payments:?}");
    };
    check(&[(wallet(10), 0)], &[(F::ZeroAmount, Some(0), Some(2))]);
    check(&[(wallet(10), RENT - 1)], &[(F::BelowRent, Some(0), Some(2))]);
    check(&[(wallet(10), RENT)], &[]);
    check(&[(wallet(12), 1)], &[]);
    check(&[(wallet(13), 9)], &[(F::BelowRent, Some(0), Some(2))]);
    check(&[(wallet(13), 10)], &[]);
    check(
        &[(wallet(10), u64::MAX), (wallet(11), 1)],
        &[(F::TotalOverflow, None, None)],
    );
    check(&[(wallet(10), 10_000_000_001)], &[(F::OverBalance, None, None)]);
    check(&[(wallet(10), 10_000_000_000)], &[]);
    // A lamport less would leave the payer with dust.
    check(
        &[(wallet(10), 9_999_999_999)],
        &[(F::SourceBelowRent, None, None)],
    );
    check(&[(wallet(10), 10_000_000_000 - RENT)], &[]);
}

#[test]
fn divided_totals_are_judged_like_amounts() {
    let of = |total, division| {
        let mut request = request(Asset::Sol, &[(wallet(10), 0), (wallet(11), 0)]);
        request.amounts = Amounts::Divided { total, division };
        judge(&request, &survey(), 0)
    };
    let even = of(2 * RENT + 1, Division::Even);
    assert_eq!(found(&even), []);
    assert_eq!(
        even.items.iter().map(|item| item.amount).collect::<Vec<_>>(),
        [RENT + 1, RENT]
    );
    let dust = of(2 * RENT - 1, Division::Even);
    assert_eq!(found(&dust), [(FindingCode::BelowRent, Some(1), Some(3))]);
    assert!(dust.items.is_empty());
    assert_eq!(
        codes(&of(2 * RENT, Division::Weighted(vec![1]))),
        [FindingCode::Division]
    );
    let seed = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let random = |total, max| of(total, Division::Random { seed, min: 1, max });
    assert_eq!(codes(&random(2 * RENT - 1, u64::MAX)), [FindingCode::Division]);
    assert_eq!(codes(&random(3 * RENT, RENT)), [FindingCode::Division]);
    let random = random(3 * RENT, 2 * RENT);
    assert_eq!(found(&random), []);
    assert!(
        random
            .items
            .iter()
            .all(|item| (RENT..=2 * RENT).contains(&item.amount))
    );
}

#[test]
fn payments_go_to_the_first_wallet_that_can_make_them() {
    let three = 3_000_000_000;
    let payments: Vec<_> = (10..16).map(|byte| (wallet(byte), three)).collect();
    let mut request = request(Asset::Sol, &payments);
    request.sources = vec![wallet(SOURCE), wallet(SECOND)];
    let payers = |judged: &Judged| judged.items.iter().map(|item| item.source).collect::<Vec<_>>();
    let (one, two) = (wallet(SOURCE), wallet(SECOND));
    let judged = judge(&request, &survey(), 0);
    assert_eq!(found(&judged), []);
    assert_eq!(payers(&judged), [one, one, one, two, two, two]);
    // What is kept for fees is not paid out.
    request.fee_payer = one;
    let judged = judge(&request, &survey(), 1_000_000_000 - RENT + 1);
    assert_eq!(codes(&judged), [FindingCode::SourceBelowRent]);
    let judged = judge(&request, &survey(), 1_000_000_000 - RENT);
    assert_eq!(found(&judged), []);
    let mut strangers = survey();
    strangers.ours.remove(&two);
    let finding = &judge(&request, &strangers, 0).findings.list[0];
    assert_eq!((finding.code, finding.address), (FindingCode::NotOurs, Some(two)));
}

#[test]
fn mints_that_cannot_be_distributed_are_refused() {
    use FindingCode as F;
    let fee = |basis_points| TransferFee {
        epoch: 0,
        maximum: 50,
        basis_points,
    };
    let config = |older, newer: TransferFee| {
        MintExtension::TransferFee(TransferFeeConfig {
            config_authority: None,
            withdraw_authority: None,
            withheld: 0,
            older: fee(older),
            newer: TransferFee { epoch: 7, ..newer },
        })
    };
    let hook = |program| MintExtension::TransferHook {
        authority: None,
        program,
    };
    let cases: Vec<(Vec<MintExtension>, Vec<FindingCode>)> = vec![
        (vec![MintExtension::NonTransferable], vec![F::NotTransferable]),
        (
            vec![MintExtension::Pausable {
                authority: None,
                paused: true,
            }],
            vec![F::NotTransferable],
        ),
        (
            vec![MintExtension::Pausable {
                authority: None,
                paused: false,
            }],
            vec![],
        ),
        (vec![hook(Some(wallet(50)))], vec![F::TransferHook]),
        (vec![hook(None)], vec![]),
        (
            vec![MintExtension::PermanentDelegate(Some(wallet(50)))],
            vec![F::PermanentDelegate],
        ),
        (
            vec![MintExtension::Unknown { kind: 99 }],
            vec![F::UnknownExtension],
        ),
        (
            vec![MintExtension::DefaultAccountState(Some(
                TokenAccountState::Frozen,
            ))],
            vec![F::NewAccountsFrozen],
        ),
        (vec![config(0, fee(100))], vec![F::TransferFee]),
        (vec![config(100, fee(0))], vec![]),
    ];
    for (extensions, expected) in cases {
        let judged = judge(
            &request(token(), &[(wallet(10), 500)]),
            &token_survey(TokenProgram::Token2022, extensions.clone()),
            0,
        );
        assert_eq!(codes(&judged), expected, "{extensions:?}");
    }
    let mut missing = token_survey(TokenProgram::Token, vec![]);
    missing.token.as_mut().unwrap().mint = None;
    assert_eq!(
        codes(&judge(&request(token(), &[(wallet(10), 1)]), &missing, 0)),
        [F::WrongMint]
    );
    assert_eq!(
        codes(&judge(&request(token(), &[(wallet(10), 1)]), &survey(), 0)),
        [F::WrongMint]
    );
}

#[test]
fn transfer_fees_are_borne_as_asked() {
    let fee = TransferFee {
        epoch: 0,
        maximum: 5,
        basis_points: 200,
    };
    let config = TransferFeeConfig {
        config_authority: None,
        withdraw_authority: None,
        withheld: 0,
        older: fee,
        newer: fee,
    };
    let survey = token_survey(TokenProgram::Token2022, vec![MintExtension::TransferFee(config)]);
    let mut request = request(token(), &[(wallet(10), 100), (wallet(11), 490)]);
    let paid = |judged: &Judged| {
        let fee = |item: &NewItem| match item.action {
            ItemAction::PayToken { fee, .. } => fee,
            _ => panic!("{item:?}"),
        };
        judged
            .items
            .iter()
            .map(|item| (item.amount, fee(item)))
            .collect::<Vec<_>>()
    };
    let judged = judge(&request, &survey, 0);
    assert_eq!(paid(&judged), [(100, 2), (490, 5)]);
    assert_eq!((judged.total, judged.withheld), (590, 7));
    request.transfer_fee = FeeBearer::Sender;
    let judged = judge(&request, &survey, 0);
    assert_eq!(found(&judged), []);
    for ((amount, fee), asked) in paid(&judged).into_iter().zip([100, 490]) {
        assert_eq!(amount - fee, asked);
    }
    assert_eq!(judged.asked, [100, 490]);
}

#[test]
fn accounts_of_recipients_and_payers_are_looked_at() {
    use FindingCode as F;
    let at = |owner| associated_token_account(&owner, &programs::TOKEN_2022, &mint());
    let check = |destination: Option<Destination>, created: u64, expected: &[FindingCode]| {
        let mut survey = token_survey(TokenProgram::Token2022, vec![]);
        let facts = survey.token.as_mut().unwrap();
        facts
            .destinations
            .extend(destination.map(|found| (at(wallet(10)), found)));
        let judged = judge(&request(token(), &[(wallet(10), 5)]), &survey, 0);
        assert_eq!(codes(&judged), expected);
        assert_eq!(judged.accounts_created, created);
    };
    let of = |change: &dyn Fn(&mut TokenAccount)| {
        let mut account = token_account(wallet(10), 0);
        change(&mut account);
        Some(Destination::Account(Box::new(account)))
    };
    check(None, 1, &[]);
    check(Some(Destination::Prefunded), 1, &[]);
    check(of(&|_| {}), 0, &[]);
    check(Some(Destination::Other), 1, &[F::DestinationForeign]);
    check(
        of(&|account| account.owner = wallet(11)),
        0,
        &[F::DestinationForeign],
    );
    check(
        of(&|account| account.mint = wallet(11)),
        0,
        &[F::DestinationForeign],
    );
    check(
        of(&|account| account.state = TokenAccountState::Frozen),
        0,
        &[F::DestinationFrozen],
    );
    let memo = AccountExtension::MemoTransfer { required: true };
    check(
        of(&|account| account.extensions.push(memo)),
        0,
        &[F::MemoRequired],
    );

    let mut survey = token_survey(TokenProgram::Token2022, vec![]);
    let over = judge(
        &request(token(), &[(wallet(10), 600), (wallet(11), 600)]),
        &survey,
        0,
    );
    assert_eq!(codes(&over), [F::OverBalance]);
    assert_eq!(
        over.findings.list[0].text,
        "12 is to be paid, and 2 of it is missing"
    );
    let sources = &mut survey.token.as_mut().unwrap().sources;
    sources.get_mut(&wallet(SOURCE)).unwrap().account.state = TokenAccountState::Frozen;
    let payments = [(wallet(10), 1)];
    assert_eq!(
        codes(&judge(&request(token(), &payments), &survey, 0)),
        [F::SourceFrozen, F::OverBalance]
    );
    survey.token.as_mut().unwrap().sources.clear();
    assert_eq!(
        codes(&judge(&request(token(), &payments), &survey, 0)),
        [F::NoTokens, F::OverBalance]
    );
}

#[test]
fn findings_are_counted_beyond_those_that_are_told() {
    let payments: Vec<_> = (0..MAX_FINDINGS + 5).map(|_| (wallet(10), RENT)).collect();
    let judged = judge(&request(Asset::Sol, &payments), &survey(), 0);
    assert_eq!(judged.findings.list.len(), MAX_FINDINGS);
    assert_eq!(
        judged.findings.counts[&FindingCode::DuplicateRecipient],
        MAX_FINDINGS as u64 + 4
    );
}
