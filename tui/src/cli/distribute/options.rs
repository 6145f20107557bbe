//! From the command line to a request.

use std::io::Read;
use std::path::PathBuf;

use keyward_core::address::Address;
use keyward_core::amount::{AmountError, Lamports, parse_units};
use keyward_custody::chain::SolanaNode;
use keyward_custody::distribution::csv::{self, CsvRow, MAX_CSV_BYTES, RecipientName, SecondColumn};
use keyward_custody::distribution::{
    self, Amounts, Asset, DistributionRequest, Division, FeeBearer, FindingCode, SplitSeed,
};
use keyward_custody::jobs::JobFormat;
use keyward_custody::{Custody, FeePolicy};

use super::super::wallets::solana;
use crate::exit::{Exit, Failure};

/// What is paid to whom.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// A paying wallet: address, label or #index; again for more, which pay in this order
    #[arg(long, value_name = "WALLET", required = true)]
    from: Vec<String>,
    /// The wallet that pays fees and the rent of new accounts; the first paying one unless named
    #[arg(long, value_name = "WALLET")]
    fee_payer: Option<String>,
    /// A list of recipients as CSV, or `-` for standard input
    #[arg(
        long,
        value_name = "FILE|-",
        required_unless_present = "to",
        conflicts_with = "to"
    )]
    list: Option<PathBuf>,
    /// A recipient: address, label, #index, tag:NAME or owner:NAME; again for more
    #[arg(long, value_name = "RECIPIENT")]
    to: Vec<String>,
    /// The token's mint; SOL without it
    #[arg(long, value_name = "MINT")]
    token: Option<Address>,
    /// Pay each recipient so much
    #[arg(long, value_name = "AMOUNT", conflicts_with = "total")]
    each: Option<String>,
    /// Divide so much among the recipients
    #[arg(long, value_name = "AMOUNT")]
    total: Option<String>,
    /// How a total is divided
    #[arg(long, value_name = "HOW", default_value = "even", requires = "total")]
    divide: Divide,
    /// The least that a random part is
    #[arg(long, value_name = "AMOUNT", requires = "total")]
    min: Option<String>,
    /// The most that a random part is
    #[arg(long, value_name = "AMOUNT", requires = "total")]
    max: Option<String>,
    /// Where a random division comes from, 32 hexadecimal digits; drawn and shown without it
    #[arg(long, value_name = "SEED", requires = "total")]
    draw: Option<SplitSeed>,
    /// A name for this distribution; the list's file name without it. The same list under the same label is paid once
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Pay what the token's mint withholds on top, so that each amount arrives in full
    #[arg(long, requires = "token")]
    fees_on_top: bool,
    /// The version of the transactions
    #[arg(long, value_name = "VERSION", default_value = "legacy")]
    format: Format,
    /// What is offered for priority: none, micro-lamports per compute unit, or a percentile with a cap (p75:20000)
    #[arg(long, value_name = "POLICY", default_value = "none")]
    priority_fee: FeePolicy,
    /// Agree to findings of this kind, by the code that the plan shows; again for more
    #[arg(long, value_name = "CODE")]
    accept: Vec<FindingCode>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Divide {
    Even,
    Random,
    Weighted,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Legacy,
    V1,
}

/// What amounts are shown with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// The token's decimals; none for SOL.
    pub(crate) decimals: Option<u8>,
}

impl PlanArgs {
    /// Reads the list and resolves every name.
    pub(super) async fn request(
        &self,
        custody: &Custody,
        node: &SolanaNode,
    ) -> Result<(DistributionRequest, Shown), Failure> {
        let shown = Shown {
            decimals: self.decimals(node).await?,
        };
        let rows = self.rows(shown)?;
        let named = distribution::resolve(custody, &rows).await?;
        let (recipients, numbers): (Vec<_>, Vec<u64>) = named.into_iter().unzip();
        let mut sources = Vec::with_capacity(self.from.len());
        for name in &self.from {
            sources.push(solana(&custody.wallet(name).await?)?);
        }
        let fee_payer = match (&self.fee_payer, sources.first()) {
            (Some(name), _) => solana(&custody.wallet(name).await?)?,
            (None, Some(first)) => *first,
            (None, None) => {
                return Err(Failure::invalid(
                    "sources_invalid",
                    "no wallet pays",
                    "give --from",
                ));
            }
        };
        let asset = self.token.map_or(Asset::Sol, |mint| Asset::Token { mint });
        let request = DistributionRequest {
            label: self.label(),
            sources,
            fee_payer,
            asset,
            recipients,
            amounts: self.amounts(numbers, shown)?,
            transfer_fee: match self.fees_on_top {
                true => FeeBearer::Sender,
                false => FeeBearer::Recipient,
            },
            format: match self.format {
                Format::Legacy => JobFormat::Legacy,
                Format::V1 => JobFormat::V1,
            },
            fee: self.priority_fee,
            accepted: self.accept.clone(),
        };
        Ok((request, shown))
    }

