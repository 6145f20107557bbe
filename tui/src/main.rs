//! The `keyward` binary: see [`keyward::run`].
#![forbid(unsafe_code)]

/// Every block of the heap is wiped before it is given back: what a library copies is wiped too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    keyward::run()
}
