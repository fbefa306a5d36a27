"""Notes that say the same of several things are one line."""

from harness.reporting.text import _together


def test_things_of_which_the_same_is_said_are_named_together() -> None:
    notes = [*(f"{name}.yaml was recorded on Monday" for name in "abcde"), "f.yaml was recorded on Tuesday", "the machine is busy"]
    assert list(_together(notes)) == [
        "a.yaml, b.yaml, c.yaml and 2 more were recorded on Monday",
        "f.yaml was recorded on Tuesday",
        "the machine is busy",
    ]
    assert list(_together(["a was b", "c was b"])) == ["a, c were b"]
    assert list(_together([])) == []
