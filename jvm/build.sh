#!/usr/bin/env bash
# Makes lnurl-channel-jvm, with the native libraries that build-native.sh has built, and lnurl-channel-testing,
# which wallets on Android use too. With the arguments for Maven that are given:
#
#   jvm/build.sh install    into Maven's local repository
#   PROJECT_URL=https://... jvm/build.sh deploy
#                           into target/jvm/bundle, which, zipped, is what Maven Central's portal takes
#   PROJECT_URL=https://... jvm/build.sh -Psign deploy
#                           signed: pom.xml says with which key
set -euo pipefail
cd "$(dirname "$0")/.."

catalogue=android/gradle/libs.versions.toml
version() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$catalogue"; }
options=()
for name in kotlin stdlib coroutines jna dokka; do options+=("-D$name=$(version "$name")"); done
# As Gradle compiles the same sources.
language=$(sed -n 's/^ *languageVersion = KotlinVersion.KOTLIN_\([0-9]*\)_\([0-9]*\)$/\1.\2/p' android/lib/build.gradle.kts)
revision=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
url=${PROJECT_URL:-$(sed -n 's/^lnurlchannel.projectUrl=//p' android/gradle.properties)}

case " $* " in
    *" deploy "*) [[ $url != *.invalid ]] || { echo "Set PROJECT_URL to the project's address." >&2; exit 1; } ;;
esac
[ -n "$(find target/jvm/native -type f 2>/dev/null)" ] ||
    { echo "There is no native library: run jvm/build-native.sh first." >&2; exit 1; }

# Classes whose sources are gone would stay.
rm -rf target/jvm/lnurl-channel-* target/jvm/bundle
exec mvn --batch-mode --no-transfer-progress "${options[@]}" "-Dlanguage=$language" "-Drevision=$revision" \
    "-DprojectUrl=$url" "-DaltDeploymentRepository=bundle::file://$PWD/target/jvm/bundle" \
    --file jvm/pom.xml "$@"
