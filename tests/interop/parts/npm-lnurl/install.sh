# shellcheck shell=bash
# Sourced by rows, after lib.sh: `node service.js` then finds the npm package `lnurl`.

need_npm

# The lock file has checksums and no addresses: npm asks the registry that this machine uses.
# No scripts: the one there is builds native code for speed.
install_npm_lnurl() {
    cp "$interop"/parts/npm-lnurl/package*.json "$1"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund)
}

npm_lnurl=$(cached npm-lnurl "$interop/parts/npm-lnurl/package-lock.json" -- install_npm_lnurl) ||
    not_run "npm could not install lnurl"
export NODE_PATH=$npm_lnurl/node_modules

npm_version() { node -p "require('$1/package.json').version"; }
