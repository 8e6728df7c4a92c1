# shellcheck shell=bash
# Sourced by rows 4, 5, 7 and 8, after lib.sh.

need_cargo
need_cc
# Apart from the library's own builds: gigabytes of dependencies that nothing else needs.
ldk_node_target=$cache/ldk-node-target

# build_ldk_node WORD...: what cargo is to build of the workspace beside this file.
build_ldk_node() {
    cargo build --quiet --manifest-path "$interop/ldk-node/Cargo.toml" \
        --target-dir "$ldk_node_target" "$@"
}

# What its wallet makes of ldk-node's log.
test_ldk_node() {
    cargo test --quiet --manifest-path "$interop/ldk-node/Cargo.toml" \
        --target-dir "$ldk_node_target" --lib
}

ldk_node_version() { sed -n 's/^ldk-node = "=\(.*\)"$/\1/p' "$interop/ldk-node/Cargo.toml"; }

# ldk_node_bindings FOLDER: what ldk-node's own release scripts generate for Kotlin and Swift, from
# the UDL in the crate and with the generator's version that the crate uses.
ldk_node_bindings() {
    local source
    source=$(cargo metadata --quiet --format-version 1 \
        --manifest-path "$interop/ldk-node/Cargo.toml" |
        grep --only-matching '"manifest_path":"[^"]*/ldk-node-[^"/]*/Cargo.toml"' | cut -d'"' -f4)
    "$ldk_node_target/debug/ldk-node-bindgen" generate "${source%/*}/bindings/ldk_node.udl" \
        --config "${source%/*}/uniffi.toml" --no-format --language kotlin --language swift --out-dir "$1"
}
