#!/usr/bin/env bash
# Builds the library for Android's processors into lib/src/main/jniLibs, and checks what it built.
#
#   build-native.sh                  build and check
#   build-native.sh --check FILE...  only check
#
# To build it needs Rust with the targets below, cargo-ndk, and an NDK, r28 or newer, in ANDROID_NDK_HOME:
#   rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
#   cargo install cargo-ndk
# To check it needs readelf, or the NDK's llvm-readelf.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
# shellcheck source=../tests/release.sh
. "$here/../tests/release.sh"

soname=liblnurl_channel.so
page_size=0x4000
# What every phone has.
allowed=" libc.so libm.so libdl.so liblog.so "

find_readelf() {
    command -v readelf && return
    command -v llvm-readelf && return
    compgen -G "${ANDROID_NDK_HOME:-}/toolchains/llvm/prebuilt/*/bin/llvm-readelf" && return
    echo "readelf is missing: install binutils, or set ANDROID_NDK_HOME" >&2
    return 1
}

check() {
    local file=$1 dynamic needed align failed=0
    dynamic=$("$readelf" -dW "$file")
    for needed in $(sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' <<<"$dynamic"); do
        [[ $allowed == *" $needed "* ]] || { echo "$file needs $needed" >&2; failed=1; }
    done
    grep -qF "[$soname]" < <(grep '(SONAME)' <<<"$dynamic") || { echo "$file: SONAME is not $soname" >&2; failed=1; }
    for align in $("$readelf" -lW "$file" | awk '$1 == "LOAD" { print $NF }'); do
        ((align % page_size == 0)) || { echo "$file: a segment is aligned to $align" >&2; failed=1; }
    done
    [ "$failed" = 0 ] || return 1
    echo "$file: needs what phones have, is named $soname, fits 16 KB pages"
}

build() {
    local version abi flags libraries=()
    version=$(sed -n 's/^minSdk = "\(.*\)"/\1/p' android/gradle/libs.versions.toml)
    for abi in $(sed -n 's/^lnurlchannel.abis=//p' android/gradle.properties | tr , ' '); do
        flags=$(release_flags "$abi")
        # One crate type: with several, cargo leaves link-time optimisation out. Android packs
        # relocations since API 23. tests/size weighs what is built like this.
        # shellcheck disable=SC2046 # several words
        RUSTFLAGS=$flags cargo ndk --target "$abi" --platform "$version" --output-dir android/lib/src/main/jniLibs \
            rustc --locked --release --lib --crate-type cdylib -- \
            -C "link-arg=-Wl,-soname,$soname" -C link-arg=-Wl,-z,max-page-size=16384 \
            -C link-arg=-Wl,--pack-dyn-relocs=android $(fold_flags)
        libraries+=("android/lib/src/main/jniLibs/$abi/$soname")
    done
    for library in "${libraries[@]}"; do check "$library"; done
}

readelf=$(find_readelf)
if [ "${1:-}" = --check ]; then
    shift
    [ $# -gt 0 ] || { echo "which file?" >&2; exit 2; }
    for library in "$@"; do check "$library"; done
else
    cd "$here/.."
    build
fi
