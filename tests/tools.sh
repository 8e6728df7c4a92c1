# shellcheck shell=bash
# What the scripts of the tests need on the machine, installed where it is missing. Sourced.

say() { printf '\n== %s\n' "$*"; }

# What ends a script when a tool cannot be had.
missing() {
    echo "$1 is missing: install it, then run this again." >&2
    exit 1
}

# install WHAT PACKAGE...: Debian packages, where there is apt-get.
install() {
    local what=$1
    shift
    command -v apt-get >/dev/null || missing "$what"
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    say "$what is missing: installing the Debian packages $*, system-wide, with apt-get"
    if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install -y --no-install-recommends "$@"; }; then
        missing "$what"
    fi
}

need_cargo() {
    command -v cargo >/dev/null && return
    # shellcheck source=/dev/null
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    command -v cargo >/dev/null || missing "Rust (from rustup)"
}

# Rust links with a C compiler, and the cryptography of TLS and of the test nodes is built with it.
need_cc() {
    command -v cc >/dev/null || install "A C compiler (cc)" gcc libc6-dev
}

need_java() {
    command -v javac >/dev/null || install "A Java development kit" openjdk-17-jdk-headless
    command -v mvn >/dev/null || install "Maven (mvn)" maven
}

# Those that a build of an app uses. They are in Android's SDK too.
need_android_tools() {
    local tools
    if ! command -v aapt2 >/dev/null && [ -d "${ANDROID_HOME:-}/build-tools" ]; then
        tools=$(find "$ANDROID_HOME/build-tools" -mindepth 1 -maxdepth 1 -type d | sort -V | tail -1)
        PATH=$PATH:$tools
    fi
    command -v aapt2 >/dev/null && command -v apksigner >/dev/null && command -v zipalign >/dev/null &&
        command -v dexdump >/dev/null ||
        install "A tool of Android's SDK (aapt2, apksigner, zipalign or dexdump)" aapt apksigner zipalign dexdump
}

need_npm() {
    command -v node >/dev/null && command -v npm >/dev/null || install "Node.js with npm" nodejs npm
}

# Debian's python3 comes without what `python3 -m venv` needs.
need_python() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || install "Python 3 with venv" python3 python3-venv
}

need_openssl() {
    command -v openssl >/dev/null || install "openssl" openssl
}
