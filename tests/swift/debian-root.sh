#!/usr/bin/env bash
# Makes the Debian 13 root folder that holds Swift, for Debian systems that have none, and prints
# where it is. Once: a folder that is whole is left as it is, one that was interrupted is made anew.
# Nothing of it goes into the system but the package debootstrap.
set -euo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/lnurl-channel"
root="$cache/debian-13-swift"
packages=(swiftlang libc6-dev libstdc++-14-dev)

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# shellcheck source=/dev/null
release() { (. /etc/os-release && echo "${!1:-}"); }

# The mirror that this system's own release comes from; no other is assumed.
mirror() {
    local codename
    codename=$(release VERSION_CODENAME)
    # shellcheck disable=SC2016 # apt fills these in
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' |
        awk -v release="$codename" '$1 == release { print $2; exit }'
}

# All of it in a mount namespace of its own: whatever is interrupted, no mount is left behind.
as_root_in_namespace() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo --preserve-env=http_proxy)
    "${as_root[@]}" unshare --mount --propagation private -- "$@" >&2
}

if [ -d "$root" ]; then
    echo "$root"
    exit
fi

if [ ! -r /etc/os-release ] || [ "$(release ID)" != debian ]; then
    fail "There is no swift on the PATH. Install Swift 6, then run this again."
fi
url=$(mirror)
[ -n "$url" ] || fail "apt's configuration names no mirror of this Debian release; cannot fetch Swift."

mkdir -p "$cache"
exec 9>"$cache/debian-13-swift.lock"
flock 9
if [ -d "$root" ]; then
    echo "$root"
    exit
fi

say "There is no swift on the PATH. Setting one up, once:"
say "  what   Debian 13 (trixie) with ${packages[*]}; fetches about 500 MB, takes 2.6 GB"
say "  where  $root (delete the folder to be rid of it)"
say "  from   $url"
if ! command -v debootstrap >/dev/null; then
    say "  and the package debootstrap, system-wide, with apt-get"
    as_root_in_namespace apt-get update
    as_root_in_namespace apt-get install -y --no-install-recommends debootstrap
fi

# apt's own proxy is used by debootstrap and inside the folder too.
proxy=
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "$proxy" ] || export http_proxy="$proxy"

partial="$root.partial"
# shellcheck disable=SC2016 # expanded by the inner shell
as_root_in_namespace bash -euc '
    partial=$1 url=$2
    shift 2
    rm -rf --one-file-system "$partial"
    debootstrap --variant=minbase trixie "$partial" "$url"
    mount --rbind /proc "$partial/proc"
    export DEBIAN_FRONTEND=noninteractive
    chroot "$partial" apt-get update
    chroot "$partial" apt-get install -y --no-install-recommends "$@"
    chroot "$partial" apt-get clean
    chroot "$partial" swift --version
' bash "$partial" "$url" "${packages[@]}"

# The last step, and one that cannot be half done.
as_root_in_namespace mv "$partial" "$root"
echo "$root"
