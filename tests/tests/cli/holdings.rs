//! Balances, tokens, history and portfolio of a vault, against a real node.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use keyward_tests::node::TestNode;

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A mint and an account of it that holds so much, put on the engine.
fn token_of(node: &TestNode, owner: &Address, amount: u64) -> Address {
    let program = TokenProgram::Token.address();
    let (mint, account) = (Address::new([41; 32]), Address::new([42; 32]));
    let mut of_mint = vec![0; 36];
    of_mint.extend(1_000_000_u64.to_le_bytes());
    of_mint.extend([3, 1]);
    of_mint.extend([0; 36]);
    let mut of_account = [*mint.as_bytes(), *owner.as_bytes()].concat();
    of_account.extend(amount.to_le_bytes());
    of_account.extend([0; 36]);
    of_account.push(2);
    of_account.extend([0; 56]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        node.set_account(&mint, &program, 5_000_000, &of_mint)
            .await
            .unwrap();
        node.set_account(&account, &program, 5_000_000, &of_account)
            .await
            .unwrap();
    });
    mint
}

#[test]
fn without_a_reading_there_is_nothing_kept() {
    let vault = Vault::new(1);
    for words in ["balances --cached", "tokens --cached", "portfolio"] {
        let error = fails(vault.run(words), 5, "nothing_kept");
        assert!(
            error["remedy"].as_str().unwrap().contains("keyward balances"),
            "{words}"
        );
    }
    fails(vault.run("balances"), 6, "no_endpoint");
    fails(vault.run("history #0"), 6, "no_endpoint");
    fails(vault.run("balances --max-age soon --cached"), 2, "usage");
}

#[test]
fn what_wallets_hold_is_read_kept_and_summed() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(3);
    let first = address(FIRST_ADDRESS);
    node.fund_blocking(&first, Lamports::new(2_000_000_000)).unwrap();
    node.fund_blocking(&address(SECOND_ADDRESS), Lamports::new(500_000_000))
        .unwrap();
    let mint = token_of(&node, &first, 1_234);
    let rpc = node.rpc_url.as_str();

    let read = vault.json(&format!("balances --rpc {rpc}"));
    assert_eq!(read["readings"]["read"], 3);
    assert_eq!(read["total_lamports"], 2_500_000_000_u64);
    assert_eq!(read["balances"][0]["lamports"], 2_000_000_000_u64);
    assert_eq!(read["balances"][2]["lamports"], 0);
    assert!(read["balances"][2]["slot"].as_u64().unwrap() > 0);
    // The network, and all three in one.
    assert_eq!(read["endpoints"][0]["requests"], 2);

    let again = vault.json(&format!("balances --max-age 1h --rpc {rpc}"));
    assert_eq!(
        (&again["readings"]["fresh"], &again["readings"]["read"]),
        (&3.into(), &0.into())
    );
    assert_eq!(again["endpoints"][0]["requests"], 1);
    let kept = vault.json("balances --cached #0");
    assert_eq!(kept["balances"][0]["lamports"], 2_000_000_000_u64);
    assert_eq!(kept["network"], read["network"]);

    let tokens = vault.json(&format!("tokens --rpc {rpc}"));
    let token = &tokens["tokens"][0];
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&token["amount"], &token["decimals"]),
        (&"1234".into(), &3.into())
    );
    assert_eq!(
        (&token["mint"], &token["frozen"]),
        (&mint.to_string().into(), &true.into())
    );
    let text = vault.run("tokens --cached").success().unwrap().stdout;
    assert!(text.contains("1.234") && text.contains("frozen"), "{text}");

    let portfolio = vault.json("portfolio --by owner");
    let total = &portfolio["total"];
    assert_eq!((&total["wallets"], &total["unknown"]), (&3.into(), &0.into()));
    assert_eq!(total["lamports"], "2500000000");
    assert_eq!(total["tokens"][0]["frozen"], "1234");
    assert_eq!(portfolio["groups"].as_array().unwrap().len(), 1);

    let history = vault.json(&format!("history #0 --limit 5 --rpc {rpc}"));
    let entry = &history["transactions"][0];
    assert_eq!(
        (&entry["outcome"], &entry["paid_fee"]),
        (&"done".into(), &false.into())
    );
    assert_eq!(entry["change_lamports"], "2000000000");
    assert_eq!(history["next_before"], serde_json::Value::Null);
}

#[test]
fn several_endpoints_are_given_one_after_another() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(1);
    // Nobody listens on the first.
    let words = format!("balances --rpc http://127.0.0.1:9 --rpc {}", node.rpc_url);
    let read = vault.json(&words);
    assert_eq!(
        (&read["readings"]["read"], &read["unknown"]),
        (&1.into(), &0.into())
    );
    assert_eq!(read["endpoints"].as_array().unwrap().len(), 2);
    assert!(read["endpoints"][0]["failures"].as_u64().unwrap() > 0);
    assert!(read["warnings"].to_string().contains("was not compared"));
    let twice = format!("balances --rpc {0} --rpc {0}", node.rpc_url);
    fails(vault.run(&twice), 10, "invalid_url");
}
