//! Memory for the vault key that is not swapped out, not dumped, not inherited and, where the kernel can, not readable
//! by anybody else.
//!
//! [`LockedKey`] takes the best of three kinds of memory that the system gives ([`Protection`]):
//!
//! 1. `memfd_secret(2)` (Linux 5.14; on by default since 6.5): pages that the kernel removes from its own map of memory.
//!    Another process cannot read them, through `/proc/PID/mem` or `ptrace`, even as root. They are never swapped; while
//!    they exist the machine does not hibernate.
//! 2. An anonymous page with `mlock(2)`: never swapped, left out of core files (`MADV_DONTDUMP`) and of forked children
//!    (`MADV_DONTFORK`) on Linux. Root and a debugger can read it.
//! 3. Plain memory, wiped when dropped. What is left when `RLIMIT_MEMLOCK` refuses both; the log says so once.
//!
//! The first two lie between two pages that cannot be touched and are read-only once written. Deliberately absent: a
//! general allocator for secrets. One key needs a page of its own; everything shorter-lived is wiped where it is used.
//! [`clearing_stack`] overwrites what finished work has left on the stack.
//! What all this does and does not protect from is in `docs/threat-model.md`.

mod page;

use std::fmt;
use std::sync::Once;

use keyward_core::vault::KeyMemory;
use zeroize::Zeroizing;

use self::page::KeyPage;

/// How well the memory that holds a key is protected. Later ones are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Wiped when dropped, and nothing more: it may be swapped out.
    Plain,
    /// Not swapped; on Linux neither dumped nor inherited by a fork.
    Locked,
    /// As [`Self::Locked`], and unreadable for every other process, root's included.
    SecretMemory,
}

impl Protection {
    /// A stable name: `plain`, `locked` or `secret-memory`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Locked => "locked",
            Self::SecretMemory => "secret-memory",
        }
    }
}

/// 32 secret bytes in the best memory to be had. Wiped and unmapped when dropped, never printed.
pub struct LockedKey {
    memory: Memory,
}

enum Memory {
    Page(KeyPage),
    /// Boxed, so that moving leaves no copy.
    Plain(Box<Zeroizing<[u8; 32]>>),
}

impl LockedKey {
    /// Copies `key` into memory that is protected as well as the system allows, and at most as `best` says. The caller
    /// wipes its own copy.
    ///
    /// Never fails: without locked memory it falls back to plain memory, which [`Self::protection`] and one warning in
    /// the log tell.
    #[must_use]
    pub fn new(key: &[u8; 32], best: Protection) -> Self {
        let kinds = [Protection::SecretMemory, Protection::Locked];
        let page = kinds
            .into_iter()
            .filter(|kind| *kind <= best)
            .find_map(|kind| KeyPage::new(key, kind).ok());
        let memory = page.map_or_else(
            || {
                if best > Protection::Plain {
                    warn_once();
                }
                let mut plain = Box::new(Zeroizing::new([0; 32]));
                plain.copy_from_slice(key);
                Memory::Plain(plain)
            },
            Memory::Page,
        );
        Self { memory }
    }

    /// What the system gave.
    #[must_use]
    pub const fn protection(&self) -> Protection {
        match &self.memory {
            Memory::Page(page) => page.protection(),
            Memory::Plain(_) => Protection::Plain,
        }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn expose_key(&self) -> &[u8; 32] {
        match &self.memory {
            Memory::Page(page) => page.expose(),
            Memory::Plain(key) => key,
        }
    }
}

impl KeyMemory for LockedKey {
    fn expose_key(&self) -> &[u8; 32] {
        Self::expose_key(self)
    }
}

impl fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedKey")
            .field("protection", &self.protection())
            .finish_non_exhaustive()
    }
}

/// How much of the stack is cleared after work with secrets, in bytes: more than key stretching, derivation and signing
/// use, even without optimisation, and an eighth of a worker's stack.
const CLEARED_STACK: usize = 256 * 1024;

