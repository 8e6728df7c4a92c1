#!/usr/bin/env bash
# Writes the Swift package that is taken by its address. SwiftPM wants the manifest at the root of a repository, and
# real files rather than links, so that a release goes to a repository of its own:
#
#   ios/package.sh FOLDER PROJECT_URL VERSION CHECKSUM
#
# FOLDER       a clone of that repository, whose files are replaced, or a folder that is made
# PROJECT_URL  where this project is, such as https://example.org/lnurl-channel; the release has the zip
# VERSION      such as 0.2.0, without the v of the tag
# CHECKSUM     of LnurlChannelFFI.xcframework.zip, as ios/build-xcframework.sh prints it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# = 4 ] || usage
folder=$1 project=$2 version=$3 checksum=$4
like() { grep --quiet --line-regexp --extended-regexp "$1" <<<"$2" || usage; }
like 'https://[A-Za-z0-9._~/-]+' "$project"
like '[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?' "$version"
like '[0-9a-f]{64}' "$checksum"

mkdir -p "$folder"
others=$(find "$folder" -mindepth 1 -maxdepth 1 ! -name .git)
if [ -n "$others" ] && ! grep -qs 'name: "LnurlChannel"' "$folder/Package.swift"; then
    echo "$folder holds something else than this package." >&2
    exit 1
fi
find "$folder" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +

zip="$project/releases/download/v$version/LnurlChannelFFI.xcframework.zip"
sed -e '/^\/\/ The package/d' \
    -e "s|^// one that is.*|// Written by ios/package.sh of $project, for version $version.|" \
    -e "s|path: \"build/LnurlChannelFFI.xcframework\"|url: \"$zip\", checksum: \"$checksum\"|" \
    "$here/Package.swift" >"$folder/Package.swift"
# The links, followed.
cp -RL "$here/Sources" "$folder/Sources"
cp "$here/../LICENSE" "$folder/"
cat >"$folder/README.md" <<README
# lnurl-channel, for Swift

Turns a scanned LNURL into an incoming Lightning channel. This repository holds the Swift package of
[lnurl-channel]($project), version $version, as its release wrote it. Documentation, changes and issues are
[there]($project); the guide for iOS is [docs/ios.md]($project/blob/v$version/docs/ios.md).

Add this repository's address in Xcode, or in a manifest:

\`\`\`swift
.package(url: "…", from: "$version")
\`\`\`

Products: \`LnurlChannel\`, and \`LnurlChannelTesting\` with fakes for the app's own tests. It needs iOS 15, macOS 13 or
Mac Catalyst 15, and Swift 6.

The native part is a binary, [built from the same sources]($zip); its checksum stands in the manifest.

Licence: MIT or Apache-2.0.
README
