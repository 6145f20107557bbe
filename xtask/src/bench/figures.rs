//! Reads figures from what benchmarks print: lines made for this, and divan's tables.
//!
//! A line is `figure; what; nanoseconds taken; nanoseconds aimed at, or -`, or `peer; what; nanoseconds taken` for what
//! another program took; `ratio; what; how many times as long as ours it took; how many are aimed at, or -`; or
//! `size; what; bytes; bytes aimed at, or -`. Divan has no output for programs (<https://docs.rs/divan/0.1.21>), so its tables are read as they
//! stand: the median, and where two things are compared the fastest, which other programs disturb least.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;

/// At most so long may one frame take.
const FRAME_AIM: Duration = Duration::from_millis(8);
/// How many wallets the chunked derivation makes at a time.
const CHUNK: u32 = 1024;
/// How many wallets a chunk of the console's has.
const CONSOLE_CHUNK: u32 = 128;
/// How many times as fast as plain ed25519-dalek the chunked derivation should be.
const DALEK_AIM: f64 = 2.0;
/// How many times as fast as the script in Node.
const NODE_AIM: f64 = 700.0;

/// One line of the closing table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Figure {
    what: String,
    taken: Duration,
    aim: Option<Duration>,
}

/// Two columns of divan's.
#[derive(Debug, Clone, Copy)]
struct Times {
    fastest: Duration,
    median: Duration,
}

/// How many times as fast as another something is.
#[derive(Debug, Clone, PartialEq)]
struct Ratio {
    what: String,
    times: f64,
    aim: Option<f64>,
}

/// How large something is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Size {
    what: String,
    bytes: u64,
    aim: Option<u64>,
}

/// What a run has printed so far.
#[derive(Debug, Default)]
pub(super) struct Figures {
    figures: Vec<Figure>,
    /// As benchmarks worked them out.
    ratios: Vec<Ratio>,
    sizes: Vec<Size>,
    /// What other programs took.
    peers: Vec<(String, Duration)>,
    /// Divan's times, each by the names on the way to it.
    times: Vec<(Vec<String>, Times)>,
    /// The names on the way to divan's last line.
    path: Vec<String>,
}

impl Figures {
    /// Takes a line; true when it was made for this and need not be shown.
    ///
    /// # Errors
    /// When a line says that it is a figure and does not read as one.
    pub(super) fn take(&mut self, line: &str) -> anyhow::Result<bool> {
        if let Some(rest) = line.strip_prefix("peer; ") {
            let peer = rest.split_once("; ").and_then(|(what, nanoseconds)| {
                Some((what.to_owned(), Duration::from_nanos(nanoseconds.parse().ok()?)))
            });
            self.peers
                .push(peer.with_context(|| format!("not a peer: {line}"))?);
            return Ok(true);
        }
        if let Some(rest) = line.strip_prefix("ratio; ") {
            let (what, times, aim) = parts(rest).with_context(|| format!("not a ratio: {line}"))?;
            self.ratios.push(Ratio { what, times, aim });
            return Ok(true);
        }
        if let Some(rest) = line.strip_prefix("size; ") {
            let (what, bytes, aim) = parts(rest).with_context(|| format!("not a size: {line}"))?;
            self.sizes.push(Size { what, bytes, aim });
            return Ok(true);
        }
        let Some(rest) = line.strip_prefix("figure; ") else {
            self.take_divan(line);
            return Ok(false);
        };
        let figure = figure(rest).with_context(|| format!("not a figure: {line}"))?;
        self.figures.push(figure);
        Ok(true)
    }

    fn take_divan(&mut self, line: &str) {
        let named = line.find(['├', '╰']);
        if named.is_none() && line.contains("fastest") && line.contains("│ slowest") {
            let name = line.split_whitespace().next().unwrap_or_default();
            self.path = vec![name.to_owned()];
            return;
        }
        let Some(at) = named else { return };
        // Each level of the tree is three characters wide.
        let depth = line.get(..at).map_or(0, |before| before.chars().count() / 3);
        let row = line
            .get(at..)
            .unwrap_or_default()
            .trim_start_matches(['├', '╰', '─', ' ']);
        let mut columns = row.split('│').map(str::trim);
        let Some((name, fastest)) = columns
            .next()
            .map(|first| first.split_once(' ').unwrap_or((first, "")))
        else {
            return;
        };
        self.path.truncate(depth + 1);
        self.path.push(name.to_owned());
        // After the name and the fastest: the slowest, then the median.
        if let (Some(fastest), Some(median)) = (duration(fastest.trim()), columns.nth(1).and_then(duration)) {
            self.times.push((self.path.clone(), Times { fastest, median }));
        }
    }

    fn times(&self, path: &[&str]) -> Option<Times> {
        self.times
            .iter()
            .find(|(names, _)| names == path)
            .map(|(_, times)| *times)
    }

