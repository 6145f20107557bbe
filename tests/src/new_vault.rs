//! A vault for tests: cheap to unlock, and its limits known.

use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_custody::{NewVault, Password};

/// One SOL and 1,000 tokens in one transaction, and no passphrase or second factor.
///
/// # Errors
/// When the phrase is none.
pub fn new_vault(password: Password, phrase: &str) -> anyhow::Result<NewVault> {
    Ok(NewVault {
        password,
        second_factor: None,
        kdf: "scrypt-16384".parse()?,
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ONE_SOL,
            tokens_per_transaction: 1_000,
            max_priority_fee: Lamports::new(1_000_000),
            evm: None,
        },
        mnemonic: Mnemonic::parse(phrase)?,
        passphrase: String::new().into(),
        family: PathFamily::Bip44Change,
    })
}
