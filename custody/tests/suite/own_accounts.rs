//! What the policy of a new vault allows between its own wallets, and that a wallet counts only while it is in use.

use keyward_core::address::Address;
use keyward_core::intent::programs;
use keyward_core::solana::Instruction;
use keyward_core::solana::instructions::{advance_nonce, close_token_account, create_associated_account};
use keyward_custody::{Custody, PreviewDecision, SignError, SignRequest, WalletQuery};

use crate::fixture::{Fixture, NETWORK, first, transaction};

const ACCOUNT: Address = Address::new([0x33; 32]);

async fn second(custody: &Custody) -> Address {
    let page = custody.wallets(&WalletQuery::default()).await.unwrap();
    let mut addresses = page
        .rows
        .iter()
        .filter_map(|row| row.address.as_solana().copied());
    addresses.find(|address| *address != first()).unwrap()
}

async fn sign(custody: &Custody, instruction: Instruction, nonce: u8) -> Result<(), SignError> {
    let bytes = transaction(first(), &[instruction], nonce);
    let preview = custody.preview(&bytes, NETWORK).await.unwrap();
    let signed = custody.sign_transaction(SignRequest::new(bytes, NETWORK)).await;
    // The look says what the decision says.
    assert_eq!(
        matches!(preview.decision, PreviewDecision::Allowed { .. }),
        signed.is_ok(),
        "{:?}",
        preview.decision
    );
    signed.map(|_| ())
}

#[tokio::test]
async fn rent_goes_to_own_wallets_in_use_and_to_nobody_else() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let other = second(&custody).await;
    let close = |to| close_token_account(programs::TOKEN, ACCOUNT, to, first());
    sign(&custody, close(first()), 1).await.unwrap();
    sign(&custody, close(other), 2).await.unwrap();
    let stranger = Address::new([9; 32]);
    let error = sign(&custody, close(stranger), 3).await.unwrap_err();
    assert!(error.to_string().contains("own-accounts"), "{error}");
    sign(&custody, advance_nonce(ACCOUNT, first()), 4).await.unwrap();
    let error = sign(&custody, advance_nonce(ACCOUNT, stranger), 5).await;
    assert!(error.is_err());
    let create = create_associated_account(first(), stranger, programs::TOKEN, ACCOUNT);
    sign(&custody, create, 6).await.unwrap();

    // A wallet on its way out is nobody's any more, in a question that was answered before as well.
    custody.delete_wallet(other).await.unwrap();
    assert!(sign(&custody, close(other), 7).await.is_err());
    sign(&custody, close(first()), 8).await.unwrap();
}
