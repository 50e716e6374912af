"""The rule book as a page for safety officers: `python -m detectors.describe > docs/reference/rules.md`."""

import sys
from collections.abc import Iterator

from detectors.catalogue import CATALOGUE
from detectors.rule import Parameter, Rule
from domain.findings import Severity
from ledger.hazard import Grade

_FAMILIES = {
    "G": "气体",
    "F": "火灾",
    "W": "焊接",
    "X": "跨信号",
    "D": "设备",
    "A": "统计",
    "P": "用电",
    "S": "粉尘与重大危险源",
}
_SEVERITIES = {
    Severity.CRITICAL: "1 紧急",
    Severity.HIGH: "2 重要",
    Severity.MEDIUM: "3 一般",
    Severity.NOTICE: "4 提示",
}
_GRADES = {
    None: "不登记",
    Grade.GENERAL: "一般隐患",
    Grade.MAJOR_CANDIDATE: "重大隐患（待人工认定）",
    Grade.MAJOR: "重大隐患",
}
_INTRODUCTION = """# 规则手册

本页由规则目录生成，请勿手工修改（`python -m detectors.describe > docs/reference/rules.md`）。

- **级别**：规则的缺省级别，1 最重；个别情形可升降，见各条说明。
- **隐患**：报警后在台账中登记的隐患等级；“待人工认定”只是线索，由人核实定级。
- **依据**：标准或法规及版次；注明“未核实”的尚未见到原文，不得当作法规文本引用。
- **状态**：“已实现”的规则正在运行；“未实现”的只列出，不会报警。
- **参数**：缺省值可在设置的 `[rules.规则代码]` 中修改，超出允许范围的值会被拒绝。
"""


def describe() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *_lines()])


def _lines() -> Iterator[str]:
    for letter, name in _FAMILIES.items():
        yield f"## {name}（{letter}）\n"
        for rule in CATALOGUE.values():
            if rule.code.startswith(letter):
                yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.code} {rule.title}\n"
    yield f"{rule.summary}\n"
    yield f"- 级别：{_SEVERITIES[rule.severity]}；隐患：{_GRADES[rule.grade]}；可否搁置：{'可' if rule.shelvable else '不可'}"
    yield f"- 状态：{'已实现' if rule.built else '未实现'}"
    yield f"- 依据：{rule.basis}\n"
    if rule.parameters:
        yield "| 参数 | 缺省值 | 单位 | 允许范围 | 依据 |"
        yield "|---|---|---|---|---|"
        yield from (_parameter(parameter) for parameter in rule.parameters)
        yield ""


def _parameter(p: Parameter) -> str:
    return f"| `{p.name}` | {p.default:g} | {p.unit} | {p.low:g}–{p.high:g} | {p.basis} |"


if __name__ == "__main__":
    sys.stdout.write(describe())
