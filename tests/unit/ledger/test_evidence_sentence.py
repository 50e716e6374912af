"""Evidence in a sentence an inspector can read."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.evidence import sentence


def test_reading_names_gas_value_and_set_point() -> None:
    """A threshold's evidence says what was measured, how much, and the limit."""
    evidence = {"measurand": "ch4_lel", "value": 55.0, "unit": "%LEL", "set_point": 50.0, "set_point_basis": "x"}
    assert sentence(evidence) == "甲烷 55.0 %LEL，设定值 50 %LEL"


def test_welding_facts_are_said_in_chinese() -> None:
    """Codes of reasons become words; electrical values carry units."""
    evidence = {"reason": "expired", "welder": "H-7", "valid_until": "2026-01-01", "current_a": 120.5}
    assert sentence(evidence) == "原因：已过期；焊工编号：H-7；证书有效期至：2026-01-01；焊接电流 120.5 A"


def test_fire_points_are_listed() -> None:
    """Several points of one fire alarm are named together."""
    assert sentence({"points": ["smoke", "heat"]}) == "报警点位：感烟、感温"


def test_what_rules_found_together_is_listed() -> None:
    """The gaps of a fire watch and a neglected duty read as sentences."""
    assert sentence({"gaps": ["mains_lost", "shielded_smoke"]}) == "失去监护：主电丢失、感烟被屏蔽"
    late = {"reason": "gas_test_too_old", "test_age_min": 44}
    assert sentence(late) == "原因：气体检测已失效；检测早于作业 44 分钟"


def test_a_stop_order_that_is_broken_reads_as_an_accusation() -> None:
    """Who, how much, what was allowed, when and by which order: what a safety officer needs at the gate."""
    evidence = {"reason": "stop_order", "enterprise": "E1", "kw": 120.0, "quarter": "2026-03-02T09:00+08:00"}
    assert sentence(evidence | {"order": "TC-001", "base_kw": 50.0}) == (
        "原因：停产期间用电；企业：E1；时段：2026-03-02T09:00+08:00；停产指令：TC-001；总用电 120.0 kW；许可基础负荷 50.0 kW"
    )


_KNOWN = ["value", "measurand", "points", "reason", "current_a"]
_anything = st.none() | st.integers() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["Lu"])), _anything))
def test_unknown_evidence_is_left_out(evidence: dict[str, object]) -> None:
    """What has no word is not said, whatever it is."""
    assert sentence(evidence) == ""


@given(st.dictionaries(st.sampled_from(_KNOWN), _anything))
def test_odd_evidence_never_fails(evidence: dict[str, object]) -> None:
    """A message is never lost for an unforeseen shape of evidence."""
    assert isinstance(sentence(evidence), str)


def test_a_suspicion_is_told_with_what_is_usual() -> None:
    """The reading alone convinces nobody: the baseline, where it comes from and how long it was learned stand beside it."""
    said = sentence(
        {
            "measurand": "ch4_lel",
            "value": 3.1,
            "unit": "%LEL",
            "baseline": 0.1,
            "spread": 0.2,
            "baseline_of": "last_days",
            "known_h": 30.0,
        }
    )
    assert said == "甲烷 3.1 %LEL，平时 0.1 %LEL，平时波动 0.2 %LEL；基线来自：近几日；已学习 30.0 小时"


def test_sensors_that_agree_are_told_one_by_one() -> None:
    """Each with what it read; a cause that only repeats what was measured is not told."""
    seen = {"device": "a/s/g1", "rule": "G105", "measurand": "ch4_lel", "value": 7.0, "unit": "%LEL"}
    assert sentence({"sensors": [seen, {"device": "a/s/g2", "rule": "G101"}], "apart_s": 5}) == (
        "相互印证：a/s/g1 甲烷 7.0 %LEL、a/s/g2；相隔 5 秒"
    )
    assert sentence({"reason": "ch4_lel", "measurand": "ch4_lel"}) == ""
