#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# make-deb.sh FOLDER - builds the Debian packages of what is committed, in FOLDER, and has lintian
# look at them.  FOLDER/*.deb is what one installs.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
version=$(cat VERSION)

for tool in dpkg-buildpackage dh lintian; do
    command -v "$tool" >/dev/null || {
        echo "no $tool here (apt install dpkg-dev debhelper lintian)" >&2
        exit 1
    }
done
rm -rf "$folder"
mkdir -p "$folder/joy-$version"
if git rev-parse --git-dir >/dev/null 2>&1; then
    git archive HEAD | tar -x -C "$folder/joy-$version"
else
    tar -c --exclude=./build --exclude=./dist --exclude=./pcap2flow . |
        tar -x -C "$folder/joy-$version"
fi
cd "$folder/joy-$version"
[ "$(dpkg-parsechangelog -S Version)" = "$version" ] || {
    echo "debian/changelog does not begin with version $version" >&2
    exit 1
}
DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-nocheck}" dpkg-buildpackage -us -uc >../build.log 2>&1 || {
    tail -30 ../build.log
    exit 1
}
cd ..
rm -r "joy-$version"
lintian --fail-on error,warning --info --tag-display-limit 0 ./*.changes
ls -l ./*.deb
