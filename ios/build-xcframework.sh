#!/usr/bin/env bash
# Builds LnurlChannelFFI.xcframework, of dynamic frameworks, and its zip for a release. On a Mac with Xcode only; it
# was not run anywhere else. What needs no Mac of it stands in framework.sh, and tests/swift/framework runs that.
#
#   ios/build-xcframework.sh                    not signed: an app signs what it embeds
#   ios/build-xcframework.sh --sign IDENTITY    the xcframework too, as `security find-identity` lists it
#
# Without a signature, same sources and same tools give the same zip, so that its checksum can be checked by others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=../tests/release.sh
. tests/release.sh
# shellcheck source=framework.sh
. ios/framework.sh

identity=
case "$#-${1:-}" in
    0-) ;;
    2---sign) identity=$2 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1: $2"); }
[ "$(uname -s)" = Darwin ] || missing+=("macOS: an xcframework can be made nowhere else")
need xcodebuild "install Xcode, then run sudo xcode-select --switch to it"
need xcrun "comes with Xcode"
need lipo "comes with Xcode"
need cargo "install Rust with rustup"
need rustup "install Rust with rustup"
need swift "comes with Xcode"
need python3 "comes with Xcode"
need zip "comes with macOS"
if command -v rustup >/dev/null; then
    installed=$(rustup target list --installed)
    while read -r target _; do
        grep --quiet --line-regexp "$target" <<<"$installed" ||
            missing+=("Rust for $target: run rustup target add $target")
    done < <(targets)
fi
if [ "${#missing[@]}" -gt 0 ]; then
    echo "Cannot build the xcframework. What is missing:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
fi

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
out=ios/build
rm -rf "$out"

RUSTFLAGS=$(release_flags)
export RUSTFLAGS
# No time in what is built.
export ZERO_AR_DATE=1

sdk() {
    case "$1" in
        ios) echo iphoneos ;;
        simulator) echo iphonesimulator ;;
        mac | catalyst) echo macosx ;;
    esac
}

# Each processor's library, in a folder of its platform.
while read -r target platform triple; do
    cargo rustc --locked --release --lib --crate-type staticlib --target "$target" </dev/null
    mkdir -p "$out/$platform"
    library="$out/$platform/$target.dylib"
    compiler=(xcrun --sdk "$(sdk "$platform")" clang -framework CoreFoundation -framework Security)
    if [ "$platform" = catalyst ]; then
        support=$(xcrun --sdk macosx --show-sdk-path)/System/iOSSupport
        compiler+=(-iframework "$support/System/Library/Frameworks" -L "$support/usr/lib")
    fi
    link_library "$platform" "$triple" "$version" "target/$target/release/liblnurl_channel.a" "$library" "${compiler[@]}"
    xcrun strip -x -S "$library"
    nm -gUj "$library" | sed 's/^_//' | check_exports
done < <(targets)

# Apple wants one framework for each platform, for all its processors.
frameworks=()
for platform in ios simulator mac catalyst; do
    lipo -create -output "$out/$platform/library" "$out/$platform"/*.dylib
    lay_out "$out/$platform" "$platform" "$version" "$out/$platform/library"
    frameworks+=(-framework "$out/$platform/$FRAMEWORK.framework")
done

xcframework="$out/$FRAMEWORK.xcframework"
xcodebuild -create-xcframework "${frameworks[@]}" -output "$xcframework"
sort_libraries "$xcframework/Info.plist"
# The last change of what it signs.
[ -z "$identity" ] || codesign --timestamp --sign "$identity" "$xcframework"
pack "$xcframework" "$out/$FRAMEWORK.xcframework.zip"

echo "$xcframework"
echo "$out/$FRAMEWORK.xcframework.zip"
echo "checksum: $(swift package compute-checksum "$out/$FRAMEWORK.xcframework.zip")"
