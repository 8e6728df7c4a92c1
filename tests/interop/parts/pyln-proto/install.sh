# shellcheck shell=bash
# Sourced by rows, after lib.sh: `python3 host.py` then finds the Python package `pyln-proto`.

need_python

# Wheels only: nothing is compiled here.
install_pyln_proto() {
    python3 -m venv "$1" &&
        "$1/bin/python" -m pip install --quiet --no-deps --only-binary :all: \
            --requirement "$interop/parts/pyln-proto/requirements.txt"
}

python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
pyln_proto=$(cached "pyln-proto-python$python" "$interop/parts/pyln-proto/requirements.txt" -- install_pyln_proto) ||
    not_run "pip could not install pyln-proto"
PATH=$pyln_proto/bin:$PATH
