#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# test-systemd.sh DEBS ROOT - boots a clean Debian with systemd and the package of folder DEBS, and
# tries the unit: ready, reload, journal, watchdog, stop, under all that hardens it.
#
# The Debian is that of test-deb.sh (ROOT.tar), which has to run first.  systemd is process 1 of
# namespaces of its own, in a control group of its own; one veth end is its only network.
set -euo pipefail

step() { echo "== $*"; }
fail() {
    echo "test-systemd: $*" >&2
    exit 1
}

# --- process 1, once it is inside its namespaces -------------------------------------------------
boot() {
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount -t proc proc "$1/proc"
    mount -t sysfs sysfs "$1/sys"
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
        mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
    else
        mount -t tmpfs tmpfs "$1/sys/fs/cgroup"
        mkdir "$1/sys/fs/cgroup/systemd" "$1/sys/fs/cgroup/unified"
        mount -t cgroup -o none,name=systemd cgroup "$1/sys/fs/cgroup/systemd"
        mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup/unified"
    fi
    mount -t tmpfs -o mode=755 tmpfs "$1/run"
    mount -t tmpfs tmpfs "$1/tmp"
    ip link set lo up
    cd "$1"
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$1" /lib/systemd/systemd --system --log-target=console --show-status=0
}
if [ "${1:-}" = --boot ]; then
    boot "$2"
fi

# --- outside -------------------------------------------------------------------------------------
[ $# -eq 2 ] || fail "usage: test-systemd.sh DEBS ROOT"
[ "$(id -u)" = 0 ] || fail "needs root"
[ -e "$2.tar" ] || fail "no $2.tar: test-deb.sh makes it"
debs=$(cd "$1" && pwd) root=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")-systemd
tar=$(cd "$(dirname "$2")" && pwd)/$(basename "$2").tar
near=joysd$$a far=joysd$$b group=joy-systemd-$$
init=

groups() {
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
        echo "/sys/fs/cgroup/$group"
    else
        echo "/sys/fs/cgroup/systemd/$group /sys/fs/cgroup/unified/$group"
    fi
}

finish() {
    [ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true
    [ -z "$init" ] || wait 2>/dev/null || true
    ip netns del "$near" 2>/dev/null || true
    ip netns del "$far" 2>/dev/null || true
    for folder in $(groups); do
        find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    rm -rf --one-file-system "$root"
}
trap finish EXIT

# await WORDS COMMAND...: until the command succeeds, 30 s at most
await() {
    words=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    tail -20 "$root.log" >&2
    inside systemctl status joy --no-pager >&2 || true
    fail "$words: not within 30 s"
}

inside() { nsenter -t "$init" -m -p -n -C -u -i chroot "$root" "$@"; }
property() { inside systemctl show -p "$1" --value joy; }
is() { [ "$(property "$1")" = "$2" ]; }
said() { inside journalctl -u joy -o cat --no-pager "$@"; }

step "a clean Debian with systemd and the package"
mkdir "$root"
tar -C "$root" -xf "$tar"
mkdir "$root/debs"
cp "$debs"/joy_*.deb "$root/debs/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # nothing starts in a chroot
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" sh -ec 'export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends systemd-sysv dbus /debs/joy_*.deb' \
    >"$root.log" 2>&1 || fail "see $root.log"
[ "$(chroot "$root" systemctl is-enabled joy)" = enabled ] || fail "the unit is not enabled"
mkdir "$root/etc/systemd/system/joy.service.d"
cat >"$root/etc/systemd/system/joy.service.d/test.conf" <<'END'
[Service]
WatchdogSec=2
RestartSec=0
ExecStart=
ExecStart=/usr/bin/pcap2flow -x /etc/joy/joy.cfg control=/run/joy/control verbosity=2 exe=1
END

step "boot"
ip netns add "$near"
ip netns add "$far"
ip -n "$near" link add joy0 type veth peer name joy1 netns "$far"
ip -n "$near" addr add 10.99.97.1/24 dev joy0
ip -n "$far" addr add 10.99.97.2/24 dev joy1
ip -n "$near" link set joy0 up
ip -n "$far" link set joy1 up
for folder in $(groups); do mkdir "$folder"; done
(
    for folder in $(groups); do echo "$BASHPID" >"$folder/cgroup.procs"; done
    exec ip netns exec "$near" unshare --cgroup --mount --pid --uts --ipc --fork --kill-child \
        "$0" --boot "$root"
) >"$root.log" 2>&1 </dev/null &
outer=$!
for _ in $(seq 100); do
    init=$(pgrep -P "$outer" || true)
    [ -z "$init" ] || break
    sleep 0.1
done
[ -n "$init" ] || fail "systemd does not start: $root.log"
await "the service is active" is ActiveState active
is StatusText Capturing || fail "it does not say that it captures"
pid=$(property MainPID)
status=$(inside cat "/proc/$pid/status")
echo "$status" | grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):'
echo "$status" | grep -Eq '^CapEff:\s*0+$' || fail "it has capabilities"
said | grep -q 'sandbox: system calls filtered, writing only below /var/lib/joy' ||
    fail "it is not in its sandbox"

step "capture, questions, reload, journal"
ip netns exec "$far" ping -q -c 3 -i 0.1 10.99.97.1 >/dev/null
await "packets are counted" sh -c "nsenter -t $init -m -p -n -C -u -i chroot $root \
    pcap2flow ctl=stats | grep -Eq '\"packets\":([6-9]|[0-9]{2,})'"
inside systemctl reload joy
await "the lists are read again" sh -c "nsenter -t $init -m -p -n -C -u -i chroot $root \
    journalctl -u joy -o cat -p info --no-pager | grep -q 'lists were read again'"
said -p warning | grep -q 'lists were read again' && fail "the journal has no priorities"

step "watchdog: a sensor that hangs is started again"
restarts=$(property NRestarts)
inside sh -c "kill -STOP $pid"
await "it was started again" is NRestarts "$((restarts + 1))"
await "the service is active again" is ActiveState active
[ "$(property MainPID)" != "$pid" ] || fail "the process is the same"

step "stop"
inside systemctl stop joy
is Result success || fail "it did not end in order"
tail -qn 1 "$root"/var/lib/joy/*.json | grep -q '"summary"' || fail "no summary was written"
[ -z "$(inside sh -c 'ls /run/joy 2>/dev/null')" ] || fail "something is left in /run/joy"
step "systemd: ready, reload, journal, watchdog, stop: all is well"