/// Runs work with secrets, then overwrites the part of the stack that it used: what the compiler put there in passing
/// (a spilled register, an array moved by value) nobody else wipes. Takes some microseconds. Call it on the thread that
/// does the work; the result comes back by value, so let it hold its secrets on the heap.
pub fn clearing_stack<T>(work: impl FnOnce() -> T) -> T {
    /// A frame of its own, below the one that clears.
    #[inline(never)]
    fn below<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let done = below(work);
    zeroize::zeroize_stack::<CLEARED_STACK>();
    done
}

fn warn_once() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "the system gives no locked memory, so the vault key may be swapped out; raise the limit (ulimit -l 64)"
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn every_kind_of_memory_holds_the_key_and_none_is_better_than_asked_for() {
        for best in [Protection::Plain, Protection::Locked, Protection::SecretMemory] {
            let key = LockedKey::new(&KEY, best);
            assert!(key.protection() <= best, "{best:?}");
            assert_eq!(key.expose_key(), &KEY, "{best:?}");
            let moved = Box::new(key);
            assert_eq!(moved.expose_key(), &KEY, "{best:?}");
        }
    }

    #[test]
    fn many_keys_live_and_die_independently() {
        let mut keys: Vec<LockedKey> = (0..64_u8)
            .map(|i| LockedKey::new(&[i; 32], Protection::SecretMemory))
            .collect();
        while let Some(last) = keys.pop() {
            assert_eq!(usize::from(last.expose_key()[0]), keys.len());
            drop(last);
            for (i, key) in (0..).zip(&keys) {
                assert_eq!(key.expose_key(), &[i; 32]);
            }
        }
    }

    #[test]
    fn it_is_read_from_many_threads() {
        let key = LockedKey::new(&KEY, Protection::SecretMemory);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(key.expose_key(), &KEY));
            }
        });
    }

    #[test]
    fn debug_shows_the_protection_alone() {
        let shown = format!("{:?}", LockedKey::new(&KEY, Protection::Plain));
        assert_eq!(shown, "LockedKey { protection: Plain, .. }");
    }

    #[test]
    fn the_ids_are_stable() {
        let ids = [Protection::Plain, Protection::Locked, Protection::SecretMemory].map(Protection::id);
        assert_eq!(ids, ["plain", "locked", "secret-memory"]);
    }

    /// What the kernel itself says of the pages, in `/proc/self/smaps`.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_confirms_what_is_claimed() -> Result<(), Box<dyn std::error::Error>> {
        for best in [Protection::Locked, Protection::SecretMemory] {
            let key = LockedKey::new(&KEY, best);
            let address = key.expose_key().as_ptr().addr();
            let maps = std::fs::read_to_string("/proc/self/smaps")?;
            let mut flags = None;
            let mut name = String::new();
            let mut inside = false;
            for line in maps.lines() {
                let range = line.split(' ').next().and_then(|range| range.split_once('-'));
                let bounds = range.and_then(|(from, to)| {
                    Some((
                        usize::from_str_radix(from, 16).ok()?,
                        usize::from_str_radix(to, 16).ok()?,
                    ))
                });
                if let Some((from, to)) = bounds {
                    inside = (from..to).contains(&address);
                    if inside {
                        name = line.to_owned();
                    }
                } else if let Some(found) = line.strip_prefix("VmFlags:").filter(|_| inside) {
                    flags = Some(found.to_owned());
                }
            }
            let flags = flags.ok_or("the key's page is in no map")?;
            let has = |flag: &str| flags.split_whitespace().any(|found| found == flag);
            match key.protection() {
                Protection::Plain => continue,
                Protection::Locked => {}
                Protection::SecretMemory => assert!(name.contains("secretmem"), "{name}"),
            }
            // Locked, not dumped, not copied by fork, and not writable any more.
            assert!(has("lo") && has("dd") && has("dc") && !has("wr"), "{flags}");
        }
        Ok(())
    }
}
