#!/usr/bin/env bash
# Builds the library for the JVM on this machine's system, into target/jvm/native, in the folder where JNA looks
# for it within a jar.
#
#   jvm/build-native.sh                        for this machine's processor
#   jvm/build-native.sh x86_64-apple-darwin    for another, whose Rust target is installed
#
# A library for Linux needs the glibc of the machine that built it, or a newer one.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=../tests/release.sh
. tests/release.sh

host=$(rustc --version --verbose | sed -n 's/^host: //p')
target=${1:-$host}
options=()
[ "$target" = "$host" ] || options=(--target "$target")
# As JNA names systems and processors.
case "$target" in
    x86_64-unknown-linux-gnu) folder=linux-x86-64 library=liblnurl_channel.so ;;
    aarch64-unknown-linux-gnu) folder=linux-aarch64 library=liblnurl_channel.so ;;
    x86_64-apple-darwin) folder=darwin-x86-64 library=liblnurl_channel.dylib ;;
    aarch64-apple-darwin) folder=darwin-aarch64 library=liblnurl_channel.dylib ;;
    *) echo "The library is not built for $target." >&2; exit 1 ;;
esac

flags=()
case "$target" in
    # Where Rust links with LLVM's linker by itself.
    x86_64-unknown-linux-gnu) read -ra flags <<<"$(fold_flags)" ;;
    # Else the file would name the folder that it was built in.
    *-darwin) flags=(-C "link-arg=-Wl,-install_name,@rpath/$library") ;;
esac
# In the folder of tests/size, which has compiled the same dependencies in the same way.
RUSTFLAGS=$(release_flags "${target%%-*}") MACOSX_DEPLOYMENT_TARGET=13.0 \
    cargo rustc --quiet --locked --release --lib --crate-type cdylib --target-dir target/size \
    ${options[@]+"${options[@]}"} -- ${flags[@]+"${flags[@]}"}

built=target/size/release/$library
[ "$target" = "$host" ] || built=target/size/$target/release/$library
out=target/jvm/native/$folder
mkdir -p "$out"
case "$target" in
    # To strip it would break its signature.
    *-darwin) cp "$built" "$out/$library" ;;
    *) strip -o "$out/$library" "$built" ;;
esac
echo "$out/$library"
