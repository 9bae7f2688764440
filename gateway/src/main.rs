//! The binary: it reads its command line and does what it says. Everything else is in the library.

use std::process::ExitCode;

/// Freed memory goes back to the system soon, so that a burst of queries does not stay in the pod's memory. Without
/// transparent huge pages: with them an idle server holds 24 MB more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lakegate::cli::main()
}
