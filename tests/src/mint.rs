//! Tokens for tests: a mint on the node, of either token program, and as many of its tokens as a test needs.
//!
//! Made by the programs' own instructions, so what a test meets is what the programs make.

use std::time::Duration;

use anyhow::{Context, bail};
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::solana::instructions::{create_account, create_associated_account};
use keyward_core::solana::token::TokenProgram;
use keyward_core::solana::{
    AccountMeta, Instruction, MessageVersion, Transaction, associated_token_account, compile_message,
};
use keyward_custody::chain::{SearchScope, SolanaNode};

use crate::node::TestNode;
use crate::wait;

const LIMIT: Duration = Duration::from_secs(60);

/// What is special about a mint.
#[derive(Debug, Clone, Copy, Default)]
pub struct MintOptions {
    /// Digits behind the point, 0 to 18 or so.
    pub decimals: u8,
    /// Of Token-2022: the transfer fee in hundredths of a percent, and the most that it comes to.
    pub transfer_fee: Option<(u16, u64)>,
    /// Whether its authority may freeze accounts.
    pub freezes: bool,
}

/// A mint whose authority the test holds.
pub struct TestMint {
    /// Where it is.
    pub address: Address,
    /// Its program.
    pub program: TokenProgram,
    /// Who mints and freezes, and pays for it.
    authority: SecretKey,
    node: SolanaNode,
}

impl TestMint {
    /// Makes a mint. `seed` names it: another one gives another mint.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn new(
        node: &TestNode,
        program: TokenProgram,
        options: MintOptions,
        seed: [u8; 32],
    ) -> anyhow::Result<Self> {
        let authority = SecretKey::from_seed(&seed);
        let mut other = seed;
        other[0] ^= 0xff;
        let mint = SecretKey::from_seed(&other);
        node.fund(&authority.address(), Lamports::new(100_000_000_000))
            .await?;
        let client = node.client()?;
        let space = match options.transfer_fee {
            None => 82,
            // The base padded to a token account's length, the kind, and the extension with its head.
            Some(_) => 166 + 4 + 108,
        };
        let rent = client.rent_minimum(space).await?;
        let (payer, at) = (authority.address(), mint.address());
        let mut instructions = vec![create_account(payer, at, rent, space, program.address())];
        if let Some((basis_points, most)) = options.transfer_fee {
            let mut data = vec![26, 0, 1];
            data.extend_from_slice(payer.as_bytes());
            data.push(1);
            data.extend_from_slice(payer.as_bytes());
            data.extend_from_slice(&basis_points.to_le_bytes());
            data.extend_from_slice(&most.to_le_bytes());
            instructions.push(of(program, vec![writable(at)], data));
        }
        let mut data = vec![20, options.decimals];
        data.extend_from_slice(payer.as_bytes());
        data.push(u8::from(options.freezes));
        if options.freezes {
            data.extend_from_slice(payer.as_bytes());
        }
        instructions.push(of(program, vec![writable(at)], data));
        send(&client, &[&authority, &mint], &instructions).await?;
        Ok(Self {
            address: at,
            program,
            authority,
            node: client,
        })
    }

    /// The associated account of a wallet.
    #[must_use]
    pub fn account_of(&self, wallet: &Address) -> Address {
        associated_token_account(wallet, &self.program.address(), &self.address)
    }

    /// Creates a wallet's associated account, where it is not there yet, and mints into it.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn give(&self, wallet: &Address, units: u64) -> anyhow::Result<()> {
        let payer = self.authority.address();
        let create = create_associated_account(payer, *wallet, self.program.address(), self.address);
        let mut data = vec![7];
        data.extend_from_slice(&units.to_le_bytes());
        let accounts = vec![
            writable(self.address),
            writable(self.account_of(wallet)),
            signer(payer),
        ];
        let mint = of(self.program, accounts, data);
        send(&self.node, &[&self.authority], &[create, mint]).await
    }

    /// Freezes a wallet's associated account.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn freeze(&self, wallet: &Address) -> anyhow::Result<()> {
        let accounts = vec![
            writable(self.account_of(wallet)),
            readable(self.address),
            signer(self.authority.address()),
        ];
        send(
            &self.node,
            &[&self.authority],
            &[of(self.program, accounts, vec![10])],
        )
        .await
    }

    /// How many units a wallet's associated account holds; none where there is no account.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn held_by(&self, wallet: &Address) -> anyhow::Result<Option<u64>> {
        let (_, found) = self.node.token_accounts(&[self.account_of(wallet)]).await?;
        let found = found.into_iter().next().flatten();
        Ok(found.map(|held| held.account.amount))
    }
}

/// Signs and sends instructions, the first key paying, and waits until they are confirmed.
///
/// # Errors
/// What the node refuses, or when they fail.
pub async fn send(
    node: &SolanaNode,
    keys: &[&SecretKey],
    instructions: &[Instruction],
) -> anyhow::Result<()> {
    let payer = keys.first().context("a payer")?;
    let latest = node.latest_blockhash().await?;
    let message = compile_message(
        MessageVersion::Legacy,
        payer.address(),
        instructions,
        latest.blockhash,
    )?;
    let bytes = message.encode();
    let mut transaction = Transaction::unsigned(message);
    for key in keys {
        transaction = transaction.with_signature(&key.address(), key.sign(&bytes))?;
    }
    let signature: Signature = node.send_raw(&transaction.encode()).await?;
    let landed = wait::until("the transaction's confirmation", LIMIT, async || {
        let search = node.signature_status(&signature, SearchScope::Recent).await;
        search.ok().and_then(|search| search.status)
    })
    .await?;
    match landed.error {
        None => Ok(()),
        Some(error) => bail!("{error}"),
    }
}

fn of(program: TokenProgram, accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction {
        program: program.address(),
        accounts,
        data,
    }
}

fn writable(address: Address) -> AccountMeta {
    AccountMeta {
        address,
        is_signer: false,
        is_writable: true,
    }
}

fn readable(address: Address) -> AccountMeta {
    AccountMeta {
        is_writable: false,
        ..writable(address)
    }
}

fn signer(address: Address) -> AccountMeta {
    AccountMeta {
        is_signer: true,
        ..readable(address)
    }
}
