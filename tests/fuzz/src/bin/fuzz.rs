//! Runs the target that the variable `CONCLAVE_FUZZ` names under libFuzzer. `cargo xtask fuzz` builds and runs this program.

#![no_main]

use std::sync::LazyLock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));

static TARGET: LazyLock<&fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("CONCLAVE_FUZZ").unwrap_or_default();
    fuzz::target(&name).expect("CONCLAVE_FUZZ names a target of the table")
});
