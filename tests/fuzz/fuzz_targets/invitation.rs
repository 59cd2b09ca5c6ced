#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (conclave_fuzz::target("invitation").expect("it is in the table").run)(
    bytes
));
