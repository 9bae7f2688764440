//! The binary: it sets the allocator up, reads its command line and does what it says. Everything else is in the library.

use std::process::ExitCode;

/// Without transparent huge pages: with them an idle server holds 24 MB more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, for which the bindings have no name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// How long freed memory is kept for whoever asks next. At mimalloc's own second a large result leaves 20 MB more behind.
const PURGE_DELAY_MS: std::ffi::c_long = 50;

fn main() -> ExitCode {
    give_memory_back_soon();
    lakegate::cli::main()
}

#[expect(
    unsafe_code,
    reason = "an option of the allocator has no safe setter; it is one integer, set before any thread"
)]
fn give_memory_back_soon() {
    // SAFETY: the call stores an integer under a lock-free option table and touches no other memory.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_MS) }
}