    fn median(&self, path: &[&str]) -> Option<Duration> {
        self.times(path).map(|times| times.median)
    }

    /// Derivation in the console's chunks beside others, as ratios of this run.
    fn ratios(&self) -> Vec<Ratio> {
        let chunk = ["derive", "by_the_chunk_with_a_table", &CONSOLE_CHUNK.to_string()];
        let Some(ours) = self.times(&chunk).map(|times| times.fastest / CONSOLE_CHUNK) else {
            return Vec::new();
        };
        let crates = [
            ("plain_ed25519_dalek_with_cached_parent", Some(DALEK_AIM)),
            ("slip10_ed25519_and_ed25519_dalek", None),
        ];
        let crates = crates.into_iter().filter_map(|(name, aim)| {
            let taken = self.times(&["derive", name])?.fastest;
            Some((name.replace('_', " "), taken, aim))
        });
        let peers = self
            .peers
            .iter()
            .map(|(what, taken)| (what.clone(), *taken, Some(NODE_AIM)));
        crates
            .chain(peers)
            .map(|(what, taken, aim)| Ratio {
                what: format!(
                    "{what}: {} a wallet; in a chunk with a table {}",
                    shown(taken),
                    shown(ours)
                ),
                times: taken.as_secs_f64() / ours.as_secs_f64(),
                aim,
            })
            .collect()
    }

    /// What divan's tables say to the aims.
    fn divans(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        let plain = self.median(&["derive", "plain_ed25519_dalek_with_cached_parent"]);
        let chunk = self.median(&["derive", "by_the_chunk", &CHUNK.to_string()]);
        let derived = [
            (
                "one wallet derived, alone",
                self.median(&["derive", "one_by_one"]),
            ),
            ("one wallet derived, in a chunk", chunk.map(|chunk| chunk / CHUNK)),
        ];
        for (what, taken) in derived {
            figures.extend(taken.map(|taken| Figure {
                what: format!("{what} (median; aim: plain ed25519-dalek beside it)"),
                taken,
                aim: plain,
            }));
        }
        let frames = self
            .times
            .iter()
            .filter(|(path, _)| path.first().is_some_and(|name| name == "frame"));
        figures.extend(
            frames
                .max_by_key(|(_, times)| times.median)
                .map(|(path, times)| Figure {
                    what: format!(
                        "one frame, the slowest of all: {} (median)",
                        path.get(1..).unwrap_or_default().join(" ")
                    ),
                    taken: times.median,
                    aim: Some(FRAME_AIM),
                }),
        );
        figures
    }

    /// The closing table; empty without a figure.
    pub(super) fn table(&self) -> String {
        let figures: Vec<Figure> = self
            .divans()
            .into_iter()
            .chain(self.figures.iter().cloned())
            .collect();
        let width = figures
            .iter()
            .map(|figure| figure.what.chars().count())
            .max()
            .unwrap_or(0);
        let mut table = String::new();
        if !figures.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(table, "{:<width$}  {:>9}  {:>9}", "figure", "taken", "aim");
        }
        for Figure { what, taken, aim } in figures {
            let (limit, verdict) = match aim {
                None => (String::new(), ""),
                Some(aim) if taken <= aim => (shown(aim), "  met"),
                Some(aim) => (shown(aim), "  NOT met"),
            };
            let line = format!("{what:<width$}  {:>9}  {limit:>9}{verdict}", shown(taken));
            let _ = writeln!(table, "{}", line.trim_end());
        }
        for Ratio { what, times, aim } in self.ratios().into_iter().chain(self.ratios.clone()) {
            let verdict = match aim {
                None => String::new(),
                Some(aim) => format!("  aim {aim:.0}  {}", met(times >= aim)),
            };
            let _ = writeln!(table, "{times:.1} times as fast as {what}{verdict}");
        }
        for Size { what, bytes, aim } in &self.sizes {
            let verdict = match aim {
                None => String::new(),
                Some(aim) => format!("  aim {aim}  {}", met(bytes <= aim)),
            };
            let _ = writeln!(table, "{bytes} bytes: {what}{verdict}");
        }
        table
    }
}

const fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "NOT met" }
}

fn figure(text: &str) -> Option<Figure> {
    let (what, taken, aim) = parts(text)?;
    Some(Figure {
        what,
        taken: Duration::from_nanos(taken),
        aim: aim.map(Duration::from_nanos),
    })
}

/// What, how much, and how much is aimed at.
fn parts<T: FromStr>(text: &str) -> Option<(String, T, Option<T>)> {
    let mut parts = text.split("; ");
    let what = parts.next()?.to_owned();
    let found = parts.next()?.parse().ok()?;
    let aim = match parts.next()? {
        "-" => None,
        aim => Some(aim.parse().ok()?),
    };
    parts.next().is_none().then_some((what, found, aim))
}

