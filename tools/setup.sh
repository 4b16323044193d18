#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# setup.sh GROUP... - install what is missing of a group: build, python, test, fuzz, deb, fixtures,
# fmt, peers.
#
# For Debian 12, Ubuntu 22.04 and later.  Asks nothing.  When all is there it does nothing and needs
# no rights; else it calls apt-get, through sudo when not root.
set -euo pipefail

# One line each: what to look for (program, file, Python module, header of Python, pkg-config
# module), its package.
GROUP_build='
gcc: gcc
make: make
pkg-config: pkg-config
python3: python3
/usr/include/zlib.h: zlib1g-dev
/usr/include/openssl/evp.h: libssl-dev
/usr/include/xxhash.h: libxxhash-dev
/usr/include/pcap/pcap.h: libpcap-dev
/usr/include/zstd.h: libzstd-dev
/usr/include/lzma.h: liblzma-dev
/usr/include/brotli/decode.h: libbrotli-dev
/usr/include/bpf/libbpf.h: libbpf-dev
/usr/include/seccomp.h: libseccomp-dev
pc:libmaxminddb: libmaxminddb-dev
clang: clang
/usr/include/stdio.h: libc6-dev'

GROUP_python='
python3: python3
header:Python.h: python3-dev
module:ensurepip: python3-venv'

GROUP_test='
header:Python.h: python3-dev
/usr/include/cmocka.h: libcmocka-dev
tshark: tshark
mandoc: mandoc
zstd: zstd
xz: xz-utils
git: git
zsh: zsh
ip: iproute2
tcpreplay: tcpreplay
/usr/sbin/sshd: openssh-server
ssh: openssh-client
module:ensurepip: python3-venv'

GROUP_fuzz='
clang: clang'

GROUP_deb='
dpkg-buildpackage: dpkg-dev
dh: debhelper
lintian: lintian
debootstrap: debootstrap
ip: iproute2
/usr/include/cmocka.h: libcmocka-dev'

GROUP_peers='
nfpcapd: nfdump
argus: argus-server
softflowd: softflowd
ndpiReader: libndpi-bin
pmacctd: pmacct
tshark: tshark
module:ensurepip: python3-venv'

GROUP_fmt='
clang-format: clang-format'

GROUP_fixtures='
ip: iproute2
tcpdump: tcpdump
curl: curl
nginx: nginx-light
openssl: openssl
/usr/sbin/sshd: openssh-server
ssh: openssh-client
named: bind9
dig: bind9-dnsutils
dnsmasq: dnsmasq-base
udhcpc: udhcpc
ping: iputils-ping
capinfos: wireshark-common
chromium: chromium'

present() {
    case $1 in
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    module:*) python3 -c "import ${1#module:}" 2>/dev/null ;;
    header:*) # of the python3 that is used
        python3 -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), sys.argv[1])))' \
            "${1#header:}" 2>/dev/null ;;
    /*) [ -e "$1" ] ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
    esac
}

missing=()
for group in "$@"; do
    list=GROUP_$group
    [ -n "${!list:-}" ] || { echo "setup.sh: no group '$group'" >&2; exit 2; }
    while read -r line; do
        [ -n "$line" ] || continue
        what=${line%: *} package=${line##*: }
        present "$what" || missing+=("$package")
    done <<<"${!list}"
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "setup.sh: missing: ${missing[*]}"
command -v apt-get >/dev/null || {
    echo "setup.sh: no apt-get here; please install these yourself" >&2
    exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup.sh: needs root or sudo to install" >&2; exit 1; }
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
install=(apt-get install -y -qq --no-install-recommends)
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" "${missing[@]}"
