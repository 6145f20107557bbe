//! Reads another process's whole memory and searches it for secrets, as root could.
//!
//! Every mapping that can be read is read: heap, stacks, thread stacks, libraries, what the kernel maps. Secrets are looked
//! for in every form in which a program might hold them. It changes nothing in the process and does not stop it, so the
//! process must stand still while it is read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much is read at a time.
const CHUNK_LEN: usize = 4 << 20;

/// The shortest thing worth searching for: anything shorter is found by chance.
const SHORTEST: usize = 8;

/// What is searched for, each under a name.
#[derive(Default)]
pub struct Needles {
    names: Vec<String>,
    bytes: Vec<Vec<u8>>,
}

impl Needles {
    /// Adds a text as it is, in UTF-8 and in UTF-32 (a list of characters).
    ///
    /// # Panics
    /// When it is shorter than 8 bytes.
    pub fn text(&mut self, name: &str, text: &str) {
        self.push(name.to_owned(), text.as_bytes().to_vec());
        let wide = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        self.push(format!("{name}, as characters"), wide);
    }

    /// Adds a phrase: any three words in a row, between the separators that a program may put there.
    ///
    /// # Panics
    /// When three words are shorter than 8 bytes.
    pub fn words(&mut self, name: &str, phrase: &str) {
        let words: Vec<&str> = phrase.split(' ').collect();
        for three in words.windows(3) {
            for separator in [" ", ",", ", ", "\n", "\",\"", "\", \"", ""] {
                self.push(format!("{name}, three words"), three.join(separator).into_bytes());
            }
        }
    }

    /// Adds secret bytes: raw, each half of 32 and more, as the words of a big-endian hash, and in every text encoding.
    ///
    /// # Panics
    /// When they are fewer than 8.
    pub fn secret(&mut self, name: &str, bytes: &[u8]) {
        if bytes.len() >= 32 {
            let (front, back) = bytes.split_at(bytes.len() / 2);
            self.push(format!("{name}, first half"), front.to_vec());
            self.push(format!("{name}, second half"), back.to_vec());
        }
        self.whole(name, bytes);
    }

    /// As [`Self::secret`], but no halves: for bytes of which a part is public.
    ///
    /// # Panics
    /// When they are fewer than 8.
    pub fn whole(&mut self, name: &str, bytes: &[u8]) {
        self.push(format!("{name}, raw"), bytes.to_vec());
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        self.push(format!("{name}, reversed"), reversed);
        // As SHA-2 holds its input and its state: the bytes of each word turned round.
        for width in [4, 8] {
            let turned: Vec<u8> = bytes
                .chunks(width)
                .flat_map(|word| word.iter().rev().copied())
                .collect();
            self.push(format!("{name}, as {}-bit words", width * 8), turned);
        }
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (form, text) in [
            ("hex", hex::encode(bytes)),
            ("upper-case hex", hex::encode_upper(bytes)),
            ("base58", bs58::encode(bytes).into_string()),
            ("base64", STANDARD_NO_PAD.encode(bytes)),
            ("base64url", URL_SAFE_NO_PAD.encode(bytes)),
            ("a JSON array", numbers.join(",")),
            ("an array", numbers.join(", ")),
        ] {
            self.push(format!("{name}, {form}"), text.into_bytes());
        }
    }

    fn push(&mut self, name: String, bytes: Vec<u8>) {
        assert!(bytes.len() >= SHORTEST, "{name} is too short to mean anything");
        self.names.push(name);
        self.bytes.push(bytes);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bytes.len()
    }
}

/// What a search of a process found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The names of what was found, each with the places.
    pub found: BTreeMap<String, Vec<String>>,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// Mappings that the process may read and nobody else: secret memory and the kernel's own.
    pub unreadable: Vec<String>,
}

impl Findings {
    /// Fails when anything was found whose name does not begin with one of `allowed`.
    ///
    /// # Errors
    /// Names all of it, with the places.
    pub fn only(&self, when: &str, allowed: &[&str]) -> anyhow::Result<()> {
        let unexpected: Vec<String> = self
            .found
            .iter()
            .filter(|(name, _)| !allowed.iter().any(|start| name.starts_with(start)))
            .map(|(name, places)| format!("  {name}: {}", places.join(", ")))
            .collect();
        ensure!(
            unexpected.is_empty(),
            "{when}, found in memory:\n{}",
            unexpected.join("\n")
        );
        Ok(())
    }