    fn label(&self) -> String {
        let file = self.list.as_deref().and_then(|path| path.file_name());
        let file = file.map(|name| name.to_string_lossy().into_owned());
        let named = self.label.clone().or(file.filter(|name| name != "-"));
        named.unwrap_or_else(|| "distribution".to_owned())
    }

    async fn decimals(&self, node: &SolanaNode) -> Result<Option<u8>, Failure> {
        let Some(mint) = self.token else {
            return Ok(None);
        };
        let (_, mut found) = node.mints(&[mint]).await?;
        match found.pop().flatten() {
            Some(mint) => Ok(Some(mint.mint.decimals)),
            None => Err(Failure::invalid(
                "wrong_mint",
                "--token: there is no mint of SPL Token or Token-2022 at this address",
                "give the address of the token's mint",
            )),
        }
    }

    fn rows(&self, shown: Shown) -> Result<Vec<CsvRow>, Failure> {
        let second = match (&self.each, &self.total, self.divide, shown.decimals) {
            (_, Some(_), Divide::Weighted, _) => SecondColumn::Weight,
            (Some(_), ..) | (_, Some(_), ..) => SecondColumn::Nothing,
            (None, None, _, Some(decimals)) => SecondColumn::Token { decimals },
            (None, None, _, None) => SecondColumn::Sol,
        };
        let Some(path) = &self.list else {
            if second != SecondColumn::Nothing {
                return Err(Failure::new(
                    Exit::Usage,
                    "amount_missing",
                    "no amount was given for --to",
                    "give --each AMOUNT or --total AMOUNT, or a --list with amounts",
                ));
            }
            let row = |(line, name): (u32, &String)| {
                let recipient = RecipientName::parse(name).map_err(|problem| {
                    Failure::invalid(
                        "recipient_invalid",
                        format!("--to: {problem}"),
                        "name a recipient",
                    )
                })?;
                Ok(CsvRow {
                    line,
                    recipient,
                    number: 0,
                    memo: None,
                })
            };
            return (1..).zip(&self.to).map(row).collect();
        };
        let bytes = read_list(path)?;
        csv::read(&bytes, second).map_err(|errors| {
            let failure = Failure::invalid(
                "list_invalid",
                format!("the list has {} wrong lines", errors.len()),
                "correct the named lines; nothing was planned",
            );
            errors.iter().fold(failure, |failure, error| {
                failure.with_reason("line", error.to_string())
            })
        })
    }

    fn amounts(&self, numbers: Vec<u64>, shown: Shown) -> Result<Amounts, Failure> {
        let amount = |option: &str, text: &str| {
            let parsed = match shown.decimals {
                Some(decimals) => parse_units(text, decimals),
                None => Lamports::parse(text).map(Lamports::get),
            };
            parsed.map_err(|error: AmountError| {
                Failure::invalid(
                    "amount_invalid",
                    format!("{option}: {error}"),
                    "write it like 1.5",
                )
            })
        };
        if let Some(each) = &self.each {
            let each = amount("--each", each)?;
            return Ok(Amounts::Explicit(vec![each; numbers.len()]));
        }
        let Some(total) = &self.total else {
            return Ok(Amounts::Explicit(numbers));
        };
        let total = amount("--total", total)?;
        let bound =
            |option, text: &Option<String>| text.as_deref().map(|text| amount(option, text)).transpose();
        let (min, max) = (bound("--min", &self.min)?, bound("--max", &self.max)?);
        let random = matches!(self.divide, Divide::Random);
        if !random && (min.is_some() || max.is_some() || self.draw.is_some()) {
            let message = "--min, --max and --draw belong to --divide random";
            return Err(Failure::new(
                Exit::Usage,
                "usage",
                message,
                "leave them out, or divide at random",
            ));
        }
        let division = match self.divide {
            Divide::Even => Division::Even,
            Divide::Weighted => Division::Weighted(numbers),
            Divide::Random => Division::Random {
                seed: match self.draw {
                    Some(seed) => seed,
                    None => SplitSeed::draw().map_err(distribution::DistributionError::from)?,
                },
                min: min.unwrap_or(1),
                max: max.unwrap_or(u64::MAX),
            },
        };
        Ok(Amounts::Divided { total, division })
    }
}

fn read_list(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::NotFound,
            "list_unreadable",
            format!("the list cannot be read: {error}"),
            "check the file's name and its permissions",
        )
    };
    // One byte more than is taken, so that a longer file is known as one.
    let most = MAX_CSV_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}
