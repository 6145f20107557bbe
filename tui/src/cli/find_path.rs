//! `keyward find-path`: which path and passphrase of a phrase give an address. It prints no key and stores nothing.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::derive::DeriveError;
use keyward_core::discovery::{IndexRange, PathSearch, Scheme, SearchPlan, SearchReport};
use keyward_core::mnemonic::{Mnemonic, MnemonicError, Wordlist};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::phrase::{ask_phrase, parse_phrase};
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table};
use crate::secret_input::Source;

/// The largest file of passphrases, in bytes.
const MAX_PASSPHRASES_LEN: usize = 16 << 20;
/// How often the progress line is written.
const TICK: Duration = Duration::from_millis(250);

/// Find the path and passphrase that give an address, from the phrase on standard input; no vault is involved
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward find-path --address 9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin < phrase.txt
  keyward find-path --address 0x9858EfFD232B4033E47d90003D41EC34EcaEda94 --indices 0..5000 < phrase.txt
  keyward find-path --address ADDRESS --passphrases-file candidates.txt --family bip44 < phrase.txt

Searches every path family of the address's chain unless told otherwise. Exit code 5 if an address is not found; the \
answer names what was searched.")]
pub(crate) struct Args {
    /// An address to look for, of Solana or of an EVM chain; may be repeated
    #[arg(long = "address", value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    /// A path family, or solana-grid or evm-grid (account by index); may be repeated [default: all]
    #[arg(long = "family", value_name = "FAMILY")]
    families: Vec<String>,
    /// The indices to search, the last one excluded
    #[arg(long, value_name = "FROM..TO", default_value = "0..100")]
    indices: String,
    /// The accounts to search in grids, the last one excluded
    #[arg(long, value_name = "FROM..TO", default_value = "0..10")]
    accounts: String,
    /// Read candidate passphrases from a file, one on each line; no passphrase is tried first
    #[arg(long, value_name = "FILE")]
    passphrases_file: Option<Source>,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let plan = plan(args)?;
    let passphrases = passphrases(args.passphrases_file.as_ref())?;
    let phrase = ask_phrase()?;
    let mnemonic = read_mnemonic(&phrase)?;
    let found = search(&mnemonic, &passphrases, &plan)?;
    Ok(report(&found))
}

/// A phrase of several languages gives one seed in all of them, so that any will do here.
fn read_mnemonic(phrase: &str) -> Result<Mnemonic, Failure> {
    match Mnemonic::parse(phrase) {
        Err(MnemonicError::Ambiguous { wordlists }) => {
            let wordlist = wordlists.first().copied().unwrap_or(Wordlist::English);
            Mnemonic::parse_in(wordlist, phrase)
                .map_err(|error| Failure::invalid("phrase_invalid", error.to_string(), "type it again"))
        }
        Ok(mnemonic) => Ok(mnemonic),
        Err(_) => parse_phrase(phrase, None),
    }
}

fn plan(args: &Args) -> Result<SearchPlan, Failure> {
    let targets = args.addresses.iter().map(|text| {
        text.parse::<AccountAddress>().map_err(|error| {
            let remedy = "paste the whole address";
            Failure::invalid("address_invalid", format!("--address: {error}"), remedy)
        })
    });
    let mut plan = SearchPlan::everything(targets.collect::<Result<_, _>>()?);
    if !args.families.is_empty() {
        let schemes = args.families.iter().map(|id| {
            id.parse::<Scheme>().map_err(|_| {
                let all: Vec<&str> = Chain::ALL
                    .into_iter()
                    .flat_map(Scheme::of)
                    .map(Scheme::id)
                    .collect();
                let remedy = format!("choose among {}", all.join(", "));
                Failure::invalid("family_unknown", "there is no such path family", remedy)
            })
        });
        plan.schemes = schemes.collect::<Result<_, _>>()?;
    }
    plan.indices = range("--indices", &args.indices)?;
    plan.accounts = range("--accounts", &args.accounts)?;
    Ok(plan)
}

/// Reads `FROM..TO`.
fn range(option: &str, text: &str) -> Result<IndexRange, Failure> {
    let read = || {
        let (start, end) = text.split_once("..")?;
        let (start, end): (u32, u32) = (start.parse().ok()?, end.parse().ok()?);
        IndexRange::new(start, end.checked_sub(start)?).ok()
    };
    read().ok_or_else(|| {
        Failure::invalid(
            "range_invalid",
            format!("{option} is no range of indices from 0 to 2147483647"),
            "write it like 0..1000",
        )
    })
}

/// The empty passphrase, then the candidates: each line as it stands, without its line end.
fn passphrases(source: Option<&Source>) -> Result<Vec<Zeroizing<String>>, Failure> {
    let mut passphrases = vec![Zeroizing::new(String::new())];
    let Some(source) = source else {
        return Ok(passphrases);
    };
    if source.is_stdin() {
        return Err(Failure::new(
            Exit::Usage,
            "passphrase_from_stdin",
            "the passphrases cannot come from standard input, which holds the phrase",
            "put them into a file and give --passphrases-file FILE",
        ));
    }
    let bytes = source.read_all("passphrases", MAX_PASSPHRASES_LEN)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::invalid(
            "secret_not_utf8",
            "the passphrases file is not UTF-8",
            "save it as UTF-8",
        )
    })?;
    let lines = text.lines().filter(|line| !line.is_empty());
    passphrases.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
    Ok(passphrases)
}

