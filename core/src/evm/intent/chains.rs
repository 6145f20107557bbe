//! Names of EVM chains, as <https://chainlist.org> and EIP-155's registry list them.

/// What a chain and its coin are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainName {
    /// The chain.
    pub name: &'static str,
    /// Symbol of the coin that fees are paid in; it has 18 decimals.
    pub coin: &'static str,
}

/// The name of a chain; `None` for one that Keyward does not know.
#[must_use]
pub const fn chain_name(chain_id: u64) -> Option<ChainName> {
    let (name, coin) = match chain_id {
        1 => ("Ethereum", "ETH"),
        10 => ("OP Mainnet", "ETH"),
        25 => ("Cronos", "CRO"),
        56 => ("BNB Smart Chain", "BNB"),
        97 => ("BNB Smart Chain testnet", "tBNB"),
        100 => ("Gnosis", "xDAI"),
        137 => ("Polygon", "POL"),
        250 => ("Fantom", "FTM"),
        324 => ("zkSync Era", "ETH"),
        1337 | 31337 => ("a local test chain", "ETH"),
        8453 => ("Base", "ETH"),
        42161 => ("Arbitrum One", "ETH"),
        42220 => ("Celo", "CELO"),
        43114 => ("Avalanche C-Chain", "AVAX"),
        59144 => ("Linea", "ETH"),
        80002 => ("Polygon Amoy testnet", "POL"),
        534352 => ("Scroll", "ETH"),
        560048 => ("Hoodi testnet", "ETH"),
        11155111 => ("Sepolia testnet", "ETH"),
        _ => return None,
    };
    Some(ChainName { name, coin })
}
