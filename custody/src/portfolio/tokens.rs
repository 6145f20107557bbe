//! What is kept of token accounts and their mints.

use std::collections::HashMap;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::{Mint, TokenAccount, TokenDataError, TokenProgram};

use super::{check, page_of};
use crate::store::holdings::{MAX_CACHED, MintRow, TokenRow};
use crate::{Custody, CustodyError};

/// A token account as it was read last, with its mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHolding {
    /// The token account.
    pub account: Address,
    /// The wallet that it belongs to.
    pub owner: Address,
    /// Which token program.
    pub program: TokenProgram,
    /// The account's SOL: its rent, and for wrapped SOL the tokens as well.
    pub lamports: Lamports,
    /// What it holds, or why it cannot be read.
    pub state: Result<TokenAccount, TokenDataError>,
    /// Its mint, where that could be read.
    pub mint: Option<Mint>,
}

impl TokenHolding {
    /// The mint's address, if the account can be read.
    #[must_use]
    pub fn mint_address(&self) -> Option<&Address> {
        self.state.as_ref().ok().map(|state| &state.mint)
    }

    /// The mint's digits behind the point, if known.
    #[must_use]
    pub fn decimals(&self) -> Option<u8> {
        self.mint.as_ref().map(|mint| mint.decimals)
    }

    /// Its symbol, as its mint says of itself: at most 16 characters, none that a terminal would interpret. Anybody can mint a
    /// token of any name.
    #[must_use]
    pub fn symbol(&self) -> Option<String> {
        let metadata = self.mint.as_ref()?.metadata()?;
        let text = crate::chain::clean_text(&metadata.symbol);
        let text: String = text.trim().chars().take(16).collect();
        (!text.is_empty()).then_some(text)
    }
}

impl Custody {
    /// What is kept of token accounts on a network: of one owner, or of all. By address.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a senseless network, or the store's.
    pub async fn token_holdings(
        &self,
        network: &str,
        owner: Option<&Address>,
    ) -> Result<Vec<TokenHolding>, CustodyError> {
        check(network, 0)?;
        let mints = self.kept_mints(network).await?;
        let mut holdings = Vec::new();
        let mut after = None;
        // As many pages as a million accounts have.
        for _ in 0..1_000 {
            let page = self
                .store()
                .cached_tokens(&page_of(network, owner.copied(), after))
                .await?;
            after = page.last().map(|row| row.account);
            let is_last = page.len() < MAX_CACHED;
            for row in page {
                holdings.extend(holding(row, &mints));
            }
            if is_last {
                break;
            }
        }
        Ok(holdings)
    }

    async fn kept_mints(&self, network: &str) -> Result<HashMap<Address, Mint>, CustodyError> {
        let mut mints = HashMap::new();
        let mut after = None;
        for _ in 0..1_000 {
            let page = self.store().cached_mints(&page_of(network, None, after)).await?;
            after = page.last().map(|row| row.mint);
            let is_last = page.len() < MAX_CACHED;
            mints.extend(page.into_iter().filter_map(|row| Some((row.mint, mint(&row)?))));
            if is_last {
                break;
            }
        }
        Ok(mints)
    }
}

fn mint(row: &MintRow) -> Option<Mint> {
    Mint::decode(TokenProgram::of(&row.program)?, &row.data).ok()
}

fn holding(row: TokenRow, mints: &HashMap<Address, Mint>) -> Option<TokenHolding> {
    let program = TokenProgram::of(&row.program)?;
    let state = TokenAccount::decode(program, &row.data);
    let mint = state
        .as_ref()
        .ok()
        .and_then(|state| mints.get(&state.mint))
        .cloned();
    Some(TokenHolding {
        account: row.account,
        owner: row.owner,
        program,
        lamports: row.lamports,
        state,
        mint,
    })
}
