//! argv in, exit code out.

/// A project of thousands of nodes is millions of small pieces of memory; the system's allocator
/// takes half as long again for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    marts::cli::main(std::env::args_os())
}
