//! Where everything of many wallets may go: to a wallet, and to no address that no key opens or that only looks like one.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::token::TokenProgram;
use keyward_custody::jobs::JobFormat;
use keyward_custody::sweep::{Collect, ConsolidateRequest, Emptied, SweepError, SweepPlan};
use keyward_custody::{FeePolicy, NewContact, Progress};

use crate::minting::Maker;
use crate::scene::{SOL, Scene, fresh_address};

async fn plan(scene: &Scene, to: Address) -> Result<SweepPlan, SweepError> {
    let [first, second] = scene.wallets;
    let request = ConsolidateRequest {
        label: "all of it".into(),
        sources: vec![second],
        to,
        sponsor: Some(first),
        collect: Collect::Everything,
        emptied: Emptied::Close,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
    };
    let progress = Progress::default();
    scene
        .custody
        .plan_consolidation(&scene.node, &request, &progress)
        .await
}

async fn refused(scene: &Scene, to: Address, expected: &str) {
    match plan(scene, to).await {
        Err(SweepError::NotAWallet { address, reason }) => {
            assert_eq!(address, to);
            assert!(reason.contains(expected), "{reason}");
        }
        other => panic!("{to}: {other:?}"),
    }
}

#[tokio::test]
async fn what_no_key_opens_is_no_recipient() {
    let scene = Scene::new().await;
    for wallet in scene.wallets {
        scene.fund(&wallet, SOL).await;
    }
    let maker = Maker::new(&scene).await;
    let token = maker.mint(TokenProgram::Token, 6, None).await;
    maker.give(&token, &[scene.wallets[0]], 5).await;
    // The associated account of a wallet: off the curve, as is one of nobody yet.
    refused(&scene, token.account(&scene.wallets[0]), "no key").await;
    refused(&scene, token.account(&fresh_address()), "no key").await;
    // The mint is at a key's address, and so is a token account that was made at one: a program keeps both.
    refused(&scene, token.mint, "a program keeps it").await;
    let on_curve = fresh_address();
    scene
        .test_node
        .set_account(&on_curve, &programs::TOKEN, 2_039_280, &[0; 165])
        .await
        .unwrap();
    refused(&scene, on_curve, "a program keeps it").await;
    for program in [programs::SYSTEM, programs::TOKEN, programs::COMPUTE_BUDGET] {
        refused(&scene, program, "it is a program").await;
    }
    // A stranger's wallet is one, also before it was ever used.
    for wallet in [maker.address(), fresh_address()] {
        assert!(plan(&scene, wallet).await.is_ok());
    }
}

#[tokio::test]
async fn what_only_looks_like_a_known_address_is_no_recipient() {
    let scene = Scene::new().await;
    for wallet in scene.wallets {
        scene.test_node.fund(&wallet, Lamports::new(SOL)).await.unwrap();
    }
    let real: Address = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ".parse().unwrap();
    // Of those that differ in one character, one that a key may have.
    let fake = (b'4'..=b'9')
        .map(|other| {
            let mut text = real.to_string().into_bytes();
            text[26] = other;
            String::from_utf8(text).unwrap().parse::<Address>().unwrap()
        })
        .find(Address::is_on_curve)
        .unwrap();
    assert!(
        plan(&scene, fake).await.is_ok(),
        "nothing that it looks like is known"
    );
    let contact = NewContact {
        address: real,
        label: "till".into(),
        note: String::new(),
    };
    scene.custody.add_contacts(vec![contact]).await.unwrap();
    match plan(&scene, fake).await {
        Err(SweepError::Lookalike { address, known }) => assert_eq!((address, known), (fake, real)),
        other => panic!("{other:?}"),
    }
    assert!(plan(&scene, real).await.is_ok());
}
