//! Tokens of both programs on the test node, made with the programs' own interface crates.

use std::time::Duration;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::solana::instructions::{create_account, create_account_with_seed, sol_transfer};
use keyward_core::solana::token::TokenProgram;
use keyward_core::solana::{
    AccountMeta, Instruction, MessageVersion, Transaction, associated_token_account, compile_message,
    seeded_address,
};
use keyward_custody::chain::{SearchScope, SolanaNode};
use keyward_tests::wait;
use solana_pubkey::Pubkey;
use spl_token_2022_interface::extension::{ExtensionType, transfer_fee};
use spl_token_2022_interface::instruction as token;
use spl_token_2022_interface::state::Mint as MintState;

use crate::scene::Scene;

/// Who pays for everything here, and is every mint's authority.
pub(crate) struct Maker {
    pub(crate) node: SolanaNode,
    pub(crate) key: SecretKey,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) mint: Address,
    pub(crate) program: Address,
    pub(crate) decimals: u8,
}

pub(crate) fn pubkey(address: &Address) -> Pubkey {
    Pubkey::new_from_array(address.to_bytes())
}

pub(crate) fn own(theirs: &solana_instruction::Instruction) -> Instruction {
    let address = |key: &Pubkey| Address::new(key.to_bytes());
    Instruction {
        program: address(&theirs.program_id),
        accounts: theirs
            .accounts
            .iter()
            .map(|meta| AccountMeta {
                address: address(&meta.pubkey),
                is_signer: meta.is_signer,
                is_writable: meta.is_writable,
            })
            .collect(),
        data: theirs.data.clone(),
    }
}

/// A key that nobody has seen before.
pub(crate) fn fresh_key() -> SecretKey {
    let mut seed = [0; 32];
    let file = std::fs::File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut &file, &mut seed).unwrap();
    SecretKey::from_seed(&seed)
}

impl Token {
    pub(crate) fn account(&self, owner: &Address) -> Address {
        associated_token_account(owner, &self.program, &self.mint)
    }
}

impl Maker {
    pub(crate) async fn new(scene: &Scene) -> Self {
        let key = fresh_key();
        scene.fund(&key.address(), 500_000_000_000).await;
        Self {
            node: scene.node.clone(),
            key,
        }
    }

    pub(crate) fn address(&self) -> Address {
        self.key.address()
    }

    /// Lands instructions in one transaction, signed by the maker and others.
    pub(crate) async fn land(&self, instructions: &[Instruction], others: &[&SecretKey]) {
        let blockhash = self.node.latest_blockhash().await.unwrap().blockhash;
        let message =
            compile_message(MessageVersion::Legacy, self.address(), instructions, blockhash).unwrap();
        let mut transaction = Transaction::unsigned(message);
        let bytes = transaction.message_bytes();
        for key in [&self.key].into_iter().chain(others.iter().copied()) {
            transaction = transaction
                .with_signature(&key.address(), key.sign(&bytes))
                .unwrap();
        }
        land(&self.node, &transaction.encode()).await;
    }

    /// Gives SOL to many, without waiting for a faucet.
    pub(crate) async fn pay(&self, to: &[Address], lamports: u64) {
        for chunk in to.chunks(15) {
            let all: Vec<_> = chunk
                .iter()
                .map(|to| sol_transfer(self.address(), *to, Lamports::new(lamports)))
                .collect();
            self.land(&all, &[]).await;
        }
    }

