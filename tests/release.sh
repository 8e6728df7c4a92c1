# shellcheck shell=bash
# A library as a phone gets it, but for x86_64 on Linux, which any machine builds that runs the tests.
# Sourced, in the project's folder; by android/build-native.sh and ios/build-xcframework.sh too.
#
# Profile `release`, one crate type (with several, cargo leaves link-time optimisation out), the flags
# below, the linker options of android/build-native.sh (Linux packs relocations in a way of its own),
# stripped.

# release_flags [ABI]: what RUSTFLAGS the library is built with, for one of Android's processors or another.
release_flags() {
    local sources=${CARGO_HOME:-$HOME/.cargo}/registry/src folder flags
    # No folder of this machine is in what is built; panics name files.
    [ -d "$sources" ] || cargo fetch --quiet --locked
    flags=("--remap-path-prefix=$PWD=.")
    for folder in "$sources"/*; do flags+=("--remap-path-prefix=$folder="); done
    # The small SHA-256 rather than the fast one: two keys are hashed, now and then.
    flags+=('--cfg sha2_256_backend="soft"' '--cfg sha2_backend_soft="compact"')
    # No table of addresses for a choice among a few.
    flags+=('-C llvm-args=-min-jump-table-entries=16')
    # A little more inlining than LLVM does for size: functions as small as a call take less room in place.
    flags+=('-C llvm-args=-inline-threshold=10')
    # Frame pointers, which other processors have without being asked: they make unwind tables smaller.
    [ "${1:-}" != x86_64 ] || flags+=("-C force-frame-pointers=yes")
    echo "${flags[*]}"
}

# What LLVM's linker, which Android has too, makes one of: functions and constants that are the same. No
# crate that ships compares their addresses (but bytes, those of two tables that differ).
fold_flags() { echo "-C link-arg=-Wl,--icf=all -C link-arg=-Wl,--ignore-data-address-equality"; }

# weigh LIBRARY [CARGO_OPTION...]: builds it as target/size/LIBRARY.so; its bytes, and those gzipped.
weigh() {
    local weighed=target/size/$1.so flags
    flags=$(release_flags x86_64)
    # shellcheck disable=SC2046 # several words
    RUSTFLAGS=$flags \
        cargo rustc --quiet --locked --release --lib --crate-type cdylib --target-dir target/size "${@:2}" -- \
        -C link-arg=-Wl,-z,pack-relative-relocs $(fold_flags)
    strip -o "$weighed" "target/size/release/$1.so"
    echo "$(stat --format %s "$weighed") $(gzip --best --no-name --stdout "$weighed" | wc --bytes)"
}
