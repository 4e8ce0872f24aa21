#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| celosia_fuzz::vouched(input));
