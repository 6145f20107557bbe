//! What the process does to keep its memory its own, and how it ends when it panics.
//!
//! No core file (`RLIMIT_CORE` = 0), no debugger of the same user and no readable `/proc/self/mem` or
//! `/proc/self/environ` (`PR_SET_DUMPABLE` = 0, Linux). A panic prints where it happened and nothing else: a payload may
//! quote what was being worked on. Deliberately absent: locking of memory, which belongs beside the key (custody).
//! Neither protects from root, nor from a hostile process that was there first.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core files. Called first of all.
pub(crate) fn forbid_core_files() {
    // A limit may always be lowered, so this fails on no system known; there would be nothing better to do than go on.
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
}

/// Closes the process to debuggers and to `/proc` readers of the same user.
///
/// Called after the command line is read and the files it names are open, and before any secret is read: afterwards
/// `/dev/fd/N`, which shells make of `<(command)`, can no longer be opened by anybody but root.
pub(crate) fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Replaces the panic message by one without the payload.
///
/// The console puts its own hook, which restores the terminal, before this one and calls it.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        tracing::error!("internal error{place}");
        crate::output::warn(&format!(
            "error: keyward stopped because of a mistake of its own{place}\n  \
             try: run it again; what was stored is safe. Please report this line.\n"
        ));
    }));
}
