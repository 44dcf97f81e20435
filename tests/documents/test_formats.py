"""bert/documents/formats.py: which format a text has."""

from __future__ import annotations

import json

import pytest

from bert.documents.formats import format_of, looks_like_bert

OBJECT = json.dumps({"id": 5, "text": "The keeper painted a lamp."})


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.JSONL", "a.txt", "a"])
@pytest.mark.parametrize("head", [OBJECT, f"{OBJECT}\n{OBJECT}\n", f"\n \n{OBJECT}\nA line.\n", OBJECT[:20]])
def test_json_lines_are_known_by_their_first_line(name: str, head: str) -> None:
    assert format_of(head, name) == "jsonl"


@pytest.mark.parametrize(
    "head",
    [
        "The keeper.",
        "{\\bf The keeper.}\n",
        "{1} The keeper.",
        "[1] The keeper.\n",
        "[The keeper.]",
        "5",
        "[ " * 30_000,
        '"a"\n',
        "",
        "\n",
    ],
)
def test_other_text_is_lines(head: str) -> None:
    assert format_of(head, "a.txt") == "lines"


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
@pytest.mark.parametrize(
    "head",
    [f"[{OBJECT}]", f"[\n  {OBJECT},\n  {OBJECT}\n]\n", f"[{OBJECT}, {OBJECT[:9]}", json.dumps([{"a": 1}], indent=2)],
)
def test_a_json_array_is_told(head: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"one JSON array; expected a JSON object a line \(jq -c '\.\[\]'"):
        format_of(head, name)


def test_an_object_that_is_spread_over_lines_is_told() -> None:
    with pytest.raises(ValueError, match=r"no JSON object a line \(jq -c \."):
        format_of(json.dumps({"text": "The keeper."}, indent=1), "a.json")


def test_the_name_of_json_lines_makes_a_malformed_line_an_error_of_its_number() -> None:
    assert format_of("{text: 5}\n", "a.jsonl") == "jsonl"


SENTENCES = "The keeper painted a lamp.\nHe sold it.\nIt was green.\n"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (f"{SENTENCES}\n{SENTENCES}", True),
        (f"\n{SENTENCES} \n\n{SENTENCES}\n".replace("\n", "\r\n"), True),
        (SENTENCES, False),
        (f"{SENTENCES}\n", False),
        (SENTENCES.replace("\n", "\n\n"), False),
        ("", False),
    ],
)
def test_sentences_in_groups_look_like_bert_s_own_format(head: str, expected: bool) -> None:
    assert looks_like_bert(head) == expected


@pytest.mark.parametrize("name", ["a.txt", "a", "a.json"])
@pytest.mark.parametrize(
    "head",
    [
        '{\n  "text": "The keeper."\n}\n',
        '{"text":\n"The keeper."}',
        '{"text": "The keeper."},\n{"text": "A baker."}\n',
        '{"text": "The keeper."} {"text": "A baker."}\n',
        '{"text": "The keeper."\n',
        "{'text': \"The keeper's.\"}\n",
    ],
)
def test_objects_that_are_not_a_line_each_are_told_whatever_the_name(head: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"no JSON object a line \(jq -c \."):
        format_of(head, name)


@pytest.mark.parametrize("name", ["a.txt", "a", "a.json"])
@pytest.mark.parametrize(
    "head",
    [
        '["The keeper.",\n"A baker."]',
        '[\n "The keeper."\n]',
        '[["The keeper.", 5]]',
        '["a", "b"]',
        '["x","y"]\n["z"]',
        "[{\n",
    ],
)
def test_arrays_of_text_are_told_whatever_the_name(head: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"JSON array.*; expected a JSON object"):
        format_of(head, name)


@pytest.mark.parametrize(
    "head",
    [
        '<TEI xmlns="http://example.org/ns">\n<text>',
        "<root>\n",
        '<doc id="1" url="https://example.org" title="A">\nThe keeper.\n</doc>\n',
        "<!-- made by hand -->\n<text><body>The keeper.</body></text>",
        "<head>\n",
        "<svg>",
        "<BODY bgcolor=white>The keeper.",
        "<p>The keeper.\n<p>A baker.",
        "<s>The keeper.</s>\n",
        "<a/>\n",
    ],
)
def test_markup_is_told_by_its_first_tag(head: str) -> None:
    with pytest.raises(ValueError, match=r"it is (XML \(<\w+>\)|HTML); expected plain text"):
        format_of(head, "a.txt")


@pytest.mark.parametrize(
    "head",
    [
        "<unk> the keeper.\n",
        "<The keeper> of it.",
        "<3 lamps\n",
        "<keeper@example.org> wrote.\n",
        "< keeper >\n",
        '["Why," he said, "is it?"]\n',
        '["Yes", he said.]\n',
        '["Lamps"] is a book.\n',
        "[[Lamp]] keepers.\n",
        "[1, 2]\n[3]\n",
        "{'tis} the keeper: he.\n",
    ],
)
def test_prose_that_begins_with_a_bracket_is_lines(head: str) -> None:
    assert format_of(head, "a.txt") == "lines"
