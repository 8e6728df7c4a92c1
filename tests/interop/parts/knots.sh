# shellcheck shell=bash
# Sourced by rows, after lib.sh: `start_chain` starts a bitcoind in regtest mode, and exports
#
#   BITCOIN_CLI         a command that asks it, such as `$BITCOIN_CLI getblockcount`
#   BITCOIND_RPC_PORT   where it answers on 127.0.0.1, to the user and password `interop`

# The bitcoind on the PATH if there is one, else Debian's Bitcoin Knots, which runs with the C
# library that it was built for, through that one's own loader.
if bitcoind=$(command -v bitcoind) && bitcoin_cli=$(command -v bitcoin-cli); then
    bitcoin_loader=()
else
    knots=$(cached knots "$interop/parts/debian-13" -- "$interop/parts/debian-13" bitcoin-knots) ||
        not_run "apt could not fetch bitcoin-knots"
    bitcoind=$knots/usr/bin/bitcoind
    bitcoin_cli=$knots/usr/bin/bitcoin-cli
    bitcoin_loader=("$knots"/usr/lib*/ld-linux-*.so.* --library-path "$knots"/usr/lib/*-linux-gnu)
fi

# Such as `Bitcoin Knots v29.5.0`.
chain_version() {
    "${bitcoin_loader[@]}" "$bitcoind" --version | sed -n '1s/ daemon version / /p'
}

# Below the range that systems give to outgoing connections.
free_port() {
    local port
    while
        port=$((15000 + RANDOM % 15000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null
    do :; done
    echo "$port"
}

# command_file NAME WORD...: a command in a file, for other programs to call with more words.
command_file() {
    local file=$work/$1
    shift
    { printf '#!/bin/sh\nexec'; printf ' "%s"' "$@"; printf ' "$@"\n'; } >"$file"
    chmod +x "$file"
    echo "$file"
}

# mine BLOCKS: to a script that anybody may spend from.
mine() { "$BITCOIN_CLI" generatetodescriptor "$1" "raw(51)" >/dev/null; }

start_chain() {
    BITCOIND_RPC_PORT=$(free_port)
    local common=(-regtest "-datadir=$work/chain" "-rpcport=$BITCOIND_RPC_PORT" -rpcuser=interop -rpcpassword=interop)
    BITCOIN_CLI=$(command_file bitcoin-cli "${bitcoin_loader[@]}" "$bitcoin_cli" "${common[@]}")
    export BITCOIND_RPC_PORT BITCOIN_CLI
    mkdir "$work/chain"
    start bitcoind "${bitcoin_loader[@]}" "$bitcoind" "${common[@]}" -server -listen=0
    await bitcoind 60 "$BITCOIN_CLI" getblockcount
    # Nodes wait for a block that is not old.
    mine 1
}
