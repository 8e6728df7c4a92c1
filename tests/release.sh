# shellcheck shell=bash
# A library as a phone gets it, but for x86_64 on Linux, which any machine builds that runs the tests.
# Sourced, in the project's folder.
#
# Profile `release`, one crate type (with several, cargo leaves link-time optimisation out), no folder of
# this machine in it, the linker options of android/build-native.sh (Linux packs relocations in a way of
# its own), stripped.

# weigh LIBRARY [CARGO_OPTION...]: builds it as target/size/LIBRARY.so; its bytes, and those gzipped.
weigh() {
    local weighed=target/size/$1.so
    RUSTFLAGS="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
        cargo rustc --quiet --locked --release --lib --crate-type cdylib --target-dir target/size "${@:2}" -- \
        -C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all
    strip -o "$weighed" "target/size/release/$1.so"
    echo "$(stat --format %s "$weighed") $(gzip --best --no-name --stdout "$weighed" | wc --bytes)"
}