    /// A new mint; with a transfer fee (basis points, maximum) it is one of Token-2022.
    pub(crate) async fn mint(&self, program: TokenProgram, decimals: u8, fee: Option<(u16, u64)>) -> Token {
        let key = fresh_key();
        let extensions: &[ExtensionType] = match fee {
            Some(_) => &[ExtensionType::TransferFeeConfig],
            None => &[],
        };
        let space = ExtensionType::try_calculate_account_len::<MintState>(extensions).unwrap() as u64;
        let rent = self.node.rent_minimum(space).await.unwrap();
        let id = pubkey(&program.address());
        let (mint, maker) = (pubkey(&key.address()), pubkey(&self.address()));
        let mut all = vec![create_account(
            self.address(),
            key.address(),
            rent,
            space,
            program.address(),
        )];
        if let Some((basis_points, maximum)) = fee {
            let config = transfer_fee::instruction::initialize_transfer_fee_config(
                &id,
                &mint,
                Some(&maker),
                Some(&maker),
                basis_points,
                maximum,
            );
            all.push(own(&config.unwrap()));
        }
        let init = token::initialize_mint2(&id, &mint, &maker, Some(&maker), decimals);
        all.push(own(&init.unwrap()));
        self.land(&all, &[&key]).await;
        Token {
            mint: key.address(),
            program: program.address(),
            decimals,
        }
    }

    /// Mints so much to each owner's associated account, which is made.
    pub(crate) async fn give(&self, what: &Token, owners: &[Address], amount: u64) {
        for chunk in owners.chunks(5) {
            let mut all = Vec::new();
            for owner in chunk {
                all.push(keyward_core::solana::instructions::create_associated_account(
                    self.address(),
                    *owner,
                    what.program,
                    what.mint,
                ));
                if amount > 0 {
                    all.push(self.minted(what, &what.account(owner), amount));
                }
            }
            self.land(&all, &[]).await;
        }
    }

    fn minted(&self, what: &Token, account: &Address, amount: u64) -> Instruction {
        let (id, mint, maker) = (pubkey(&what.program), pubkey(&what.mint), pubkey(&self.address()));
        own(&token::mint_to(&id, &mint, &pubkey(account), &maker, &[], amount).unwrap())
    }

    pub(crate) async fn freeze(&self, what: &Token, account: &Address) {
        let (id, mint, maker) = (pubkey(&what.program), pubkey(&what.mint), pubkey(&self.address()));
        let freeze = token::freeze_account(&id, &pubkey(account), &mint, &maker, &[]);
        self.land(&[own(&freeze.unwrap())], &[]).await;
    }

    /// Empty accounts of an owner beside the associated one; with lamports above their rent.
    pub(crate) async fn extra_accounts(
        &self,
        what: &Token,
        owner: &Address,
        count: usize,
        above: u64,
    ) -> Vec<Address> {
        let rent = self.node.rent_minimum(165).await.unwrap().get() + above;
        let mut made = Vec::new();
        let names: Vec<String> = (0..count)
            .map(|at| format!("{}{at}", &owner.to_string()[..8]))
            .collect();
        for chunk in names.chunks(5) {
            let mut all = Vec::new();
            for name in chunk {
                let base = (self.address(), name.as_str());
                let lamports = Lamports::new(rent);
                all.push(
                    create_account_with_seed(self.address(), base, lamports, 165, what.program).unwrap(),
                );
                let account = seeded_address(&self.address(), name, &what.program).unwrap();
                let init = token::initialize_account3(
                    &pubkey(&what.program),
                    &pubkey(&account),
                    &pubkey(&what.mint),
                    &pubkey(owner),
                );
                all.push(own(&init.unwrap()));
                made.push(account);
            }
            self.land(&all, &[]).await;
        }
        made
    }

    /// Mints to an account that is there.
    pub(crate) async fn fill(&self, what: &Token, account: &Address, amount: u64) {
        self.land(&[self.minted(what, account, amount)], &[]).await;
    }
}

/// Sends signed bytes and waits until they are confirmed without an error.
pub(crate) async fn land(node: &SolanaNode, bytes: &[u8]) {
    let signature = node.send_raw(bytes).await.unwrap();
    let status = wait::until("a transaction to land", Duration::from_secs(60), async || {
        let search = node
            .signature_status(&signature, SearchScope::Recent)
            .await
            .ok()?;
        search.status
    })
    .await
    .unwrap();
    assert_eq!(status.error, None, "{signature}");
}
