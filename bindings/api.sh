#!/usr/bin/env bash
# Writes down the public API of each language as its compiler sees it, so that every change of it shows in a
# diff. Left out is what the bindings need for themselves and no wallet names: converters, buffers, handles.
#
#   bindings/api.sh                    writes bindings/api/kotlin.txt and bindings/api/swift.txt
#   bindings/api.sh --check            fails if what is committed is not what would be written
#   bindings/api.sh [--check] kotlin   one of them only: kotlin, swift
set -euo pipefail
cd "$(dirname "$0")/.."

check=no
[ "${1:-}" != --check ] || { check=yes; shift; }
case "$*" in
    "") languages=(kotlin swift) ;;
    kotlin | swift) languages=("$1") ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
out=target/api
mkdir -p "$out"

# From the classes that the Kotlin tests test, with the tool that Kotlin's own Gradle plugin uses for this.
dump_kotlin() {
    local classes=tests/kotlin/target/classes version
    version=$(sed -n 's/^kotlin = "\(.*\)"/\1/p' android/gradle/libs.versions.toml)
    # Else classes whose sources are gone would stay.
    rm -rf "$classes"
    mvn --batch-mode --quiet -Dstyle.color=never compile --file tests/kotlin/pom.xml >&2
    mvn --batch-mode --quiet -Dstyle.color=never --file bindings/api/pom.xml "-Dkotlin=$version" \
        dependency:build-classpath "-Dmdep.outputFile=$PWD/$out/classpath" >&2
    java -cp "$(cat "$out/classpath")" bindings/api/Dump.java "$classes"
}

# With the parts that are for iOS alone, since Linux has stand-ins for Apple's modules.
dump_swift() {
    local module
    tests/swift/with-swift bash bindings/api/interface.sh "$out"
    for module in LnurlChannel LnurlChannelTesting; do
        # The flags say where it was compiled. `_documentation` marks what UniFFI keeps for itself.
        awk '
            /^\/\/ swift-module-flags/ { next }
            inside { if ($0 == "}") inside = 0; next }
            /^@_documentation\(visibility: private\)/ { inside = /{$/; next }
            { print }
        ' "$out/$module.swiftinterface"
    done
}

# Another compiler writes the same API in other words, and another system has another Foundation.
same_swift() {
    local here written
    [ "$(uname -s)" = Linux ] || return 1
    here=$(tests/swift/with-swift swift --version 2>/dev/null)
    written=$(sed -n 's/^.*swift-compiler-version: //p' bindings/api/swift.txt | head -n 1)
    [ -n "$written" ] && [[ $here == *"$written"* ]]
}

for language in "${languages[@]}"; do
    committed=bindings/api/$language.txt
    if [ "$check-$language" = yes-swift ] && ! same_swift; then
        echo "$committed was NOT checked: it is of another Swift, or another system." >&2
        continue
    fi
    "dump_$language" >"$out/$language.txt"
    if [ "$check" = no ]; then
        cp "$out/$language.txt" "$committed"
    elif ! diff --unified "$committed" "$out/$language.txt" >&2; then
        echo "The public API has changed. If it should, run bindings/api.sh $language." >&2
        exit 1
    fi
done
