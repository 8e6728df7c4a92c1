# shellcheck shell=bash
# What the rows have in common. Sourced by `row-N/run`, which sets `row` before.
#
# Every part that `start` has started is stopped when the row ends, however it ends: in reverse order,
# with SIGTERM, and with SIGKILL if that was not enough. If the row fails, what they said is shown.
set -euo pipefail

interop=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=$(cd "$interop/../.." && pwd)
# Downloaded and built parts. Nothing in it has to be there: what is missing is made again.
cache="${XDG_CACHE_HOME:-$HOME/.cache}/lnurl-channel/interop"
# This run's own files, gone when it ends.
work=$(mktemp -d)
mkdir -p "$cache"
names=()
pids=()

# shellcheck source=../../tools.sh
. "$root/tests/tools.sh"

# passed SERVICE NODE WALLET PROVED
passed() { printf 'row %s: passed: %s · %s · %s · %s\n' "$row" "$@" >"$work/verdict"; }

not_run() {
    printf 'row %s: not run: %s\n' "$row" "$*" >"$work/verdict"
    exit 77
}

missing() { not_run "$1 is missing"; }

# start NAME COMMAND...: a part that runs until the row ends; what it says goes to $work/NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 </dev/null &
    names+=("$name")
    pids+=($!)
}

# follow COMMAND...: a program that ends by itself, and decides the row. A signal stops it too.
follow() {
    "$@" &
    names+=("")
    pids+=($!)
    wait $!
}

# await NAME SECONDS COMMAND...: until the command succeeds, while the part lives.
await() {
    local name=$1 limit=$((SECONDS + $2)) i
    shift 2
    until "$@" >/dev/null 2>&1; do
        for i in "${!names[@]}"; do
            [ "${names[i]}" != "$name" ] || kill -0 "${pids[i]}" 2>/dev/null || {
                echo "$name has ended" >&2
                return 1
            }
        done
        if [ "$SECONDS" -ge "$limit" ]; then
            echo "$name is not ready in time: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}

# cached NAME KEY-FILE... -- COMMAND...: the folder that the command has filled, made once for these
# very files and machine. The command is given the folder's path; an interrupted one is made anew.
cached() {
    local name=$1 files=()
    shift
    while [ "$1" != -- ]; do files+=("$1"); shift; done
    shift
    local key folder
    key=$({ uname -sm; cat "${files[@]}"; } | cksum | cut -d' ' -f1)
    folder=$cache/$name-$key
    if [ ! -d "$folder" ]; then
        local making
        making=$(mktemp -d "$cache/$name.XXXXXX")
        if ! "$@" "$making" >&2; then
            rm -rf "$making"
            return 1
        fi
        # Another run may have made it meanwhile.
        if [ -d "$folder" ]; then rm -rf "$making"; else mv "$making" "$folder"; fi
    fi
    printf '%s\n' "$folder"
}

# A certificate for localhost that is its own authority: $work/cert.pem and $work/key.pem.
certificate() {
    need_openssl
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "/CN=interop" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
        -addext "basicConstraints=critical,CA:FALSE" \
        -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
}

# The version of a crate, as Cargo.lock has it.
crate_version() {
    awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/.* = |"/, ""); print; exit }' "$root/Cargo.lock"
}

# stop_part PID: SIGTERM, and SIGKILL after twenty seconds.
stop_part() {
    kill -TERM "$1" 2>/dev/null || return 0
    local tries=0
    while kill -0 "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 200 ] || kill -KILL "$1" 2>/dev/null || true
        sleep 0.1
    done
}

# stop NAME...: parts that the row needs no more.
stop() {
    local name i
    for name in "$@"; do
        for i in "${!names[@]}"; do
            [ "${names[i]}" != "$name" ] || { stop_part "${pids[i]}"; unset "names[i]" "pids[i]"; }
        done
    done
}

finish() {
    local code=$? i
    trap - EXIT
    trap '' INT TERM
    pids=("${pids[@]}")
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop_part "${pids[i]}"; done
    if [ "$code" != 0 ] && [ "$code" != 77 ]; then
        for i in "${names[@]}"; do
            [ -z "$i" ] || { echo "-- the last lines of $i:"; tail -n 40 "$work/$i.log"; }
        done
    fi
    case "$code" in 0 | 77) [ ! -f "$work/verdict" ] || cat "$work/verdict" ;; esac
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