/// A time as divan writes it, such as `18.05 µs`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_once(' ')?;
    let seconds = match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

fn shown(time: Duration) -> String {
    format!("{time:.1?}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const DIVAN: &str = "\
Timer precision: 20 ns
derive                                     fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ by_the_chunk                                          │               │               │               │         │
│  ├─ 256                                  3.744 ms      │ 6.252 ms      │ 3.839 ms      │ 3.964 ms      │ 100     │ 100
│  │                                       68.35 Kitem/s │ 40.94 Kitem/s │ 66.67 Kitem/s │ 64.57 Kitem/s │         │
│  ╰─ 1024                                 15.08 ms      │ 32.1 ms       │ 15.36 ms      │ 15.83 ms      │ 100     │ 100
│                                          67.87 Kitem/s │ 31.89 Kitem/s │ 66.3 Kitem/s  │ 64.67 Kitem/s │         │
├─ by_the_chunk_with_a_table                             │               │               │               │         │
│  ╰─ 128                                  896 µs        │ 12.73 ms      │ 1.9 ms        │ 1.9 ms        │ 100     │ 100
├─ one_by_one                              18.05 µs      │ 20.32 µs      │ 18.73 µs      │ 18.32 µs      │ 100     │ 1600
╰─ plain_ed25519_dalek_with_cached_parent  18.48 µs      │ 21.51 µs      │ 18.55 µs      │ 18.78 µs      │ 100     │ 1600
                                           8.307 Kitem/s │ 8.126 Kitem/s │ 8.282 Kitem/s │ 8.275 Kitem/s │         │

Timer precision: 20 ns
frame              fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ audit                         │               │               │               │         │
│  ├─ 80x24        90.5 µs       │ 1.2 ms        │ 95 µs         │ 96 µs         │ 100     │ 100
│  ╰─ 200x60       390.5 µs      │ 1.2 ms        │ 400 µs        │ 396 µs        │ 100     │ 100
╰─ wallets                       │               │               │               │         │
   ├─ 80x24        90.5 µs       │ 1.2 ms        │ 95 µs         │ 96 µs         │ 100     │ 100
   ╰─ 200x60       9.05 ms       │ 12 ms         │ 9.5 ms        │ 9.6 ms        │ 100     │ 100
";

    #[test]
    fn lines_and_divans_tables_come_together() {
        let mut figures = Figures::default();
        for line in DIVAN.lines() {
            assert!(!figures.take(line).unwrap(), "{line}");
        }
        assert!(
            figures
                .take("figure; one signature, p50; 774819; 2000000")
                .unwrap()
        );
        assert!(figures.take("figure;   the disk alone; 200668; -").unwrap());
        assert!(figures.take("peer; a script in Node; 4200000").unwrap());
        for line in [
            "ratio; WebCrypto: a signature; 0.62; 1",
            "ratio; tweetnacl: a signature; 81.38; -",
            "size; a module; 99; 100",
            "size; another; 7; -",
        ] {
            assert!(figures.take(line).unwrap(), "{line}");
        }
        let expected = "\
figure                                                                            taken        aim
one wallet derived, alone (median; aim: plain ed25519-dalek beside it)           18.7µs     18.6µs  NOT met
one wallet derived, in a chunk (median; aim: plain ed25519-dalek beside it)      15.0µs     18.6µs  met
one frame, the slowest of all: wallets 200x60 (median)                            9.5ms      8.0ms  NOT met
one signature, p50                                                              774.8µs      2.0ms  met
  the disk alone                                                                200.7µs
2.6 times as fast as plain ed25519 dalek with cached parent: 18.5µs a wallet; in a chunk with a table 7.0µs  aim 2  met
600.0 times as fast as a script in Node: 4.2ms a wallet; in a chunk with a table 7.0µs  aim 700  NOT met
0.6 times as fast as WebCrypto: a signature  aim 1  NOT met
81.4 times as fast as tweetnacl: a signature
99 bytes: a module  aim 100  met
7 bytes: another
";
        let squeeze = |text: &str| {
            let words = text
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
            words.collect::<Vec<_>>()
        };
        assert_eq!(
            squeeze(&figures.table()),
            squeeze(expected),
            "{}",
            figures.table()
        );
    }

    #[test]
    fn what_is_not_a_figure_is_no_figure() {
        for line in [
            "figure; a; b; c",
            "figure; a; 1",
            "figure; a; 1; 2; 3",
            "figure; a; -1; -",
            "peer; a",
            "peer; a; -1",
            "ratio; a; fast; -",
            "ratio; a; 1",
            "size; a; 1.5; -",
            "size; a; 1; 2; 3",
        ] {
            assert!(Figures::default().take(line).is_err(), "{line}");
        }
        assert_eq!(Figures::default().table(), "");
    }
}
