//! The `keyward` binary: see [`keyward::run`].

fn main() -> std::process::ExitCode {
    keyward::run()
}
