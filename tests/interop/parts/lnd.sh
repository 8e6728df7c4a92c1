# shellcheck shell=bash
# Sourced by rows, after lib.sh and knots.sh: `start_lnd NAME...` starts an LND for each name on the
# chain, with 50 bitcoins to spend. For the name `service` it exports
#
#   LND_SERVICE_ADDRESS    node_id@host:port
#   LND_SERVICE_REST       https://127.0.0.1:port
#   LND_SERVICE_CERT       the file of its certificate
#   LND_SERVICE_MACAROON   the file of the macaroon that allows everything
#   LND_SERVICE_CLI        a command that asks it, such as `$LND_SERVICE_CLI getinfo`
#
# `start_plain_lnd NAME...` does the same, without TLS: http, and no certificate. `start_empty_lnd NAME...`
# is as that one, and leaves them nothing to spend. All take further options from `lnd_options`.

lnd_version=$(cat "$interop/parts/lnd.version")
lnd_start_limit=180
lnd_scheme=https
lnd_options=()

# The go on the PATH if it is new enough for LND, else Debian's.
find_go() {
    local go root
    if go=$(command -v go) &&
        printf '%s\n' go1.24.11 "$("$go" env GOVERSION)" | sort --version-sort --check=quiet; then
        echo "$go"
        return
    fi
    root=$(cached go "$interop/parts/debian-13" -- "$interop/parts/debian-13" golang-1.26-go) &&
        echo "$root/usr/lib/go-1.26/bin/go"
}

# From the source as Go's module proxy has it; without cgo, so that no C compiler is needed.
build_lnd() {
    local folder=$1 module=github.com/lightningnetwork/lnd go source
    go=$(find_go) &&
        source=$("$go" mod download -json "$module@$lnd_version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') &&
        cd "$source" &&
        CGO_ENABLED=0 nice -n 5 "$go" build -trimpath -ldflags "-s -w" -o "$folder/" ./cmd/lnd ./cmd/lncli
}

lnd=$(cached lnd "$interop/parts/lnd.version" -- build_lnd) || not_run "LND could not be built"

# The features are those of hosts: bLIP-2's, and what older hosts look for.
launch_lnd() {
    local name=$1 variables=LND_${1^^} peers rpc rest options=("${lnd_options[@]}")
    [ "$lnd_scheme" = https ] || options+=(--no-rest-tls)
    peers=$(free_port) rpc=$(free_port) rest=$(free_port)
    start "lnd-$name" "$lnd/lnd" "--lnddir=$work/$name" --noseedbackup --nobootstrap \
        --bitcoin.regtest --bitcoin.node=bitcoind "--bitcoind.rpchost=127.0.0.1:$BITCOIND_RPC_PORT" \
        --bitcoind.rpcuser=interop --bitcoind.rpcpass=interop \
        --bitcoind.rpcpolling --bitcoind.blockpollinginterval=200ms \
        "--listen=127.0.0.1:$peers" "--externalip=127.0.0.1:$peers" \
        "--rpclisten=127.0.0.1:$rpc" "--restlisten=127.0.0.1:$rest" \
        --protocol.custom-init=257 --protocol.custom-init=32973 "${options[@]}"
    export "${variables}_REST=$lnd_scheme://127.0.0.1:$rest" "${variables}_CERT=$work/$name/tls.cert" \
        "${variables}_MACAROON=$work/$name/data/chain/bitcoin/regtest/admin.macaroon" \
        "${variables}_CLI=$(command_file "$name-cli" "$lnd/lncli" "--lnddir=$work/$name" \
            --network=regtest "--rpcserver=127.0.0.1:$rpc")"
}

lnd_cli() {
    local variable=LND_${1^^}_CLI
    shift
    "${!variable}" "$@"
}

# json_field NAME: its first value, of JSON with one field on each line, as lncli prints it.
json_field() { sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1; }

is_synced() { [ "$(lnd_cli "$1" getinfo | json_field synced_to_chain)" = true ]; }

is_funded() { [ "$(lnd_cli "$1" walletbalance | json_field confirmed_balance)" -gt 0 ]; }

lnd_address() { lnd_cli "$1" getinfo | sed -n 's/^ *"\(.*@.*\)".*/\1/p'; }

start_lnd() {
    local name
    for name in "$@"; do launch_lnd "$name"; done
    for name in "$@"; do
        await "lnd-$name" "$lnd_start_limit" is_synced "$name"
        export "LND_${name^^}_ADDRESS=$(lnd_address "$name")"
        "$BITCOIN_CLI" generatetoaddress 1 "$(lnd_cli "$name" newaddress p2wkh | json_field address)" >/dev/null
    done
    # What is mined can be spent after 100 blocks.
    mine 100
    for name in "$@"; do
        await "lnd-$name" "$lnd_start_limit" is_funded "$name"
        await "lnd-$name" "$lnd_start_limit" is_synced "$name"
    done
}

start_plain_lnd() {
    local lnd_scheme=http
    start_lnd "$@"
}

start_empty_lnd() {
    local name lnd_scheme=http
    for name in "$@"; do launch_lnd "$name"; done
    for name in "$@"; do
        await "lnd-$name" "$lnd_start_limit" is_synced "$name"
        export "LND_${name^^}_ADDRESS=$(lnd_address "$name")"
    done
}
