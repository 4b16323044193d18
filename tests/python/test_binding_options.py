# SPDX-License-Identifier: BSD-3-Clause
"""Options as keyword arguments: every kind of value, wrong ones, and those that make no sense."""

from __future__ import annotations

import inspect
import re
import subprocess
from pathlib import Path

import joy
import pytest
from joy import _joy, keywords
from kit import ROOT


def value_of(name: str, value: object) -> str | None:
    """What the library has after the keyword was applied."""
    handle = _joy.Handle()
    keywords.apply(handle, {name: value})
    return handle.get(name)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("tls", True, "1"),
        ("tls", False, "0"),
        ("community_id", False, "0"),
        ("entropy", 1, "1"),
        ("hd", True, "1"),
        ("hd", 12, "12"),
        ("num_pkts", 0, "0"),
        ("num_pkts", 7.0, "7"),
        ("idle_timeout", 30, "30"),
        ("idle_timeout", 0.25, "0.25"),
        ("idle_timeout", 1.5e-3, "0.0015"),
        ("memory", "64M", "64M"),
        ("memory", 64 << 20, "64M"),
        ("tunnel", "outer", "outer"),
        ("bpf", "tcp port 443", "tcp port 443"),
        ("bpf", None, "none"),
        ("cdist", Path("bins.txt"), "bins.txt"),
        ("features", ["dist", "stats"], "dist,stats"),
        ("features", "all", "all"),
        ("label", ["a:x", "b:y"], "a:x\nb:y"),
        ("label", "a:x", "a:x"),
        ("geoip", [Path("c.mmdb")], "c.mmdb"),
        ("watch", [], "none"),
    ],
)
def test_every_kind_of_value(name: str, value: object, kept: str) -> None:
    assert value_of(name, value) == kept


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("num_pkts", -1, "num_pkts=-1: must be a whole number from 0"),
        ("num_pkts", "many", "num_pkts=many: must be"),
        ("num_pkts", 1.5, "num_pkts=1.5: must be"),
        ("num_pkts", [1, 2], "'num_pkts' takes one value, not a list"),
        ("tls", "perhaps", "tls=perhaps: must be 0 or 1"),
        ("tls", {}, "'tls' takes 0|1, not a value of type dict"),
        ("tunnel", "middle", "inner or outer"),
        ("idle_timeout", 1e-10, "idle_timeout"),
        ("idle_timeout", float("nan"), "idle_timeout=nan"),
        ("bpf", "a\0b", "zero byte"),
        ("memory", "1", "memory"),
    ],
)
def test_wrong_values_say_what_is_right(name: str, value: object, words: str) -> None:
    with pytest.raises(joy.UsageError, match=re.escape(words)) as raised:
        value_of(name, value)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("function", "keyword", "near"),
    [
        ("read", "entrpy", "entropy"),
        ("read", "colums", "columns"),
        ("read", "bider", "bidir"),
        ("live", "snaplne", "snaplen"),
        ("schema", "fingerprints", "fingerprint"),
    ],
)
def test_an_unknown_option_names_the_nearest(function: str, keyword: str, near: str) -> None:
    arguments = ["x"] if function != "schema" else []
    words = f"{function}() got an unexpected keyword argument '{keyword}'; did you mean '{near}'?"
    with pytest.raises(TypeError, match=re.escape(words)):
        getattr(joy, function)(*arguments, **{keyword: 1})


def test_an_option_like_no_other_gets_no_hint() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'zzzzzzzzzz'$"):
        joy.read("x", zzzzzzzzzz=1)


