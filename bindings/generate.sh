#!/usr/bin/env bash
# Generates what UniFFI makes of the UDL: the library's part in Rust, and from the library the Kotlin and Swift
# bindings. The companions beside them are written by hand and not touched.
#
#   bindings/generate.sh          write them
#   bindings/generate.sh --check  fail if what is committed is not what would be written
set -euo pipefail
cd "$(dirname "$0")/.."

check=no
[ "${1:-}" != --check ] || check=yes
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT

bindgen() { target/bindgen/debug/lnurl-channel-bindgen "$@"; }
cargo build --quiet --locked --manifest-path bindings/bindgen/Cargo.toml --target-dir target/bindgen

# compare_or_copy GENERATED COMMITTED
stale=0
compare_or_copy() {
    if [ "$check" = yes ]; then
        cmp --silent "$1" "$2" || { echo "stale: $2; run bindings/generate.sh" >&2; stale=1; }
    else
        mkdir -p "$(dirname "$2")"
        cp "$1" "$2"
    fi
}

scaffolding=src/lnurl_channel.uniffi.rs
bindgen scaffolding --no-format --out-dir "$generated" src/lnurl_channel.udl
{
    echo "// Written by bindings/generate.sh, with UniFFI, from lnurl_channel.udl."
    # Without the generator's own words, and its empty lines.
    sed -E '1,2d; /^[[:space:]]*$/d' "$generated/${scaffolding##*/}"
} >"$generated/scaffolding.rs"
compare_or_copy "$generated/scaffolding.rs" "$scaffolding"

# From an unstripped library: its metadata is what the generator reads.
cargo build --quiet --lib
case "$(uname -s)" in
    Darwin) library=target/debug/liblnurl_channel.dylib ;;
    *) library=target/debug/liblnurl_channel.so ;;
esac
bindgen generate --no-format --language kotlin --language swift --out-dir "$generated" "$library"

# The Kotlin once more: each change must still find its place.
kotlin="$generated/dev/lnurlchannel/lnurl_channel.kt"
sed -E -f bindings/kotlin/generated.sed "$kotlin" >"$generated/changed.kt"
for change in '^    data object ' '^    } catch(e: Throwable) {' 'e.javaClass.name' 'ensureActive()'; do
    grep -q -- "$change" "$generated/changed.kt" ||
        { echo "bindings/kotlin/generated.sed finds no place any more for: $change" >&2; exit 1; }
done
mv "$generated/changed.kt" "$kotlin"

# What is generated, and where it belongs.
files=(
    dev/lnurlchannel/lnurl_channel.kt bindings/kotlin/dev/lnurlchannel/lnurl_channel.kt
    LnurlChannel.swift bindings/swift/LnurlChannel/LnurlChannel.swift
    LnurlChannelFFI.h bindings/swift/LnurlChannelFFI/LnurlChannelFFI.h
    LnurlChannelFFI.modulemap bindings/swift/LnurlChannelFFI/module.modulemap
)
for ((i = 0; i < ${#files[@]}; i += 2)); do
    compare_or_copy "$generated/${files[i]}" "${files[i + 1]}"
done
exit "$stale"
