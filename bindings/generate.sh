#!/usr/bin/env bash
# Generates the Kotlin and Swift bindings from the library. The companions beside them are written
# by hand and not touched.
#
#   bindings/generate.sh          write them
#   bindings/generate.sh --check  fail if what is committed is not what would be written
set -euo pipefail
cd "$(dirname "$0")/.."

generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT

# From an unstripped library: its metadata is what the generator reads.
cargo build --quiet --lib
case "$(uname -s)" in
    Darwin) library=target/debug/liblnurl_channel.dylib ;;
    *) library=target/debug/liblnurl_channel.so ;;
esac
cargo run --quiet --features bindgen --bin uniffi-bindgen -- \
    generate --no-format --language kotlin --language swift --out-dir "$generated" "$library"

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
stale=0
for ((i = 0; i < ${#files[@]}; i += 2)); do
    from="$generated/${files[i]}" to="${files[i + 1]}"
    if [ "${1:-}" = --check ]; then
        cmp --silent "$from" "$to" || { echo "stale: $to; run bindings/generate.sh" >&2; stale=1; }
    else
        mkdir -p "$(dirname "$to")"
        cp "$from" "$to"
    fi
done
exit "$stale"