/// Searches with as many threads as there are cores, and stops once every address is found.
fn search(
    mnemonic: &Mnemonic,
    passphrases: &[Zeroizing<String>],
    plan: &SearchPlan,
) -> Result<SearchReport, Failure> {
    let parts = thread::available_parallelism()
        .ok()
        .and_then(|cores| u32::try_from(cores.get()).ok())
        .unwrap_or(1);
    let searches = (0..parts)
        .map(|part| PathSearch::part(mnemonic, passphrases, plan, part, parts))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            Failure::invalid(
                "search_invalid",
                error.to_string(),
                "see `keyward find-path --help`",
            )
        })?;
    let total = searches.first().map_or(0, PathSearch::total);
    let (derived, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let open = std::sync::Mutex::new(plan.targets.clone());
    let (derived, stop, open) = (&derived, &stop, &open);
    let results: Vec<Result<SearchReport, DeriveError>> = thread::scope(|scope| {
        let threads: Vec<_> = searches
            .into_iter()
            .map(|mut search| {
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let Some(step) = search.next_chunk()? else {
                            break;
                        };
                        derived.fetch_add(step.derived, Ordering::Relaxed);
                        if !step.found.is_empty()
                            && let Ok(mut open) = open.lock()
                        {
                            open.retain(|target| step.found.iter().all(|found| found.target != *target));
                            stop.fetch_or(open.is_empty(), Ordering::Relaxed);
                        }
                    }
                    Ok(search.report())
                })
            })
            .collect();
        show_progress(derived, total, || {
            threads.iter().all(thread::ScopedJoinHandle::is_finished)
        });
        threads
            .into_iter()
            // A thread that panicked counts as one that found no key.
            .map(|thread| thread.join().unwrap_or(Err(DeriveError::NoKey)))
            .collect()
    });
    let reports = results
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Failure::invalid("derivation", error.to_string(), "leave that index out"))?;
    reports
        .into_iter()
        .reduce(SearchReport::merged)
        .ok_or_else(|| Failure::new(Exit::Unexpected, "search", "nothing was searched", "report this"))
}

/// Writes one line to standard error, again and again on a terminal, until the search is over.
fn show_progress(derived: &AtomicU64, total: u64, is_over: impl Fn() -> bool) {
    let mut stderr = std::io::stderr();
    let is_terminal = stderr.is_terminal();
    while !is_over() {
        thread::sleep(if is_terminal { TICK } else { TICK / 10 });
        if is_terminal {
            let done = derived.load(Ordering::Relaxed);
            let _ = write!(stderr, "\r\x1b[Ksearched {done} of {total} addresses");
            let _ = stderr.flush();
        }
    }
    if is_terminal {
        let _ = write!(stderr, "\r\x1b[K");
    }
    let done = derived.load(Ordering::Relaxed);
    let _ = writeln!(stderr, "searched {done} of {total} addresses");
}

/// How a candidate is called without showing it: line of the file, or none.
fn passphrase_text(number: usize) -> String {
    match number {
        0 => "none".to_owned(),
        number => format!("candidate {number}"),
    }
}

fn report(found: &SearchReport) -> Report {
    let mut text = String::new();
    if !found.matches.is_empty() {
        let mut table = Table::new(&[
            ("address", Align::Left),
            ("path", Align::Left),
            ("family", Align::Left),
            ("passphrase", Align::Left),
        ]);
        for one in &found.matches {
            let family = one.scheme.id().to_owned();
            let passphrase = passphrase_text(one.passphrase);
            table.row([one.target.to_string(), one.path.clone(), family, passphrase]);
        }
        text.push_str(&table.render());
        text.push('\n');
    }
    for target in &found.missing {
        text.push_str(&format!("not found: {target}\n"));
    }
    text.push_str(&format!(
        "searched {} of {} addresses, {} passphrases (none included), in:\n",
        found.derived, found.total, found.passphrases
    ));
    for one in &found.searched {
        let accounts = one
            .accounts
            .map(|accounts| format!(", accounts {accounts}"))
            .unwrap_or_default();
        let (id, template, indices) = (one.scheme.id(), one.scheme.template(), one.indices);
        text.push_str(&format!("  {id}  {template}  indices {indices}{accounts}\n"));
    }
    let exit = if found.missing.is_empty() {
        Exit::Ok
    } else {
        Exit::NotFound
    };
    Report::new(text, to_json(found)).with_exit(exit)
}

fn to_json(found: &SearchReport) -> Value {
    let matches: Vec<Value> = found
        .matches
        .iter()
        .map(|one| {
            json!({
                "address": one.target.to_string(),
                "chain": one.target.chain().id(),
                "family": one.scheme.id(),
                "path": one.path,
                "account": one.scheme.is_grid().then_some(one.account.get()),
                "index": one.index.get(),
                "passphrase": one.passphrase,
            })
        })
        .collect();
    let searched: Vec<Value> = found
        .searched
        .iter()
        .map(|one| {
            let range = |range: IndexRange| json!({ "from": range.start(), "to": range.end() });
            json!({
                "family": one.scheme.id(),
                "template": one.scheme.template(),
                "indices": range(one.indices),
                "accounts": one.accounts.map(range),
            })
        })
        .collect();
    json!({
        "found": matches,
        "not_found": found.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "searched": searched,
        "passphrases": found.passphrases,
        "addresses_searched": found.derived,
        "addresses_total": found.total,
        "complete": found.is_complete(),
    })
}
