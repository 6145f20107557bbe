//! Instructions told field by field: how they read, what they warn of, and that nothing breaks them.

use alloc::format;
use alloc::string::String;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::programs::{
    ASSOCIATED_TOKEN, LOADER_V4, LOOKUP_TABLE, STAKE, SYSTEM, TOKEN, TOKEN_2022, UPGRADEABLE_LOADER,
};
use super::super::{decoded, tables};
use super::*;
use crate::policy::{Decision, Facts, Policy, PolicyLimits, Request, evaluate};

/// Program, accounts, data, and what is warned of.
type Case = (Address, Vec<Address>, Vec<u8>, Vec<Danger>);
type Rows = &'static [super::super::table::Row];

/// Every table with its program.
fn every_table() -> Vec<(Address, Rows)> {
    vec![
        (SYSTEM, tables::system::ROWS),
        (STAKE, tables::stake::ROWS),
        (TOKEN, tables::token::ROWS),
        (TOKEN, tables::token::ONLY_FIRST),
        (TOKEN_2022, tables::token::ROWS),
        (TOKEN_2022, tables::token_2022::ROWS),
        (TOKEN_2022, tables::token_2022::CONFIDENTIAL),
        (TOKEN_2022, tables::token_2022::INTERFACES),
        (ASSOCIATED_TOKEN, tables::lookup_table::ASSOCIATED_TOKEN),
        (LOOKUP_TABLE, tables::lookup_table::ROWS),
        (UPGRADEABLE_LOADER, tables::loader::UPGRADEABLE),
        (LOADER_V4, tables::loader::V4),
    ]
}

/// Data for a row, every field filled.
fn sample(row: &super::super::table::Row) -> Vec<u8> {
    use super::super::table::Kind as K;
    let mut bytes = row.tag.to_vec();
    for (_, kind) in row.data {
        let part: Vec<u8> = match kind {
            K::U8 | K::Bool => vec![1],
            K::U16 | K::I16 => vec![2, 0],
            K::U32 => vec![3, 0, 0, 0],
            K::U64 | K::Lamports | K::I64 => 1_234_567_890_u64.to_le_bytes().to_vec(),
            K::F64 => 1.5_f64.to_le_bytes().to_vec(),
            K::Address | K::ZeroableAddress => vec![0xe1; 32],
            K::TaggedAddress => [&[1][..], &[0xe1; 32]].concat(),
            K::TaggedU64 | K::TaggedI64 => [&[1][..], &7_u64.to_le_bytes()].concat(),
            K::Word(_) => vec![2],
            K::Word32(_) => vec![1, 0, 0, 0],
            K::Text => [&4_u64.to_le_bytes()[..], b"seed"].concat(),
            K::Text32 => [&4_u32.to_le_bytes()[..], b"name"].concat(),
            K::Sized => [&3_u64.to_le_bytes()[..], &[1, 2, 3]].concat(),
            K::Addresses => [&2_u64.to_le_bytes()[..], &[0xe1; 64]].concat(),
            K::Words16(_) => vec![7, 0, 8, 0],
            K::RestText => b"1.5".to_vec(),
            K::Rest => vec![9; 40],
        };
        bytes.extend(part);
    }
    bytes
}

fn accounts(count: usize) -> Vec<Address> {
    (0..count)
        .map(|at| Address::new([0x20 + u8::try_from(at).unwrap(); 32]))
        .collect()
}

