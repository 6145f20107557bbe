//! Values of options that several commands take.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use keyward_core::account::Chain;
use keyward_core::path::PathFamily;

use crate::exit::Failure;

/// Reads `solana` or `evm`.
pub(crate) fn chain_parser() -> impl TypedValueParser<Value = Chain> {
    PossibleValuesParser::new(Chain::ALL.map(Chain::id)).map(|id| {
        // The parser lets no other name through.
        Chain::ALL
            .into_iter()
            .find(|chain| chain.id() == id)
            .unwrap_or(Chain::Solana)
    })
}

/// Reads the name of a path family among those given.
pub(crate) fn family_among(families: &[PathFamily], name: &str) -> Result<PathFamily, Failure> {
    PathFamily::from_id(name)
        .ok()
        .filter(|family| families.contains(family))
        .ok_or_else(|| {
            let ids: Vec<&str> = families.iter().map(|family| family.id()).collect();
            Failure::invalid(
                "family_unknown",
                "there is no such path family",
                format!("choose one of {}", ids.join(", ")),
            )
        })
}
