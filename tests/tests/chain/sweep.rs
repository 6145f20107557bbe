//! Collecting and closing on the real node, to the lamport.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{create_associated_account, sol_transfer, sync_native};
use keyward_core::solana::token::TokenProgram;
use keyward_custody::jobs::{
    ItemAction, ItemCursor, ItemFilter, JobFormat, JobItem, JobOutcome, JobProgress, NewItem,
};
use keyward_custody::sweep::{
    CloseRequest, Collect, ConsolidateRequest, Emptied, RentTo, SweepError, SweepPlan, WrappedSol, left,
};
use keyward_custody::{DeriveRequest, FeePolicy, Progress, WalletPasswords, WalletQuery};
use spl_token_2022_interface::instruction as token;
use tokio::sync::watch;

use crate::minting::{Maker, Token, fresh_key, own, pubkey};
use crate::scene::{SOL, Scene};

/// So many wallets of the vault, in the order of their indices.
async fn wallets(scene: &Scene, count: u32) -> Vec<Address> {
    let more = DeriveRequest {
        start: None,
        count: count - 2,
        ..DeriveRequest::default()
    };
    scene
        .custody
        .derive_wallets(more, &Progress::default())
        .await
        .unwrap();
    let query = WalletQuery {
        limit: count,
        ..WalletQuery::default()
    };
    let page = scene.custody.wallets(&query).await.unwrap();
    let mut all: Vec<Address> = page.rows.iter().filter_map(|row| row.solana().copied()).collect();
    assert_eq!(all.len(), count as usize);
    // The two of the scene are the first, wherever the page has them.
    all.sort_by_key(|wallet| !scene.wallets.contains(wallet));
    all
}

fn consolidate(sources: &[Address], to: Address, sponsor: Option<Address>) -> ConsolidateRequest {
    ConsolidateRequest {
        label: "all of it".into(),
        sources: sources.to_vec(),
        to,
        sponsor,
        collect: Collect::Everything,
        emptied: Emptied::Close,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
    }
}

fn close(wallets: &[Address], rent_to: RentTo, sponsor: Option<Address>) -> CloseRequest {
    CloseRequest {
        label: "rent".into(),
        wallets: wallets.to_vec(),
        rent_to,
        sponsor,
        wrapped: WrappedSol::Keep,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
    }
}

/// Stores what a plan says and runs it to its end; gives the items, and how many transactions landed.
async fn carry_out(scene: &Scene, plan: &SweepPlan) -> (Vec<JobItem>, u64) {
    assert_eq!((&plan.refusals, &plan.failures), (&vec![], &vec![]));
    let id = scene.custody.create_job(plan.job.clone()).await.unwrap();
    let (progress, _) = watch::channel(JobProgress::default());
    let outcome = scene
        .custody
        .run_job(&scene.node, id, WalletPasswords::none(), &progress)
        .await
        .unwrap();
    assert_eq!(outcome, JobOutcome::Done);
    let job = scene.custody.job(id).await.unwrap();
    let expected = plan.job.items.len() as u64;
    assert_eq!(
        (job.counts.done, job.counts.total),
        (expected, expected),
        "{:?}",
        job.counts
    );
    let items = scene
        .custody
        .job_items(id, ItemFilter::Done, ItemCursor::default(), 1_000)
        .await
        .unwrap();
    (items, job.counts.batches)
}

async fn tokens(scene: &Scene, account: &Address) -> Option<u64> {
    let (_, mut found) = scene.node.token_accounts(&[*account]).await.unwrap();
    found.remove(0).map(|at| at.account.amount)
}