#[test]
fn every_instruction_reads_as_its_row_says() {
    let mut programs = alloc::collections::BTreeMap::<String, Vec<String>>::new();
    for (program, rows) in every_table() {
        for row in rows {
            let accounts = accounts(row.accounts.len());
            let bytes = sample(row);
            let message = single(program, &accounts, &bytes);
            let intent = intent(&message);
            let Action::Decoded {
                instruction,
                fields,
                program_name,
                ..
            } = &intent.actions[0]
            else {
                panic!("{} is not decoded: {:?}", row.name, intent.actions);
            };
            assert_eq!(*instruction, row.name);
            assert_eq!(fields.len(), row.accounts.len() + row.data.len());
            let lines = programs.entry((*program_name).to_string()).or_default();
            lines.extend(intent.sentences());
            // Each required account is needed, and further ones are shown.
            let needed = row.accounts.iter().filter(|label| !label.ends_with('?')).count();
            if needed > 0 {
                let short = only_action(program, &accounts[..needed - 1], &bytes);
                assert_eq!(reason(short), UnknownReason::TooFewAccounts, "{}", row.name);
            }
            let more: Vec<Address> = accounts.iter().copied().chain([D]).collect();
            let Action::Decoded { fields, .. } = only_action(program, &more, &bytes) else {
                panic!("further accounts are shown");
            };
            assert_eq!(
                decoded::field(&fields, "further accounts"),
                Some(&FieldValue::Accounts(vec![D]))
            );
        }
    }
    for (program, lines) in programs {
        // insta reads its files, which a page cannot.
        if cfg!(not(target_arch = "wasm32")) {
            insta::assert_snapshot!(format!("{program} sentences").replace(' ', "_"), lines.join("\n"));
        }
    }
}

#[test]
fn no_truncation_and_no_flipped_bit_breaks_a_decoder() {
    for (program, rows) in every_table() {
        for row in rows {
            let accounts = accounts(row.accounts.len());
            let bytes = sample(row);
            for len in 0..bytes.len() {
                let _ = intent(&single(program, &accounts, &bytes[..len])).sentences();
            }
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let lines = intent(&single(program, &accounts, &flipped)).sentences();
                assert!(lines.iter().all(|line| !line.contains(char::is_control)));
            }
        }
    }
}

fn dangers(program: Address, accounts: &[Address], data: &[u8]) -> Vec<Danger> {
    match only_action(program, accounts, data) {
        Action::Decoded { dangers, .. } => dangers,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_takes_control_or_money_away_is_marked() {
    use Danger as D;
    let approve = |amount: u64| data(&[&[4], &amount.to_le_bytes()]);
    let authority = |which: u8| data(&[&[6, which, 1], &[7; 32]]);
    let four = |tag: u8| vec![tag, 0, 0, 0];
    let cases: Vec<Case> = vec![
        (TOKEN, vec![A, B, PAYER], approve(5), vec![D::DelegateApproval]),
        (
            TOKEN,
            vec![A, B, PAYER],
            approve(u64::MAX),
            vec![D::DelegateApproval, D::UnlimitedApproval],
        ),
        (TOKEN, vec![A, PAYER], authority(0), vec![D::AuthorityChange]),
        (
            TOKEN_2022,
            vec![A, PAYER],
            authority(2),
            vec![D::AuthorityChange, D::OwnerChange],
        ),
        (TOKEN, vec![A, PAYER, PAYER], vec![9], vec![]),
        (TOKEN, vec![A, B, PAYER], vec![9], vec![D::PaysStranger]),
        (
            TOKEN_2022,
            vec![A],
            data(&[&[35], &[7; 32]]),
            vec![D::PermanentDelegate],
        ),
        (
            SYSTEM,
            vec![PAYER],
            data(&[&four(1), &[7; 32]]),
            vec![D::AccountAssigned],
        ),
        (
            UPGRADEABLE_LOADER,
            vec![A, B, C, PAYER, E, E, PAYER],
            four(3),
            vec![D::ProgramChange],
        ),
        (
            UPGRADEABLE_LOADER,
            vec![A, B],
            four(5),
            vec![D::Irrevocable, D::PaysStranger],
        ),
        (
            STAKE,
            vec![A, B, C, E, PAYER],
            data(&[&four(4), &[1; 8]]),
            vec![D::PaysStranger],
        ),
    ];
    for (program, accounts, data, expected) in cases {
        assert_eq!(dangers(program, &accounts, &data), expected, "{program} {data:?}");
    }
}

#[test]
fn being_decoded_allows_nothing() {
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1_000,
        max_priority_fee: Lamports::new(1_000),
        evm: None,
    });
    for (program, rows) in every_table() {
        for row in rows {
            let message = single(program, &accounts(row.accounts.len()), &sample(row));
            let intent = intent(&message);
            let request = Request::Transaction {
                wallet: &PAYER,
                intent: &intent,
            };
            // What a rule names is held to wallets of the vault, and nobody said that there are any. Making a nonce of an
            // account moves nothing.
            let own = [
                "CloseAccount",
                "WithdrawExcessLamports",
                "AdvanceNonceAccount",
                "WithdrawNonceAccount",
            ];
            match evaluate(&policy, &request, &Facts::default()) {
                Decision::Allowed(_) => assert_eq!(row.name, "InitializeNonceAccount"),
                Decision::Refused(refusals) => {
                    let codes: Vec<_> = refusals.iter().map(|own| own.code()).collect();
                    let expected = if own.contains(&row.name) {
                        "outside-rule"
                    } else {
                        "unknown-program"
                    };
                    assert_eq!(codes, [expected], "{}", row.name);
                }
            }
        }
    }
}