    /// Whether something of that name was found.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }
}

/// Whether this process may read the memory of one that has closed itself to inspection.
#[must_use]
pub fn may_read_others() -> bool {
    rustix::process::geteuid().is_root()
}

/// Reads all of a process's memory and searches it.
///
/// # Errors
/// When the process is gone or its memory may not be read.
pub fn search(process: u32, needles: &Needles) -> anyhow::Result<Findings> {
    let longest = needles.bytes.iter().map(Vec::len).max().context("no needles")?;
    let searcher = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(&needles.bytes)?;
    let memory = File::open(format!("/proc/{process}/mem")).context("the memory may not be read")?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut findings = Findings::default();
    let mut buffer = vec![0; CHUNK_LEN + longest];
    for line in maps.lines() {
        let map = Map::parse(line).with_context(|| format!("a mapping does not read: {line}"))?;
        if !map.readable {
            continue;
        }
        let mut at = map.from;
        while at < map.to {
            let wanted = buffer.len().min(usize::try_from(map.to - at)?);
            let free = buffer.get_mut(..wanted).context("within the buffer")?;
            let count = match memory.read_at(free, at) {
                Ok(count @ 1..) => count,
                _ => {
                    findings.unreadable.push(map.name.to_owned());
                    break;
                }
            };
            let read = buffer.get(..count).context("within the buffer")?;
            for found in searcher.find_overlapping_iter(read) {
                let index = found.pattern().as_usize();
                let name = needles.names.get(index).cloned().unwrap_or_default();
                let place = format!("{} at {:x}", map.name, at + found.start() as u64);
                let places = findings.found.entry(name).or_default();
                if places.len() < 4 && !places.contains(&place) {
                    places.push(place);
                }
            }
            // The next piece begins so far back that nothing is cut in two.
            let step = if count > longest { count - longest } else { count };
            findings.read_bytes += step as u64;
            at += if at + count as u64 == map.to {
                count as u64
            } else {
                step as u64
            };
        }
    }
    ensure!(findings.read_bytes > 1 << 20, "hardly anything was read");
    Ok(findings)
}

/// A line of `/proc/PID/maps`.
struct Map<'a> {
    from: u64,
    to: u64,
    readable: bool,
    name: &'a str,
}

impl<'a> Map<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let name = rest.splitn(5, ' ').nth(4).unwrap_or_default().trim();
        Some(Self {
            from: u64::from_str_radix(from, 16).ok()?,
            to: u64::from_str_radix(to, 16).ok()?,
            readable: rest.starts_with('r'),
            name: if name.is_empty() { "(anonymous)" } else { name },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn lines_of_maps_are_read() {
        let map = Map::parse("7f00-7fff rw-p 00000000 00:00 0 ").unwrap();
        assert_eq!((map.from, map.to, map.readable), (0x7f00, 0x7fff, true));
        assert_eq!(map.name, "(anonymous)");
        let map = Map::parse("55d0-55d1 ---s 00001000 fe:01 4711       /secretmem (deleted)").unwrap();
        assert_eq!((map.readable, map.name), (false, "/secretmem (deleted)"));
        assert!(Map::parse("nonsense").is_none());
    }

    #[test]
    fn a_secret_of_this_very_process_is_found_in_each_form() {
        // Made here, so that the program's own constants do not hold it.
        let secret: Vec<u8> = (0..32_u8).map(|i| i.wrapping_mul(37) ^ 0x5a).collect();
        let mut needles = Needles::default();
        needles.secret("it", &secret);
        // Needles hold every form themselves.
        let findings = search(std::process::id(), &needles).unwrap();
        let names: std::collections::BTreeSet<_> = needles.names.iter().collect();
        assert_eq!(findings.found.len(), names.len());
        assert!(findings.only("always", &["it"]).is_ok());
        assert!(findings.only("always", &["something else"]).is_err());
    }
}
