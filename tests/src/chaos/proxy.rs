//! Stands between a store and its server, on loopback, and is a bad network when it is told to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use anyhow::Context as _;

/// The proxy. Its connections are cut when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Nothing goes through, and nobody is told.
    holds: Mutex<bool>,
    released: Condvar,
    /// How many sides have something that is held back.
    held: AtomicU64,
    /// Whoever connects is cut off at once.
    refuses: AtomicBool,
    /// After so many bytes more, from either side, whoever sent the last is cut off in the middle; 0 for never.
    cut_after: AtomicU64,
    cuts: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// In front of the server at an address `postgres://user:password@host:port/…`.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn start(url: &str) -> anyhow::Result<Self> {
        let after = url.rsplit_once('@').context("an address with a user")?.1;
        let server = after.split('/').next().unwrap_or(after).to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.refuses.load(Ordering::SeqCst) {
                    continue;
                }
                // A server that is away is one that does not answer.
                if let Ok(server) = TcpStream::connect(&server) {
                    relay(&client, &server, &accepting);
                }
            }
        });
        Ok(Self { port, shared })
    }

    /// The same address, through here.
    ///
    /// # Errors
    /// When it has no user.
    pub fn through(&self, url: &str) -> anyhow::Result<String> {
        let (before, after) = url.rsplit_once('@').context("an address with a user")?;
        let path = after.split_once('/').map_or("", |(_, path)| path);
        Ok(format!("{before}@127.0.0.1:{}/{path}?sslmode=disable", self.port))
    }

    /// From now on nothing arrives; or what was held back does.
    pub fn hold(&self, holds: bool) {
        *self.shared.holds.lock().unwrap_or_else(PoisonError::into_inner) = holds;
        self.shared.released.notify_all();
    }

    /// How many sides have something that is held back.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.shared.held.load(Ordering::SeqCst)
    }

    /// Cuts every connection, and lets nobody connect; or lets them again.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
        if refuses {
            self.shared.cut_all();
        }
    }

    /// Cuts one connection in the middle of what it sends, after so many bytes more.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// How many were cut so.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.hold(false);
        self.refuse(true);
        // Wakes the thread that accepts, which keeps nothing but its port.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn cut_all(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn wait_while_held(&self) {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        self.held.fetch_add(1, Ordering::SeqCst);
        let waited = self.released.wait_while(holds, |holds| *holds);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many of these bytes still go through; fewer than all of them where it is cut.
    fn passing(&self, bytes: usize) -> usize {
        let all = bytes as u64;
        let mut left = self.cut_after.load(Ordering::SeqCst);
        while left > 0 {
            let next = left.saturating_sub(all);
            match self
                .cut_after
                .compare_exchange(left, next, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) if next == 0 => {
                    self.cuts.fetch_add(1, Ordering::SeqCst);
                    return usize::try_from(left).unwrap_or(bytes).saturating_sub(1);
                }
                Ok(_) => return bytes,
                Err(now) => left = now,
            }
        }
        bytes
    }
}

fn relay(client: &TcpStream, server: &TcpStream, shared: &Arc<Shared>) {
    for (from, to) in [(client, server), (server, client)] {
        let (Ok(mut from), Ok(mut to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone())
        else {
            return;
        };
        shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(kept);
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            let mut bytes = [0; 16_384];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                shared.wait_while_held();
                let passing = shared.passing(read);
                let sent = bytes.get(..passing).unwrap_or_default();
                if to.write_all(sent).is_err() || passing < read {
                    break;
                }
            }
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