fn reasons(plan: &SweepPlan) -> Vec<(Address, &'static str)> {
    let mut all: Vec<_> = plan
        .skipped
        .iter()
        .map(|skipped| (skipped.account.unwrap_or(skipped.wallet), skipped.reason.code()))
        .collect();
    all.sort_unstable();
    all
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort_unstable();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_to_one_wallet_at_exactly_zero() {
    let scene = Scene::with_slots(100).await;
    let all = wallets(&scene, 14).await;
    let (to, sponsor, sources) = (all[0], all[1], &all[2..]);
    let maker = Maker::new(&scene).await;
    maker.pay(sources, SOL / 10).await;
    maker.pay(&[sponsor], SOL).await;
    // A plain token for all, one of Token-2022 with a fee of its own for some, and things that do not move.
    let plain = maker.mint(TokenProgram::Token, 6, None).await;
    let taxed = maker.mint(TokenProgram::Token2022, 9, Some((150, 40))).await;
    maker.give(&plain, sources, 1_000_001).await;
    maker.give(&taxed, &sources[..4], 10_001).await;
    let frozen = plain.account(&sources[0]);
    maker.freeze(&plain, &frozen).await;
    let withheld = withhold(&maker, &taxed, &sources[1]).await;
    let foreign = foreign(&maker, &plain, sources[3]).await;
    maker.fill(&plain, &foreign, 12).await;
    let wrapped = wrap(&maker, sources[5], 7_000_000).await;

    let request = consolidate(sources, to, Some(sponsor));
    let plan = scene
        .custody
        .plan_consolidation(&scene.node, &request, &Progress::default())
        .await
        .unwrap();
    assert_eq!(
        reasons(&plan),
        sorted(vec![
            (frozen, "frozen"),
            (withheld, "withheld-fees"),
            (foreign, "foreign-close-authority"),
        ])
    );
    let estimate = plan.estimate.clone();
    assert_eq!((estimate.wallets_drained, estimate.accounts_created), (12, 2));
    let before = (scene.balance(&to).await, scene.balance(&sponsor).await);
    let (done, batches) = carry_out(&scene, &plan).await;
    assert_eq!(batches, estimate.transactions);

    // Every source is at exactly zero, and what was to be closed is gone.
    let seen = left(&scene.node, &done).await.unwrap();
    assert!(seen.is_nothing(), "{seen:?}");
    assert_eq!((seen.zero, seen.closed), (12, estimate.accounts_closed));
    for source in sources {
        assert_eq!(scene.balance(source).await, 0);
    }
    // Every lamport: the recipient got what was drained and released, the sponsor paid what was said.
    let gained = scene.balance(&to).await - before.0;
    assert_eq!(gained, estimate.drained.get() + estimate.released.get());
    assert_eq!(estimate.drained.get(), 12 * (SOL / 10));
    assert_eq!(before.1 - scene.balance(&sponsor).await, estimate.cost().get());
    assert_eq!(scene.balance(&wrapped).await, 0);
    // Every token: all of the plain one but the frozen account's, and of the taxed one what its fee leaves.
    assert_eq!(
        tokens(&scene, &plain.account(&to)).await,
        Some(11 * 1_000_001 + 12)
    );
    let total = |token: &Token| {
        let found = estimate
            .tokens
            .iter()
            .find(|total| total.mint == token.mint)
            .unwrap();
        (found.amount, found.fee, found.decimals)
    };
    assert_eq!(total(&plain), (11 * 1_000_001 + 12, 0, 6));
    let (amount, fee, decimals) = total(&taxed);
    assert_eq!(
        tokens(&scene, &taxed.account(&to)).await.map(u128::from),
        Some(amount - fee)
    );
    assert_eq!((fee, decimals, taxed.decimals), (4 * 40, 9, 9));
    assert_eq!(tokens(&scene, &frozen).await, Some(1_000_001));
    // Several sources a transaction: fewer transactions than wallets.
    assert!(plan.job.groups.len() < sources.len(), "{:?}", plan.job.groups);

    // Once more there is nothing to do but what does not move.
    let again = scene
        .custody
        .plan_consolidation(&scene.node, &request, &Progress::default())
        .await
        .unwrap();
    assert!(again.job.items.is_empty(), "{:?}", again.job.items);
    assert_eq!(reasons(&again), reasons(&plan));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_accounts_of_both_programs_are_closed_to_the_limit() {
    let scene = Scene::with_slots(100).await;
    let wallet = scene.wallets[0];
    let maker = Maker::new(&scene).await;
    maker.pay(&[wallet], SOL).await;
    let old = maker.mint(TokenProgram::Token, 0, None).await;
    let new = maker.mint(TokenProgram::Token2022, 18, None).await;
    let plain = maker.extra_accounts(&old, &wallet, 52, 0).await;
    let more = maker.extra_accounts(&new, &wallet, 3, 0).await;
    // One that holds something, one that is frozen, and one with more than its rent.
    let held = maker.extra_accounts(&old, &scene.wallets[1], 1, 0).await[0];
    maker.fill(&old, &held, 5).await;
    let frozen = more[0];
    maker.freeze(&new, &frozen).await;
    let rich = maker.extra_accounts(&new, &maker.address(), 1, 9_000_000).await;
    let rich = given(&maker, &new, rich[0], wallet).await;
    maker.fill(&new, &rich, 7).await;

    let before = scene.balance(&wallet).await;
    let request = close(&[wallet], RentTo::Owner, None);
    let plan = scene
        .custody
        .plan_closing(&scene.node, &request, &Progress::default())
        .await
        .unwrap();
    assert_eq!(
        reasons(&plan),
        sorted(vec![(frozen, "frozen"), (rich, "not-empty")])
    );
    let sizes: Vec<usize> = plan.job.groups.iter().map(Vec::len).collect();
    assert_eq!(
        sizes,
        [25, 25, 5],
        "with the compute limit and the job's reference"
    );
    let excess = |item: &&NewItem| matches!(item.action, ItemAction::WithdrawExcess { .. });
    assert_eq!(plan.job.items.iter().filter(excess).count(), 1);
    let (done, _) = carry_out(&scene, &plan).await;
    let seen = left(&scene.node, &done).await.unwrap();
    assert!(seen.is_nothing() && seen.closed == 54, "{seen:?}");
    let rent = scene.node.rent_minimum(165).await.unwrap().get();
    let estimate = &plan.estimate;
    assert_eq!(estimate.released.get(), 54 * rent + 9_000_000);
    let after = scene.balance(&wallet).await;
    assert_eq!(after + estimate.cost().get(), before + estimate.released.get());
    assert_eq!(estimate.base_fees.get(), 3 * 5_000);
    assert_eq!(tokens(&scene, &plain[0]).await, None);
    assert_eq!(tokens(&scene, &rich).await, Some(7));
    assert_eq!(scene.balance(&rich).await, rent);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wallets_are_closed_with_a_sponsor_and_nobody_is_guessed() {
    let scene = Scene::with_slots(100).await;
    let all = wallets(&scene, 10).await;
    let (sponsor, owners) = (all[0], &all[1..]);
    let maker = Maker::new(&scene).await;
    maker.pay(&[sponsor], SOL).await;
    let token = maker.mint(TokenProgram::Token2022, 2, None).await;
    maker.give(&token, owners, 0).await;
    let plan = async |request: &CloseRequest| {
        let progress = Progress::default();
        scene.custody.plan_closing(&scene.node, request, &progress).await
    };
    let nobody = plan(&close(owners, RentTo::Owner, None)).await.unwrap_err();
    assert!(matches!(nobody, SweepError::NoSponsor), "{nobody}");
    let stranger = fresh_key().address();
    for request in [
        close(owners, RentTo::Wallet(stranger), None),
        close(owners, RentTo::Owner, Some(stranger)),
        close(&[stranger], RentTo::Wallet(sponsor), None),
    ] {
        let error = plan(&request).await.unwrap_err();
        assert_eq!(error.code(), "not-ours", "{error}");
        assert!(!error.remedy().is_empty());
    }
    let before = scene.balance(&sponsor).await;
    let plan = plan(&close(owners, RentTo::Wallet(sponsor), None)).await.unwrap();
    assert_eq!(plan.job.groups.iter().map(Vec::len).collect::<Vec<_>>(), [7, 2]);
    let (done, _) = carry_out(&scene, &plan).await;
    assert_eq!(left(&scene.node, &done).await.unwrap().closed, 9);
    let after = scene.balance(&sponsor).await;
    let estimate = &plan.estimate;
    assert_eq!(after + estimate.cost().get(), before + estimate.released.get());
    // Nine owners and the sponsor twice.
    assert_eq!(estimate.signatures, 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_policy_divides_transactions_and_leaves_out_what_is_over_it() {
    let scene = Scene::with_slots(100).await;
    let all = wallets(&scene, 6).await;
    let (to, sources) = (all[0], &all[1..]);
    let maker = Maker::new(&scene).await;
    maker.pay(&[to], SOL).await;
    // Ten SOL are the limit of one transaction: four wallets of four SOL are two transactions, and eleven are too many.
    maker.pay(&sources[..4], 4 * SOL).await;
    maker.pay(&sources[4..], 11 * SOL).await;
    let request = consolidate(sources, to, None);
    let plan = scene
        .custody
        .plan_consolidation(&scene.node, &request, &Progress::default())
        .await
        .unwrap();
    assert_eq!(reasons(&plan), [(sources[4], "policy")]);
    assert!(plan.skipped[0].reason.to_string().contains("at most 10"));
    assert_eq!(plan.job.groups, [vec![0, 1], vec![2, 3]]);
    let (done, _) = carry_out(&scene, &plan).await;
    assert_eq!(left(&scene.node, &done).await.unwrap().zero, 4);
    assert_eq!(scene.balance(&sources[4]).await, 11 * SOL);
}

#[tokio::test(flavor = "multi_thread")]
async fn version_1_takes_more_of_them() {
    let scene = Scene::with_slots(100).await;
    let wallet = scene.wallets[0];
    let maker = Maker::new(&scene).await;
    maker.pay(&[wallet], SOL).await;
    let token = maker.mint(TokenProgram::Token2022, 6, None).await;
    maker.extra_accounts(&token, &wallet, 62, 0).await;
    let request = CloseRequest {
        format: JobFormat::V1,
        ..close(&[wallet], RentTo::Owner, None)
    };
    let progress = Progress::default();
    let plan = scene
        .custody
        .plan_closing(&scene.node, &request, &progress)
        .await
        .unwrap();
    let sizes: Vec<usize> = plan.job.groups.iter().map(Vec::len).collect();
    assert_eq!(sizes, [61, 1]);
    let before = scene.balance(&wallet).await;
    let (done, batches) = carry_out(&scene, &plan).await;
    assert_eq!(batches, 2);
    assert_eq!(left(&scene.node, &done).await.unwrap().closed, 62);
    let after = scene.balance(&wallet).await;
    let estimate = &plan.estimate;
    assert_eq!(after + estimate.cost().get(), before + estimate.released.get());
}

/// Lets an account of a token with a fee withhold some of it: the maker pays to it.
async fn withhold(maker: &Maker, what: &Token, to: &Address) -> Address {
    use keyward_core::solana::instructions::{TokenPayment, token_transfer_with_fee};
    let account = what.account(to);
    maker.give(what, &[maker.address()], 100).await;
    let payment = TokenPayment {
        program: what.program,
        source: what.account(&maker.address()),
        mint: what.mint,
        destination: account,
        authority: maker.address(),
        amount: 100,
        decimals: what.decimals,
    };
    // 1.5 % of 100, rounded up.
    maker.land(&[token_transfer_with_fee(&payment, 2)], &[]).await;
    account
}

/// An account of the maker that becomes a wallet's, while only a stranger may close it.
async fn foreign(maker: &Maker, what: &Token, owner: Address) -> Address {
    let account = maker.extra_accounts(what, &maker.address(), 1, 0).await[0];
    let stranger = pubkey(&fresh_key().address());
    let (id, at, by) = (pubkey(&what.program), pubkey(&account), pubkey(&maker.address()));
    let close = token::AuthorityType::CloseAccount;
    let close = token::set_authority(&id, &at, Some(&stranger), close, &by, &[]).unwrap();
    maker.land(&[own(&close)], &[]).await;
    given(maker, what, account, owner).await
}

/// Hands an account of the maker to a wallet.
async fn given(maker: &Maker, what: &Token, account: Address, owner: Address) -> Address {
    let (id, at, by) = (pubkey(&what.program), pubkey(&account), pubkey(&maker.address()));
    let whose = token::AuthorityType::AccountOwner;
    let give = token::set_authority(&id, &at, Some(&pubkey(&owner)), whose, &by, &[]).unwrap();
    maker.land(&[own(&give)], &[]).await;
    account
}

/// Wrapped SOL at a wallet's associated account.
async fn wrap(maker: &Maker, owner: Address, lamports: u64) -> Address {
    let native: Address = "So11111111111111111111111111111111111111112".parse().unwrap();
    let program = TokenProgram::Token.address();
    let wrapped = Token {
        mint: native,
        program,
        decimals: 9,
    };
    let account = wrapped.account(&owner);
    let all = [
        create_associated_account(maker.address(), owner, program, native),
        sol_transfer(maker.address(), account, Lamports::new(lamports)),
        sync_native(program, account),
    ];
    maker.land(&all, &[]).await;
    account
}
