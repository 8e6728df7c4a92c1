# shellcheck shell=bash
# How LnurlChannelFFI.framework is put together: all that needs no Mac, so that tests/swift/framework runs it on
# Linux. Sourced, in the project's folder, by build-xcframework.sh.

FRAMEWORK=LnurlChannelFFI
export IPHONEOS_DEPLOYMENT_TARGET=15.0
export MACOSX_DEPLOYMENT_TARGET=13.0
HEADER=bindings/swift/LnurlChannelFFI/LnurlChannelFFI.h

# The names of the functions that the Swift code calls: what the library exports, and nothing else. Of two Rust
# libraries in one app, each keeps its own copy of Rust's runtime to itself.
exported_functions() {
    sed -n -E 's/^[A-Za-z0-9_]+ \*?((ffi|uniffi)_lnurl_channel_[a-z0-9_]+)\(.*/\1/p' "$HEADER" | LC_ALL=C sort -u
}

# For Apple's linker, whose names have an underscore more.
exported_symbols_list() { exported_functions | sed 's/^/_/'; }

# The same for linkers on Linux.
version_script() {
    echo '{ global:'
    exported_functions | sed 's/$/;/'
    echo 'local: *; };'
}

# check_exports: whether the names on standard input are the exported functions.
check_exports() {
    local difference
    difference=$(diff <(exported_functions) <(LC_ALL=C sort -u)) && return
    echo "These are not exported (<), or should not be (>):" >&2
    echo "$difference" >&2
    return 1
}

# Rust's targets and, of each, the platform and what clang calls it.
targets() {
    local ios=$IPHONEOS_DEPLOYMENT_TARGET mac=$MACOSX_DEPLOYMENT_TARGET
    cat <<TARGETS
aarch64-apple-ios        ios       arm64-apple-ios$ios
aarch64-apple-ios-sim    simulator arm64-apple-ios$ios-simulator
x86_64-apple-ios         simulator x86_64-apple-ios$ios-simulator
aarch64-apple-darwin     mac       arm64-apple-macos$mac
x86_64-apple-darwin      mac       x86_64-apple-macos$mac
aarch64-apple-ios-macabi catalyst  arm64-apple-ios$ios-macabi
x86_64-apple-ios-macabi  catalyst  x86_64-apple-ios$ios-macabi
TARGETS
}

# link_library PLATFORM CLANG_TARGET VERSION ARCHIVE OUT COMPILER...: one processor's library, from Rust's archive.
link_library() {
    local platform=$1 triple=$2 version=$3 archive=$4 out=$5
    shift 5
    exported_symbols_list >"$out.exports"
    "$@" -target "$triple" -dynamiclib -o "$out" -Wl,-force_load,"$archive" -Wl,-dead_strip -Wl,-dead_strip_dylibs \
        -Wl,-exported_symbols_list,"$out.exports" -install_name "$(install_name "$platform")" \
        -current_version "$version" -compatibility_version 1
}

# As Info.plist names the platforms.
supported_platform() {
    case "$1" in
        ios) echo iPhoneOS ;;
        simulator) echo iPhoneSimulator ;;
        mac | catalyst) echo MacOSX ;;
    esac
}
oldest_version() {
    case "$1" in
        mac) echo "$MACOSX_DEPLOYMENT_TARGET" ;;
        *) echo "$IPHONEOS_DEPLOYMENT_TARGET" ;;
    esac
}

# write_info_plist PLATFORM VERSION
write_info_plist() {
    local oldest=MinimumOSVersion
    [ "$1" != mac ] || oldest=LSMinimumSystemVersion
    cat <<PLIST
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>CFBundleDevelopmentRegion</key>
    <string>en</string>
    <key>CFBundleExecutable</key>
    <string>$FRAMEWORK</string>
    <key>CFBundleIdentifier</key>
    <string>dev.lnurlchannel.$FRAMEWORK</string>
    <key>CFBundleInfoDictionaryVersion</key>
    <string>6.0</string>
    <key>CFBundleName</key>
    <string>$FRAMEWORK</string>
    <key>CFBundlePackageType</key>
    <string>FMWK</string>
    <key>CFBundleShortVersionString</key>
    <string>$2</string>
    <key>CFBundleSupportedPlatforms</key>
    <array>
        <string>$(supported_platform "$1")</string>
    </array>
    <key>CFBundleVersion</key>
    <string>$2</string>
    <key>$oldest</key>
    <string>$(oldest_version "$1")</string>
</dict>
</plist>
PLIST
}

write_module_map() {
    printf 'framework module %s {\n    header "%s.h"\n    export *\n}\n' "$FRAMEWORK" "$FRAMEWORK"
}

# On a Mac a framework has versions, of which this one has one; elsewhere all lies flat.
is_versioned() { [ "$1" = mac ] || [ "$1" = catalyst ]; }

# install_name PLATFORM: where an app finds the library, seen from its folder of frameworks.
install_name() {
    if is_versioned "$1"; then
        echo "@rpath/$FRAMEWORK.framework/Versions/A/$FRAMEWORK"
    else
        echo "@rpath/$FRAMEWORK.framework/$FRAMEWORK"
    fi
}

# lay_out FOLDER PLATFORM VERSION LIBRARY: the framework, in FOLDER.
lay_out() {
    local framework=$1/$FRAMEWORK.framework platform=$2 version=$3 library=$4
    local inside=$framework resources=$framework item
    if is_versioned "$platform"; then
        inside=$framework/Versions/A
        resources=$inside/Resources
    fi
    mkdir -p "$inside/Headers" "$inside/Modules" "$resources"
    cp "$library" "$inside/$FRAMEWORK"
    cp "$HEADER" "$inside/Headers/"
    write_module_map >"$inside/Modules/module.modulemap"
    write_info_plist "$platform" "$version" >"$resources/Info.plist"
    cp ios/PrivacyInfo.xcprivacy "$resources/"
    is_versioned "$platform" || return 0
    ln -s A "$framework/Versions/Current"
    for item in "$FRAMEWORK" Headers Modules Resources; do
        ln -s "Versions/Current/$item" "$framework/$item"
    done
}

# sort_libraries INFO_PLIST: xcodebuild lists the libraries of an xcframework in any order.
sort_libraries() {
    python3 - "$1" <<'PYTHON'
import plistlib, sys

with open(sys.argv[1], "rb") as file:
    info = plistlib.load(file)
info["AvailableLibraries"].sort(key=lambda library: library["LibraryIdentifier"])
with open(sys.argv[1], "wb") as file:
    plistlib.dump(info, file)
PYTHON
}

# pack FOLDER ZIP: order, times and rights of the files go into a zip; none of them says anything here.
pack() {
    local zip
    zip=$(cd "$(dirname "$2")" && pwd)/${2##*/}
    rm -f "$zip"
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f ! -name "$FRAMEWORK" -exec chmod 644 {} +
    find "$1" -type f -name "$FRAMEWORK" -exec chmod 755 {} +
    # A zip holds local time.
    find "$1" -exec env TZ=UTC touch -h -t 200001010000 {} +
    (cd "$(dirname "$1")" && find "${1##*/}" | LC_ALL=C sort | TZ=UTC zip --quiet -X -y "$zip" -@)
}