@pytest.mark.parametrize(
    ("function", "keyword", "reason"),
    [
        ("read", "output", "records go to the caller"),
        ("read", "count", "records go to the caller"),
        ("read", "upload", "records go to the caller"),
        ("live", "rotate", "records go to the caller"),
        ("read", "daemon", "as a service"),
        ("live", "username", "as a service"),
        ("read", "help", "print something"),
        ("read", "print", "print something"),
        ("read", "anon_check", "print something"),
        ("read", "interface", "joy.live"),
        ("read", "promisc", "joy.live"),
        ("schema", "ring", "joy.live"),
    ],
)
def test_options_that_make_no_sense_say_why(function: str, keyword: str, reason: str) -> None:
    arguments = ["x"] if function != "schema" else []
    with pytest.raises(TypeError, match=rf"takes no option '{keyword}': .*{reason}"):
        getattr(joy, function)(*arguments, **{keyword: 1})


def test_own_arguments_are_checked() -> None:
    for wrong in (
        {"damaged": "maybe"},
        {"addresses": "int"},
        {"batch_rows": 0},
        {"batch_bytes": -1},
        {"columns": []},
    ):
        with pytest.raises(joy.UsageError):
            joy.read("x", **wrong)
    with pytest.raises(joy.UsageError, match="no input"):
        joy.read([])


def test_the_table_is_that_of_the_program() -> None:
    """The program's own help, and what options of a few kinds are known to be."""
    text = (ROOT / "doc/options.md").read_text()
    assert set(keywords.table()) == set(re.findall(r"^\| `(\w+)=", text, re.MULTILINE))
    table = keywords.table()
    idle = table["idle_timeout"]
    assert (idle.type, idle.default, idle.minimum, idle.maximum) == (
        "seconds",
        "120",
        0.001,
        31536000,
    )
    assert (table["hd"].on, table["hd"].default, table["hd"].value) == ("16", "0", "N")
    assert table["tunnel"].choices == ("inner", "outer")
    assert table["keyfile"].flags == {"file", "place", "secret"}
    assert table["label"].flags == {"file", "repeat", "reloadable"}
    assert table["bpf"].default is None
    assert table["memory"].maximum is None
    assert table["num_pkts"].maximum == 2**32 - 1
    uses = {name: table[name].use for name in ("tls", "promisc", "output", "daemon", "help")}
    assert list(uses.values()) == ["flows", "live", "output", "service", "command"]


def test_options_are_those_that_are_taken() -> None:
    listed = {o.name: o for o in joy.options()}
    assert {"bidir", "tls", "label", "promisc"} <= set(listed)
    assert not {"interface", "output", "help", "daemon"} & set(listed)
    assert listed["entropy"].help == "give the entropy of byte values"
    flows = [n for n, o in listed.items() if o.use == "flows"]
    keywords.check("read", flows)
    keywords.check("live", listed)


def test_every_default_goes_round() -> None:
    for option in joy.options():
        if option.default is not None:
            assert value_of(option.name, option.default) == _joy.Handle().get(option.name)


def test_types_are_written_for_every_option() -> None:
    """The stub of keyword arguments has them all; `make docs` writes it."""
    text = (ROOT / "python/joy/_options.pyi").read_text()
    stub = set(re.findall(r"^    (\w+): ", text, re.MULTILINE))
    assert stub | {"bidir"} == {o.name for o in joy.options()}
    assert {"bidir", "bpf"} <= set(inspect.signature(joy.read).parameters)


def test_explain() -> None:
    assert "Shannon entropy of byte_dist" in joy.explain("entropy")
    assert "ip.out.ttl" in joy.explain("ip")
    with pytest.raises(joy.UsageError, match="'entrpy': the nearest is 'entropy'"):
        joy.explain("entrpy")


def test_version_is_that_of_the_program() -> None:
    assert joy.__version__ == (ROOT / "VERSION").read_text().strip()


def test_importing_needs_no_other_package() -> None:
    """The reading part works without pyarrow and the packages of the command."""
    code = (
        "import joy, sys; joy.options(); assert not {'pyarrow', 'duckdb', 'rich', 'typer', "
        "'pandas', 'polars', 'matplotlib', 'numpy'} & set(sys.modules)"
    )
    command = ["python3", "-c", code]
    subprocess.run(command, check=True, env={"PYTHONPATH": "python", "PATH": "/usr/bin"}, cwd=ROOT)
