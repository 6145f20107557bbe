//! The limits of the policy that a new vault gets, as options of `keyward init` and `keyward vault import`.

use keyward_core::amount::Lamports;
use keyward_core::evm::U256;
use keyward_core::policy::{EvmLimits, PolicyLimits};

use crate::exit::Failure;
use crate::output::sol;

const DEFAULT_SOL: Lamports = Lamports::ONE_SOL;
const DEFAULT_TOKENS: u64 = 1000;
const DEFAULT_PRIORITY_FEE: Lamports = Lamports::new(1_000_000);
/// Of every EVM chain's coin.
const COIN_DECIMALS: u8 = 18;

/// All optional, so that what was given can be told from what was not. The defaults stand in the texts as well: a test
/// holds them to the constants.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct LimitArgs {
    /// Refuse to sign transactions that send more SOL than this [default: 1]
    #[arg(long, value_name = "SOL")]
    max_sol: Option<String>,
    /// Refuse to sign transactions that send more whole tokens than this, of any kind [default: 1000]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u64>,
    /// Refuse to sign transactions with a higher priority fee than this, in SOL [default: 0.001]
    #[arg(long, value_name = "SOL")]
    max_priority_fee: Option<String>,
    /// Sign EVM transactions that send at most this much of a chain's coin; without it, none are signed
    #[arg(long, value_name = "COIN", requires = "max_coin_fee")]
    max_coin: Option<String>,
    /// Sign EVM transactions that cost at most this much of a chain's coin in fees
    #[arg(long, value_name = "COIN", requires = "max_coin")]
    max_coin_fee: Option<String>,
}

impl LimitArgs {
    /// What was given, and the defaults for the rest.
    pub(crate) fn limits(&self) -> Result<PolicyLimits, Failure> {
        Ok(PolicyLimits {
            sol_per_transaction: amount("--max-sol", self.max_sol.as_deref(), DEFAULT_SOL)?,
            tokens_per_transaction: self.max_tokens.unwrap_or(DEFAULT_TOKENS),
            max_priority_fee: amount(
                "--max-priority-fee",
                self.max_priority_fee.as_deref(),
                DEFAULT_PRIORITY_FEE,
            )?,
            evm: match (&self.max_coin, &self.max_coin_fee) {
                (Some(value), Some(fee)) => Some(EvmLimits {
                    wei_per_transaction: wei("--max-coin", value)?,
                    max_fee_wei: wei("--max-coin-fee", fee)?,
                }),
                _ => None,
            },
        })
    }

    /// The options that were given, as they are typed.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        [
            ("--max-sol", self.max_sol.is_some()),
            ("--max-tokens", self.max_tokens.is_some()),
            ("--max-priority-fee", self.max_priority_fee.is_some()),
            ("--max-coin", self.max_coin.is_some()),
            ("--max-coin-fee", self.max_coin_fee.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }
}

/// The limits for a person, each with its name.
pub(crate) fn limit_fields(limits: &PolicyLimits) -> [(&'static str, String); 4] {
    let coin = |amount: &U256| amount.format_units_short(COIN_DECIMALS);
    [
        (
            "SOL",
            format!("{} a transaction at most", sol(Some(limits.sol_per_transaction))),
        ),
        (
            "tokens",
            format!("{} a transaction at most", limits.tokens_per_transaction),
        ),
        (
            "priority fee",
            format!("{} at most", sol(Some(limits.max_priority_fee))),
        ),
        (
            "EVM",
            limits.evm.as_ref().map_or_else(
                || "no transactions are signed".to_owned(),
                |evm| {
                    let (value, fee) = (coin(&evm.wei_per_transaction), coin(&evm.max_fee_wei));
                    format!("{value} of a chain's coin a transaction at most, {fee} in fees")
                },
            ),
        ),
    ]
}

fn amount(name: &str, text: Option<&str>, default: Lamports) -> Result<Lamports, Failure> {
    text.map_or(Ok(default), |text| {
        Lamports::parse(text).map_err(|error| {
            Failure::invalid("amount_invalid", format!("{name}: {error}"), "write it like 1.5")
        })
    })
}

/// Reads an amount of a chain's coin, which has 18 decimals on all of them.
fn wei(name: &str, text: &str) -> Result<U256, Failure> {
    let width = usize::from(COIN_DECIMALS);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_form = !whole.is_empty() && is_digits(whole) && is_digits(part) && part.len() <= width;
    has_form
        .then(|| format!("{whole}{part:0<width$}"))
        .and_then(|digits| match digits.trim_start_matches('0') {
            "" => Some(U256::ZERO),
            digits => digits.parse().ok(),
        })
        .ok_or_else(|| {
            Failure::invalid(
                "amount_invalid",
                format!("{name}: not an amount with at most {COIN_DECIMALS} decimals"),
                "write it like 0.5",
            )
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn parsed(words: &str) -> Result<LimitArgs, clap::Error> {
        let command = LimitArgs::augment_args(Command::new("test").no_binary_name(true));
        LimitArgs::from_arg_matches(&command.try_get_matches_from(words.split_whitespace())?)
    }

    #[test]
    fn the_defaults_are_those_that_the_help_names() {
        let command = LimitArgs::augment_args(Command::new("test"));
        let named = |option: &str| {
            let argument = command.get_arguments().find(|own| own.get_long() == Some(option));
            let help = argument.unwrap().get_help().unwrap().to_string();
            help.split_once("[default: ")
                .unwrap()
                .1
                .trim_end_matches(']')
                .to_owned()
        };
        let as_named = format!(
            "--max-sol {} --max-tokens {} --max-priority-fee {}",
            named("max-sol"),
            named("max-tokens"),
            named("max-priority-fee")
        );
        let limits = LimitArgs::default().limits().unwrap();
        assert_eq!(parsed(&as_named).unwrap().limits().unwrap(), limits);
        assert_eq!(limits.evm, None);
        assert!(LimitArgs::default().given().is_empty());
    }

    #[test]
    fn each_option_is_known_to_be_given_and_sets_its_limit() {
        let words = "--max-sol 2 --max-tokens 3 --max-priority-fee 0.5 --max-coin 0.25 --max-coin-fee 7";
        let args = parsed(words).unwrap();
        let names: Vec<&str> = words.split(' ').filter(|word| word.starts_with("--")).collect();
        assert_eq!(args.given(), names);
        let texts = limit_fields(&args.limits().unwrap()).map(|(name, text)| format!("{name}: {text}"));
        assert_eq!(
            texts,
            [
                "SOL: 2.000000000 SOL a transaction at most",
                "tokens: 3 a transaction at most",
                "priority fee: 0.500000000 SOL at most",
                "EVM: 0.25 of a chain's coin a transaction at most, 7 in fees",
            ]
        );
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for words in [
            "--max-sol one",
            "--max-sol 0.0000000001",
            "--max-priority-fee 1,5",
            "--max-coin 0.0000000000000000001 --max-coin-fee 1",
            "--max-coin 1 --max-coin-fee .5",
        ] {
            let failure = parsed(words).unwrap().limits().unwrap_err();
            assert_eq!(failure.code(), "amount_invalid", "{words}");
        }
        for words in [
            "--max-coin 1",
            "--max-coin-fee 1",
            "--max-tokens 1.5",
            "--max-sol",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}
