#!/usr/bin/env bash
# Compiles the Swift bindings and their fakes, and leaves the interface of each module in the folder that is
# named. Called by ../api.sh, where Swift is.
set -euo pipefail
out=$1
# The order of the files is that of the interface.
export LC_ALL=C

for module in UIKit BackgroundTasks; do
    swiftc -swift-version 6 -parse-as-library -emit-module -module-name "$module" \
        -emit-module-path "$out/$module.swiftmodule" "tests/swift/stubs/$module.swift"
done
for module in LnurlChannel LnurlChannelTesting; do
    # Without library evolution there is no interface; that Foundation was built without it does not matter here.
    swiftc -swift-version 6 -parse-as-library -suppress-warnings -enable-library-evolution \
        -no-verify-emitted-module-interface -emit-module -module-name "$module" -I "$out" \
        -emit-module-path "$out/$module.swiftmodule" \
        -emit-module-interface-path "$out/$module.swiftinterface" \
        -Xcc -fmodule-map-file=bindings/swift/LnurlChannelFFI/module.modulemap bindings/swift/"$module"/*.swift
done
