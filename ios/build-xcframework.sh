#!/usr/bin/env bash
# Builds LnurlChannelFFI.xcframework and its zip for a release. On a Mac with Xcode only; it was not
# run anywhere else.
#
#   ios/build-xcframework.sh
#
# Same sources and same tools give the same zip, so that its checksum can be checked by others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=../tests/release.sh
. tests/release.sh

export IPHONEOS_DEPLOYMENT_TARGET=15.0
export MACOSX_DEPLOYMENT_TARGET=13.0
targets=(aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin)

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1: $2"); }
[ "$(uname -s)" = Darwin ] || missing+=("macOS: an xcframework can be made nowhere else")
need xcodebuild "install Xcode, then run sudo xcode-select --switch to it"
need lipo "comes with Xcode"
need cargo "install Rust with rustup"
need rustup "install Rust with rustup"
need swift "comes with Xcode"
need python3 "comes with Xcode"
need zip "comes with macOS"
if command -v rustup >/dev/null; then
    installed=$(rustup target list --installed)
    for target in "${targets[@]}"; do
        grep --quiet --line-regexp "$target" <<<"$installed" ||
            missing+=("Rust for $target: run rustup target add $target")
    done
fi
if [ "${#missing[@]}" -gt 0 ]; then
    echo "Cannot build the xcframework. What is missing:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
fi

RUSTFLAGS=$(release_flags)
export RUSTFLAGS
# No time in what is built.
export ZERO_AR_DATE=1
for target in "${targets[@]}"; do
    cargo rustc --locked --release --lib --crate-type staticlib --target "$target"
done

out=ios/build
rm -rf "$out"
mkdir -p "$out"
library() { echo "target/$1/release/liblnurl_channel.a"; }
# Two slices in one file where Apple wants one library per platform.
fat() {
    local to="$out/$1/liblnurl_channel.a"
    mkdir -p "$out/$1"
    lipo -create -output "$to" "$(library "$2")" "$(library "$3")"
    echo "$to"
}
simulator=$(fat simulator aarch64-apple-ios-sim x86_64-apple-ios)
mac=$(fat mac aarch64-apple-darwin x86_64-apple-darwin)

# In a folder of their own: two module maps beside each other collide in one app.
headers="$out/include"
mkdir -p "$headers"
cp -R bindings/swift/LnurlChannelFFI "$headers/LnurlChannelFFI"

framework="$out/LnurlChannelFFI.xcframework"
xcodebuild -create-xcframework \
    -library "$(library aarch64-apple-ios)" -headers "$headers" \
    -library "$simulator" -headers "$headers" \
    -library "$mac" -headers "$headers" \
    -output "$framework"

# xcodebuild lists the libraries in any order.
python3 - "$framework/Info.plist" <<'PYTHON'
import plistlib, sys

with open(sys.argv[1], "rb") as file:
    info = plistlib.load(file)
info["AvailableLibraries"].sort(key=lambda library: library["LibraryIdentifier"])
with open(sys.argv[1], "wb") as file:
    plistlib.dump(info, file)
PYTHON

# Order, times and rights of the files go into a zip; none of them says anything here.
# A zip holds local time.
export TZ=UTC
find "$framework" -exec touch -h -t 200001010000 {} +
find "$framework" -type d -exec chmod 755 {} +
find "$framework" -type f -exec chmod 644 {} +
zip="LnurlChannelFFI.xcframework.zip"
(cd "$out" && find LnurlChannelFFI.xcframework | LC_ALL=C sort | zip --quiet -X -y "$zip" -@)

echo "$framework"
echo "$out/$zip"
echo "checksum: $(swift package compute-checksum "$out/$zip")"
