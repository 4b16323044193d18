# SPDX-License-Identifier: BSD-3-Clause
"""What README.md shows is what the program says, and what it links to is there."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from program import ROOT, pcap2flow

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("doc/*.md")])


def test_record() -> None:
    text = (ROOT / "README.md").read_text()
    command, shown = re.search(r"`\./pcap2flow ([^`]+)`:\n\n```json\n(.*?)```", text, re.S).groups()
    run = pcap2flow(*shlex.split(command), cwd=ROOT)
    assert json.loads(shown) in run.records


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert "://" in target or (document.parent / target).exists(), target
