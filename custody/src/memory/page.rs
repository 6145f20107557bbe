//! One page for one key, between two pages that cannot be touched. The only unsafe code of the project.
//!
//! ```text
//! base            base + page       base + 2 page    base + 3 page
//! | no access     | the key         | no access      |
//! ```
//!
//! # Safety
//! A [`KeyPage`] owns the three pages from `base` on, from a successful reservation to its drop: nothing else was given
//! that range, and nothing here hands out anything but shared borrows of the key with the lifetime of the page. The key
//! is written before the page exists as a value, and the bytes are plain data, so a shared reference to them is sound.
#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "mapping, locking and reading a page of its own have no safe interface; all of it is here"
    )
)]

use super::Protection;

#[cfg(unix)]
pub(super) use self::mapped::KeyPage;
#[cfg(not(unix))]
pub(super) use self::none::KeyPage;

#[cfg(unix)]
mod mapped {
    use std::ffi::c_void;
    use std::io;
    use std::ptr::NonNull;

    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mlock, mmap_anonymous, mprotect, munmap};
    use zeroize::Zeroize;

    use super::Protection;

    /// Three pages; the key is at the beginning of the middle one.
    pub(in crate::memory) struct KeyPage {
        base: NonNull<c_void>,
        page_len: usize,
        protection: Protection,
    }

    // SAFETY: the pages belong to the process, not to a thread; they are only read between `new` and `drop`.
    unsafe impl Send for KeyPage {}
    // SAFETY: through a shared reference they can only be read.
    unsafe impl Sync for KeyPage {}

    impl KeyPage {
        /// Maps the pages and copies the key.
        ///
        /// # Errors
        /// When the system does not give this kind of memory.
        pub(in crate::memory) fn new(key: &[u8; 32], protection: Protection) -> io::Result<Self> {
            let page_len = rustix::param::page_size();
            let len = page_len
                .checked_mul(3)
                .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
            // SAFETY: a new mapping at an address that the kernel chooses touches nothing that exists.
            let base =
                unsafe { mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), MapFlags::PRIVATE)? };
            let base = NonNull::new(base).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
            // From here on the drop unmaps, whatever fails.
            let mut page = Self {
                base,
                page_len,
                protection,
            };
            match protection {
                Protection::SecretMemory => page.map_secret_memory()?,
                Protection::Locked => page.lock()?,
                Protection::Plain => return Err(io::ErrorKind::Unsupported.into()),
            }
            page.keep_from_children_and_dumps()?;
            page.bytes_mut().copy_from_slice(key);
            // SAFETY: the middle page is ours, and no mutable borrow of it is alive.
            unsafe { mprotect(page.middle(), page_len, MprotectFlags::READ)? };
            Ok(page)
        }

        pub(in crate::memory) const fn protection(&self) -> Protection {
            self.protection
        }

        /// The key.
        pub(in crate::memory) const fn expose(&self) -> &[u8; 32] {
            // SAFETY: `new` made the middle page readable, at least 32 bytes long and wrote the key there; it stays so
            // until the drop, which the borrow outlives not.
            unsafe { &*self.middle().cast::<[u8; 32]>() }
        }

        /// Only while the page is writable: in `new` before it is closed, and in `drop` after it was opened again.
        fn bytes_mut(&mut self) -> &mut [u8; 32] {
            // SAFETY: as above, and the exclusive borrow of the page is the exclusive borrow of its bytes.
            unsafe { &mut *self.middle().cast::<[u8; 32]>() }
        }

        const fn middle(&self) -> *mut c_void {
            // SAFETY: within the three pages.
            unsafe { self.base.as_ptr().byte_add(self.page_len) }
        }

        /// Opens the middle page and locks it.
        fn lock(&mut self) -> io::Result<()> {
            // SAFETY: the middle page is ours and nothing borrows from it yet.
            unsafe {
                mprotect(
                    self.middle(),
                    self.page_len,
                    MprotectFlags::READ | MprotectFlags::WRITE,
                )?;
                mlock(self.middle(), self.page_len)?;
            }
            Ok(())
        }

        /// Puts a page of secret memory in the middle. The descriptor is closed at once: the mapping keeps the memory.
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
        ))]
        fn map_secret_memory(&mut self) -> io::Result<()> {
            use std::os::fd::{FromRawFd, OwnedFd};

            // SAFETY: the call takes one integer and gives a descriptor or -1.
            let result = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
            let raw = match i32::try_from(result) {
                Ok(raw @ 0..) => raw,
                _ => return Err(io::Error::last_os_error()),
            };
            // SAFETY: the descriptor is new and nobody else's.
            let file = unsafe { OwnedFd::from_raw_fd(raw) };
            // A page's length fits.
            rustix::fs::ftruncate(&file, self.page_len as u64)?;
            // SAFETY: replaces the middle page, which is ours and of which nothing borrows.
            unsafe {
                rustix::mm::mmap(
                    self.middle(),
                    self.page_len,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::SHARED | MapFlags::FIXED,
                    &file,
                    0,
                )?;
            }
            Ok(())
        }

        #[cfg(not(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
        )))]
        fn map_secret_memory(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        #[cfg(target_os = "linux")]
        fn keep_from_children_and_dumps(&mut self) -> io::Result<()> {
            use rustix::mm::{Advice, madvise};

            for advice in [Advice::LinuxDontDump, Advice::LinuxDontFork] {
                // SAFETY: neither changes what the page holds.
                unsafe { madvise(self.middle(), self.page_len, advice)? };
            }
            Ok(())
        }

        #[cfg(not(target_os = "linux"))]
        #[expect(clippy::unnecessary_wraps, reason = "it can fail on Linux")]
        fn keep_from_children_and_dumps(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drop for KeyPage {
        fn drop(&mut self) {
            // SAFETY: the middle page is ours and nothing borrows from it any more. Before the memory was made, or
            // where it was refused, opening it for writing does no harm: it is given back right after.
            let writable = unsafe {
                mprotect(
                    self.middle(),
                    self.page_len,
                    MprotectFlags::READ | MprotectFlags::WRITE,
                )
            };
            if writable.is_ok() {
                self.bytes_mut().zeroize();
            }
            // SAFETY: the three pages are ours and end here. It fails for no range that was mapped.
            let _ = unsafe { munmap(self.base.as_ptr(), self.page_len * 3) };
        }
    }
}

#[cfg(not(unix))]
mod none {
    use std::io;

    use super::Protection;

    /// No such memory on this system.
    pub(in crate::memory) enum KeyPage {}

    impl KeyPage {
        pub(in crate::memory) fn new(_key: &[u8; 32], _protection: Protection) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in crate::memory) const fn protection(&self) -> Protection {
            match *self {}
        }

        pub(in crate::memory) const fn expose(&self) -> &[u8; 32] {
            match *self {}
        }
    }
}
