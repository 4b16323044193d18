# SPDX-License-Identifier: BSD-3-Clause
"""install-sh as root on this machine, on overlays of its folders that are gone afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

from program import ROOT

from net import Net, needs_root

pytestmark = needs_root

# A mount namespace in which whatever is written to these folders stays in a tmpfs.
PRIVATE = """
set -e
mount -t tmpfs none {scratch}
for folder in etc usr/local var run; do
    own={scratch}/$folder
    mkdir -p $own/new $own/work
    mount -t overlay -o lowerdir=/$folder,upperdir=$own/new,workdir=$own/work none /$folder
done
cd {root}
"""


def privately(scratch: Path, script: str, net: Net) -> str:
    """Run a script of sh with such folders, in a network of its own; what it says."""
    text = PRIVATE.format(scratch=scratch, root=ROOT) + script
    here, _ = net.cable()
    return here.run("unshare", "--mount", "--propagation", "private", "sh", "-c", text).stdout


def test_install_run_uninstall(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key", encoding="utf-8")
    before = subprocess.run(["getent", "passwd"], capture_output=True, check=True).stdout
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    script = f"""
    SERVICE=sysv ./install-sh -k {tmp_path}/key
    SERVICE=sysv ./install-sh
    id -un joy
    stat -c '%U %a %n' /var/lib/joy /var/log/joy /etc/joy/upload.key
    echo 'keyfile = none' >>/etc/joy/joy.cfg
    echo 'interface = eth0' >>/etc/joy/joy.cfg
    /etc/init.d/joy start
    /etc/init.d/joy status
    pid=$(cat /run/joy/pid)
    awk '$1 == "Uid:" {{ print $2 }}' /proc/$pid/status | grep -qx "$(id -u joy)"
    /usr/local/bin/pcap2flow ctl=health
    SERVICE=sysv ./install-sh
    [ "$(cat /run/joy/pid)" != $pid ]
    pid=$(cat /run/joy/pid)
    echo restarted
    SERVICE=sysv ./install-sh -u
    ls /var/lib/joy | wc -l
    [ ! -e /usr/local/bin/pcap2flow ] && [ ! -e /proc/$pid ]
    ./install-sh -u -p
    ! id joy 2>/dev/null && [ ! -e /etc/joy ] && [ ! -e /var/lib/joy ] && [ ! -e /var/log/joy ]
    echo all gone
    """
    with Net() as net:
        said = privately(scratch, script, net).splitlines()
    assert "joy" in said
    assert "joy 750 /var/lib/joy" in said
    assert "joy 750 /var/log/joy" in said
    assert "joy 600 /etc/joy/upload.key" in said
    assert '{"status":"ok"}' in said
    assert "restarted" in said
    assert "2" in said  # a file of each run
    assert said[-1] == "all gone"
    assert subprocess.run(["getent", "passwd"], capture_output=True, check=True).stdout == before
