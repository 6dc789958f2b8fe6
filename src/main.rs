//! argv in, exit code out.

fn main() -> std::process::ExitCode {
    marts::cli::main(std::env::args_os())
}
