//! The thin binary: everything is in the library.

fn main() -> std::process::ExitCode {
    celosia::cli::main(std::env::args_os())
}
