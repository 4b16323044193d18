#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# test-deb.sh DEBS ROOT - installs the package of folder DEBS in a clean Debian in folder ROOT, lets
# the service capture, and purges it; says what went wrong, and exits 1.
#
# The clean Debian is made by debootstrap once and kept as ROOT.tar.  Installation and traffic are
# in network namespaces of their own, joined by a veth pair; the rest in a process and a mount
# namespace, so that nothing is left running.  There is no systemd in a chroot: the init script
# starts the service.
set -euo pipefail

step() { echo "== $*"; }
fail() {
    echo "test-deb: $*" >&2
    exit 1
}

# What the traffic is made of: datagrams to a port that nobody has, from the other side.
talk() {
    ip netns exec "$1" python3 - <<'END'
import socket

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(50):
    try:
        s.sendto(b"x" * (n + 1), ("10.99.98.1", 4711))
    except ConnectionRefusedError:
        pass
END
}

# --- inside the namespaces: one network interface, and the processes of the chroot alone ---------
in_root() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive "$@"
}

sensor() { in_root sh -c 'cat /run/joy/pid 2>/dev/null' || true; }

status_of() { awk -v name="$2:" '$1 == name { print $2 }' "$root/proc/$1/status"; }

ask() { in_root pcap2flow "ctl=$1"; }

# await WORDS COMMAND...: until the command succeeds, 20 s at most
await() {
    words=$1
    shift
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    in_root sh -c 'cat /var/log/joy/joy.log' >&2 || true
    fail "$words: not within 20 s"
}

packets_counted() { ask stats | grep -Eq '"packets":([5-9][0-9]|[0-9]{3,})'; }
record_written() { grep -qs '"sa":"10.99.98.2".*"dp":4711' "$root"/var/lib/joy/*.json; }

# Without what dpkg, apt and adduser keep for themselves.
all_files() {
    find "$root" -xdev \( -path "$root/proc" -o -path "$root/var/lib/dpkg" -o \
        -path "$root/var/cache" -o -path "$root/var/log/apt" -o -path "$root/var/lib/apt" -o \
        -path "$root/run/adduser" -o -path "$root/etc/*-" \) -prune -o -print | LC_ALL=C sort
}

inside() {
    root=$1 peer=$2
    mount -t proc proc "$root/proc"
    ip link set lo up
    printf '#!/bin/sh\nexit 0\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"

    step "install what the package needs"
    in_root sh -c 'apt-get install -y -qq --no-install-recommends $(cat /debs/depends)' \
        >"$root.log" 2>&1 || fail "the dependencies do not install: $root.log"
    all_files >"$root.before"
    cp "$root/etc/passwd" "$root.passwd"

    step "install, which starts the service"
    in_root sh -c 'dpkg -i /debs/joy_*.deb' >>"$root.log" 2>&1 || {
        tail -20 "$root.log"
        fail "the package does not install"
    }
    await "the service runs" test -s "$root/run/joy/pid"
    pid=$(sensor)
    [ "$(status_of "$pid" Uid)" = "$(in_root id -u joy)" ] || fail "it does not run as user joy"
    [ "$(status_of "$pid" CapEff)" = 0000000000000000 ] || fail "it has capabilities"
    [ "$(status_of "$pid" Seccomp)" = 2 ] || fail "it has no filter for system calls"
    [ "$(status_of "$pid" NoNewPrivs)" = 1 ] || fail "it may get new privileges"

    step "capture"
    talk "$peer"
    await "50 packets are counted" packets_counted
    ask flows | head -3
    ask health
    ask rotate

    step "reload and restart"
    in_root /etc/init.d/joy reload
    in_root /etc/init.d/joy status
    in_root /etc/init.d/joy restart
    [ "$(sensor)" != "$pid" ] || fail "restart has left the old process"
    record_written || fail "the flow has no record in /var/lib/joy"
    in_root sh -c 'ls -l /var/lib/joy'

    step "remove: stopped, records and settings stay"
    in_root dpkg -r joy >>"$root.log" 2>&1
    [ ! -e "$root/usr/bin/pcap2flow" ] || fail "the program is still there"
    [ -z "$(pgrep -x pcap2flow || true)" ] || fail "the service is still running"
    [ -e "$root/etc/joy/joy.cfg" ] || fail "the settings are gone"
    record_written || fail "the records are gone"

    step "purge: nothing is left"
    in_root dpkg -P joy >>"$root.log" 2>&1
    all_files | diff "$root.before" - >"$root.diff" || {
        cat "$root.diff"
        fail "files are left, or gone"
    }
    ! grep -q '^joy:' "$root/etc/passwd" || fail "user joy is left"
    step "install, start, capture, restart, remove, purge: all is well"
}

# --- outside -------------------------------------------------------------------------------------
if [ "${1:-}" = --inside ]; then
    inside "$2" "$3"
    exit 0
fi
[ $# -eq 2 ] || fail "usage: test-deb.sh DEBS ROOT"
[ "$(id -u)" = 0 ] || fail "needs root"
for tool in debootstrap ip unshare python3; do
    command -v $tool >/dev/null || fail "no $tool here"
done
ls "$1"/joy_*.deb >/dev/null 2>&1 || fail "no package in $1: make deb"
mkdir -p "$(dirname "$2")"
debs=$(cd "$1" && pwd) root=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
sensor_net=joydeb$$a peer_net=joydeb$$b

finish() {
    ip netns del "$sensor_net" 2>/dev/null || true
    ip netns del "$peer_net" 2>/dev/null || true
    rm -rf --one-file-system "$root" "$root.before" "$root.diff" "$root.passwd"
}
trap finish EXIT

if [ ! -e "$root.tar" ]; then
    step "debootstrap"
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || fail "see $root.log"
    tar -C "$root" -cf "$root.tar.new" . && mv "$root.tar.new" "$root.tar"
    rm -rf --one-file-system "$root"
fi
mkdir "$root"
tar -C "$root" -xf "$root.tar"
mkdir "$root/debs"
cp "$debs"/joy_*.deb "$root/debs/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf; do
    [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"
done
step "download what the package needs"
chroot "$root" sh -ec '
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends --download-only /debs/joy_*.deb >/dev/null
    apt-get install -s --no-install-recommends /debs/joy_*.deb |
        sed -n "s/^Inst \([^ ]*\) .*/\1/p" | grep -vx joy >/debs/depends
' || fail "the Debian mirror cannot be reached"

ip netns add "$sensor_net"
ip netns add "$peer_net"
ip -n "$sensor_net" link add joy0 type veth peer name joy1 netns "$peer_net"
ip -n "$sensor_net" addr add 10.99.98.1/24 dev joy0
ip -n "$peer_net" addr add 10.99.98.2/24 dev joy1
ip -n "$sensor_net" link set joy0 up
ip -n "$peer_net" link set joy1 up
ip netns exec "$sensor_net" unshare --mount --pid --fork --kill-child \
    "$0" --inside "$root" "$peer_net"
