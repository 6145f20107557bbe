//! Has the crate built again when a migration is added: the migrations are embedded by a macro.

fn main() {
    println!("cargo:rerun-if-changed=../migrations/sqlite");
    println!("cargo:rerun-if-changed=../migrations/postgres");
}
