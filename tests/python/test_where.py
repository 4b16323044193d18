# SPDX-License-Identifier: BSD-3-Clause
"""The language of --where and --select: trees, faults with their places, and what matches.

What matches is held against a slow reading of the language over Python's own objects, and for some
conditions against what a person says.
"""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from joy import vocabulary, where
from joy.errors import UsageError
from joy.where import And, Compare, Item, Not, Or, Pick

# --- trees ---------------------------------------------------------------------------------------
TREES = {
    "dp=443": Compare(("dp",), "=", "443"),
    " dp = 443 ": Compare(("dp",), "=", "443"),
    "dp==443": Compare(("dp",), "=", "443"),
    "dp!=443": Compare(("dp",), "~", "443"),
    "dp~443": Compare(("dp",), "~", "443"),
    "dp>=1": Compare(("dp",), ">=", "1"),
    "dp<=1": Compare(("dp",), "<=", "1"),
    "tls{scs}=c02f": Compare(("tls", "scs"), "=", "c02f"),
    "tls.scs=c02f": Compare(("tls", "scs"), "=", "c02f"),
    "tls{cs[]}=c02b": Compare(("tls", "cs"), "=", "c02b"),
    "packets[{b}]>1000": Compare(("packets", "b"), ">", "1000"),
    "packets[{b>900}]": Item(("packets",), Compare(("b",), ">", "900")),
    "packets[{dir=<}]": Item(("packets",), Compare(("dir",), "=", "<")),
    "tcp{out{opts[{kind}]}}=2": Compare(("tcp", "out", "opts", "kind"), "=", "2"),
    "http[{in[{Content-Type}]}]=*xml": Compare(("http", "in", "Content-Type"), "=", "*xml"),
    "a=1,b=2|c=3": Or(
        (And((Compare(("a",), "=", "1"), Compare(("b",), "=", "2"))), Compare(("c",), "=", "3"))
    ),
    "a=1&(b=2|c=3)": And(
        (Compare(("a",), "=", "1"), Or((Compare(("b",), "=", "2"), Compare(("c",), "=", "3"))))
    ),
    "~a=1,b=2": And((Not(Compare(("a",), "=", "1")), Compare(("b",), "=", "2"))),
    "~(a=1|b=2)": Not(Or((Compare(("a",), "=", "1"), Compare(("b",), "=", "2")))),
    'a="x,y|z)"': Compare(("a",), "=", "x,y|z)"),
    "a='it is'": Compare(("a",), "=", "it is"),
    "a=Mozilla/5.0 (X11; Linux),b=1": And(
        (Compare(("a",), "=", "Mozilla/5.0 (X11; Linux)"), Compare(("b",), "=", "1"))
    ),
    "a=[,|]x": Compare(("a",), "=", "[,|]x"),
    "da=2001:db8::1": Compare(("da",), "=", "2001:db8::1"),
    "x[{a{b=1,c=2}}]": Item(
        ("x",), Item(("a",), And((Compare(("b",), "=", "1"), Compare(("c",), "=", "2"))))
    ),
}


@pytest.mark.parametrize("text", TREES)
def test_trees(text: str) -> None:
    assert where.condition(text) == TREES[text]


