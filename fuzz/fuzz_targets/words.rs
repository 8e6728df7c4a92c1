#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lnurl_channel_fuzz::targets::words::run(data));