#[test]
fn a_durable_nonce_is_said() {
    let advance = crate::solana::Instruction {
        program: SYSTEM,
        accounts: [A, B, PAYER]
            .map(|address| crate::solana::AccountMeta {
                address,
                is_signer: address == PAYER,
                is_writable: address == A,
            })
            .to_vec(),
        data: vec![4, 0, 0, 0],
    };
    let pay = instructions::sol_transfer(PAYER, RECIPIENT, Lamports::new(1));
    let first = with(&[advance.clone(), pay.clone()]);
    let nonce = DurableNonce {
        account: Some(A),
        authority: Some(PAYER),
    };
    assert_eq!(first.durable_nonce, Some(nonce));
    assert!(
        first
            .sentences()
            .iter()
            .any(|line| line.starts_with("Never expire") && line.contains(&A.to_string()))
    );
    // Only the first instruction makes the nonce the transaction's lifetime.
    let second = with(&[pay, advance]);
    assert_eq!(second.durable_nonce, None);
    assert!(!second.sentences().join("\n").contains("Never expire"));
}

#[test]
fn resolved_accounts_are_used_and_marked() {
    let held: Vec<Address> = (0..=255_u8)
        .map(|at| {
            Address::new([
                at, 0xee, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1,
                2, 3,
            ])
        })
        .collect();
    let mut message = samples::with_lookup();
    // The recipient now comes from the table.
    message.instructions[2].accounts[1] = 5;
    let resolve = |held: &[Address]| Intent::from_resolved(&message.resolve(|_| Some(held)).unwrap());
    let resolved = resolve(&held);
    assert_eq!(resolved.unresolved_lookups, 0);
    assert_eq!(resolved.lookups.len(), 3);
    assert!(matches!(resolved.actions[2], Action::SolTransfer { to, .. } if to == held[0]));
    let line = &resolved.sentences()[2];
    let mark = format!(
        "{} [from lookup table {}]",
        held[0],
        Address::new([3; 32]).abbreviated()
    );
    assert!(line.ends_with(&mark), "{line}");
    assert!(
        resolved
            .sentences()
            .iter()
            .any(|line| line.starts_with("Rely on what 1 lookup table held"))
    );
    // The hash of the intent covers what the table was said to hold, used or not.
    let vault = crate::vault::VaultId::from_bytes([1; 16]);
    let hash = |intent: &Intent| intent.hash(&vault, &PAYER, "net", 1);
    let mut other = held.clone();
    other[255] = A;
    assert_eq!(resolved.message_sha256, resolve(&other).message_sha256);
    assert_ne!(hash(&resolved), hash(&resolve(&other)));
    assert_ne!(hash(&resolved), hash(&intent(&message)));
    let plain = with(&[instructions::memo("x", &[])]);
    let expected = intent_hash(&vault, PAYER, "net", 1, &plain.message_sha256);
    assert_eq!(hash(&plain), expected);
}