FAULTS = {  # text: what is wrong, and where
    "": ("a name is missing", 0),
    "dp": ("an operator is missing", 2),
    "dp=": ("a value is missing", 3),
    "=443": ("a name is missing", 0),
    "dp=443,": ("a name is missing", 7),
    "dp=443)": ("more than a condition", 6),
    "(dp=443": (") is missing", 7),
    "tls{scs=1": ("} is missing", 9),
    "packets[b]=1": ("{ or ] is missing", 8),
    "packets[{b}=1": ("] is missing", 11),
    "tls{scs,sni}=1": ("an operator is missing", 11),
    "dp=1 | | dp=2": ("a name is missing", 7),
    'a="x': ('" is missing', 3),
    "a=[x": ("] is missing", 4),
    "~": ("a name is missing", 1),
    "(" * 60 + "a=1": ("nested too deeply", 51),
    "__import__('os').system('true')": ("an operator is missing", 10),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_and_their_places(text: str) -> None:
    words, place = FAULTS[text]
    with pytest.raises(UsageError) as caught:
        where.condition(text)
    first, *_, mark = str(caught.value).splitlines()
    assert words in first
    assert mark == " " * (2 + place) + "^"


PICKS = {
    "sa,da": (Pick("sa"), Pick("da")),
    "tls{s_cert[{key_length,subject}]},da": (
        Pick("tls", (Pick("s_cert", (Pick("key_length"), Pick("subject"))),)),
        Pick("da"),
    ),
    "tls.sni, tls.scs": (Pick("tls", (Pick("sni"), Pick("scs"))),),
    "tls{sni},tls": (Pick("tls"),),
    "packets[]": (Pick("packets"),),
}


@pytest.mark.parametrize("text", PICKS)
def test_elements(text: str) -> None:
    assert where.picks(text) == PICKS[text]


@pytest.mark.parametrize("text", ["", "sa,", "sa=1", "tls{", "tls{}", "tls{sni", "a]"])
def test_elements_with_faults(text: str) -> None:
    with pytest.raises(UsageError):
        where.picks(text)


# --- what matches --------------------------------------------------------------------------------
ITEM = pa.struct([("b", pa.uint32()), ("dir", pa.utf8())])
SCHEMA = pa.schema(
    [
        ("da", pa.utf8()),
        ("dp", pa.uint16()),
        ("time_start", pa.timestamp("ns", "UTC")),
        ("marks", pa.list_(pa.utf8())),
        ("packets", pa.list_(ITEM)),
        (
            "tls",
            pa.struct([("scs", pa.binary()), ("cs", pa.list_(pa.binary())), ("sni", pa.utf8())]),
        ),
        ("entropy", pa.float64()),
    ]
)
RECORDS: list[dict[str, Any]] = [
    {
        "da": "10.1.2.3", "dp": 443, "time_start": 1_700_000_000_123_456_789, "marks": ["capped"],
        "packets": [{"b": 1000, "dir": "<"}, {"b": 50, "dir": ">"}],
        "tls": {"scs": b"\xc0\x2f", "cs": [b"\x13\x01", b"\xc0\x2b"], "sni": "a.test"},
        "entropy": 7.5,
    },
    {
        "da": "192.168.0.9", "dp": 80, "time_start": 1_700_000_001_000_000_000, "marks": None,
        "packets": [{"b": 2000, "dir": ">"}], "tls": None, "entropy": 0.0,
    },
    {
        "da": "2001:db8::1", "dp": None, "time_start": 1_700_000_002_000_000_000,
        "marks": ["gap", "capped"], "packets": [],
        "tls": {"scs": None, "cs": [], "sni": "it's \\ *"}, "entropy": None,
    },
]  # fmt: skip


def matching(text: str) -> list[int]:
    """The records that a condition takes, by way of SQL."""
    found = vocabulary.Conditions(SCHEMA)
    sql = found.sql(where.condition(text))
    table = pa.Table.from_pylist(RECORDS, SCHEMA).append_column("n", [[0, 1, 2]])
    with duckdb.connect() as connection:
        connection.register("flows", table)
        return [n for (n,) in connection.execute(f"SELECT n FROM flows WHERE {sql}").fetchall()]


MATCHES = {  # as a person reads the language's description
    "dp=443": [0],
    "dp~443": [1],  # a field that is not there matches nothing
    "~dp=443": [1, 2],
    "dp=*": [0, 1],
    "dp~*": [2],
    "dp=4*": [0],
    "dp=?0": [1],
    "dp>80": [0],
    "dp>=80,dp<443": [1],
    "da=10.*|da=192.168.*": [0, 1],
    "da=[12]*": [0, 1, 2],
    "da=1[0-8].*": [0],
    "da=2001:db8::1": [2],
    "marks=capped": [0, 2],
    "marks~capped": [2],  # some value of the list is another
    "~marks=capped": [1],
    "marks=*": [0, 2],
    "marks~*": [1],
    "packets[{b}]>900": [0, 1],
    "packets[{b>900}]": [0, 1],
    "packets[{b>900,dir=<}]": [0],  # one and the same packet
    "packets[{b}]>900,packets[{dir}]=>": [0, 1],  # some packet, and some packet
    "packets[{b}]=*": [0, 1],
    "packets=*": [0, 1],
    "tls{scs}=c02f": [0],
    "tls{scs}=C02F": [0],
    "tls{scs}=c0*": [0],
    "tls{cs[]}=c02b": [0],
    "tls{cs}=13??": [0],
    "tls=*": [0, 2],
    "tls~*": [1],
    "tls{scs}=*": [0],
    "tls{sni=a*,scs=c02f}": [0],
    'tls{sni}="it\'s \\ [*]"': [2],
    "entropy>7.4": [0],
    "entropy=0": [1],
    "entropy<1e3": [0, 1],
    "time_start>1700000000.123456788": [0, 1, 2],
    "time_start>1700000000.123456789": [1, 2],
    "time_start=1700000000.123456789": [0],
    "time_start>=2023-11-14T22:13:22": [2],
    "time_start<2023-11-14T23:13:21+01:00": [0],
    "icmp_type=8": [],  # could be there, and is in none of the inputs
}


@pytest.mark.parametrize("text", MATCHES)
def test_matches(text: str) -> None:
    assert matching(text) == MATCHES[text]


REFUSED = {
    "dp=http": "dp is a number",
    "dp=nan": "dp is a number",
    "dp>4*": "takes no",
    "da>10": "da is text",
    "tls=1": "tls is an object",
    "time_start>noon": "no time",
    "dpp=1": "no element dpp; did you mean dp",
    "tls{sin}=x": "did you mean tls.sni",
    "ts>1": "it is time_start now",
    "da{x}=1": "no element da.x",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_compared_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[text]):
        matching(text)


@pytest.mark.parametrize(
    "value", ["'", "''", "x' OR 1=1 --", '"', "\\", "\\'", "$1", "?", "%", "a;DROP TABLE flows"]
)
def test_values_stay_values(value: str) -> None:
    quote = "'" if '"' in value else '"'
    for operator in "=~":
        found = matching(f"da{operator}{quote}{value}{quote}")
        assert found == ([] if operator == "=" else [0, 1, 2])


# --- a slow reading, and random conditions -------------------------------------------------------
def values(value: Any, path: tuple[str, ...]) -> list[Any]:
    """All values at a path, lists looked through."""
    if isinstance(value, list):
        return [one for item in value for one in values(item, path)]
    if not path or value is None:
        return [] if value is None else [value]
    return values(value.get(path[0]), path[1:])


def holds(record: dict[str, Any], condition: where.Condition) -> bool:
    """The language over Python's objects."""
    if isinstance(condition, Not):
        return not holds(record, condition.inner)
    if isinstance(condition, And):
        return all(holds(record, part) for part in condition.parts)
    if isinstance(condition, Or):
        return any(holds(record, part) for part in condition.parts)
    found = values(record, condition.path)
    if isinstance(condition, Item):
        return any(holds(one, condition.inner) for one in found)
    if condition.value == "*":
        return bool(found) == (condition.operator == "=")
    return any(relation(one, condition.operator, condition.value) for one in found)


def relation(value: Any, operator: str, wanted: str) -> bool:
    if operator in "=~":
        text = value.hex() if isinstance(value, bytes) else str(value)
        return fnmatchcase(text, wanted) == (operator == "=")
    number = float(wanted)
    return {"<": value < number, ">": value > number, "<=": value <= number, ">=": value >= number}[
        operator
    ]


LEAVES = ["dp=443", "dp~80", "dp>100", "da=1*", "da~10*", "marks=capped", "marks~gap", "marks=*",
          "packets[{b}]>60", "packets[{b=50,dir=>}]", "packets[{~b=1000}]", "tls{scs}=c02f",
          "tls{cs}~1301", "tls~*", "tls{sni}=*test", "packets[{dir}]~<", "entropy=*"]  # fmt: skip


def random_condition(some: random.Random, depth: int) -> str:
    if depth == 0 or some.random() < 0.2:
        return some.choice(LEAVES)
    if some.random() < 0.3:
        return f"~({random_condition(some, depth - 1)})"
    parts = [random_condition(some, depth - 1) for _ in range(some.randint(2, 3))]
    joint = some.choice([",", "|", " & ", "|", ","])
    return "(" + joint.join(parts) + ")"


@pytest.mark.parametrize("seed", range(60))
def test_as_a_slow_reading_has_it(seed: int) -> None:
    text = random_condition(random.Random(seed), 3)
    tree = where.condition(text)
    expected = [n for n, record in enumerate(RECORDS) if holds(record, tree)]
    assert matching(text) == expected
