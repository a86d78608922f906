//! The `secpull` binary: everything is in the library.

fn main() -> std::process::ExitCode {
    secpull::cli::main()
}
