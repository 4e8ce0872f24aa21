//! The thin binary: everything is in the library.

/// What is freed is wiped.
#[global_allocator]
static ALLOCATOR: celosia::enclave::wiping::Wiping = celosia::enclave::wiping::Wiping;

fn main() -> std::process::ExitCode {
    celosia::cli::main(std::env::args_os())
}
