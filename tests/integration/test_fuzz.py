"""Hostile bytes do nothing but become dead letters; `python -m bench.fuzz --seconds N` tries as many as you like."""

import pytest

from bench import fuzz


@pytest.mark.parametrize("seed", [1, 2])
def test_no_bytes_break_the_decoder_or_its_accounts(seed: int) -> None:
    """Some thousands of mutated payloads: each is decoded, dead, a repeat or thinned, and nothing is raised."""
    found = fuzz.run(seconds=1.5, seed=seed)
    assert found["broken"] is None
    assert all(found[outcome] for outcome in ("decoded", "dead", "duplicate"))


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer would notice: a decoder that raises what it should not ends the run and is named."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fuzz.Target, "take", broken)
    assert "ZeroDivisionError" in fuzz.run(seconds=1, seed=1)["broken"]
