"""The welding rules (W): who welds, with which machine, under which certificate and permit."""

from detectors.rule import OURS, Parameter, Rule, read, unread
from domain.findings import Severity
from ledger.hazard import Grade

_UNLICENSED = "应急管理部令第10号第三条（二）：工贸企业特种作业人员未持证上岗为重大事故隐患"
_GAS_TEST = "GB 30871-2022 5.3（未核实）"
_PERMIT = "GB 30871-2022 5.1：动火作业分级与有效期（非危化单位参照）"

# What an arc is, for every rule of this family (detectors/welding/arc.py).
_ARC = (
    Parameter("arc_a", 20.0, "A", "起弧电流 15–20 A（未核实）", 5.0, 100.0),
    Parameter("off_delay_s", 90.0, "s", "换焊条停弧 20–60 s（未核实）", 30.0, 600.0),
    Parameter("frozen_readings", 20.0, "1", OURS, 5.0, 1000.0),
)

_PEOPLE = (
    Rule(
        code="W101",
        title="不入平台作业",
        severity=Severity.CRITICAL,
        grade=Grade.MAJOR_CANDIDATE,
        basis=unread("本地加芯赋码管理要求：焊机须登记入平台"),
        summary="未登记的焊机通电或起弧，作业脱离监管。",
        built=True,
        parameters=_ARC,
    ),
    Rule(
        code="W102",
        title="无人扫码起弧",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("本地加芯赋码管理要求：扫码后方可作业"),
        summary="焊机起弧时没有焊工扫码，不知何人在作业。",
        built=True,
    ),
    Rule(
        code="W103",
        title="无证焊接",
        severity=Severity.CRITICAL,
        grade=Grade.MAJOR_CANDIDATE,
        basis=read(_UNLICENSED),
        summary="扫码人在三类证书登记中都没有焊接作业证书。",
        built=True,
    ),
    Rule(
        code="W104",
        title="证书失效",
        severity=Severity.CRITICAL,
        grade=Grade.MAJOR_CANDIDATE,
        basis=read(f"{_UNLICENSED}；安全监管总局令第30号第十九、二十一条：有效期六年、三年复审"),
        summary="焊工证书过期、逾期未复审、被暂停或吊销；待核验的按一般处理。",
        built=True,
    ),
    Rule(
        code="W105",
        title="超范围焊接",
        severity=Severity.CRITICAL,
        grade=Grade.MAJOR_CANDIDATE,
        basis=read(_UNLICENSED),
        summary="证书的类别或操作项目不包括所从事的焊接作业。",
        built=True,
    ),
    Rule(
        code="W108",
        title="一证多机或人机异地",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read(OURS),
        summary="同一证书同时在两台焊机上作业，或移动速度超出可能，疑似借证。",
        built=True,
        parameters=(
            Parameter("speed_kmh", 100.0, "km/h", OURS, 30.0, 300.0),
            Parameter("least_m", 1000.0, "m", OURS, 100.0, 20_000.0),
        ),
    ),
    Rule(
        code="W115",
        title="证书临期",
        severity=Severity.NOTICE,
        grade=None,
        basis=read("安全监管总局令第30号第二十一条：期满前六十日内申请复审"),
        summary="证书三十天内到期或应当复审，请提前办理；在该焊工最近扫码的焊机上提示。",
        built=True,
        parameters=(Parameter("days", 30.0, "d", OURS, 1.0, 90.0),),
    ),
)

_WORK = (
    Rule(
        code="W106",
        title="无有效动火作业票",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read(_PERMIT),
        summary="当时当地没有批准有效的动火作业票，或夜间、休息日未按规定升级。",
        built=True,
        parameters=(
            Parameter("night_from_h", 22.0, "h", OURS, 18.0, 24.0),
            Parameter("night_to_h", 6.0, "h", OURS, 0.0, 9.0),
        ),
    ),
    Rule(
        code="W107",
        title="超出作业票地点",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read(_PERMIT),
        summary="焊机位置或扫码位置超出作业票划定范围，或锁机后被移动。",
        built=True,
        parameters=(
            Parameter("radius_m", 100.0, "m", "作业票未写半径时；远程扫码判定 100–300 m（未核实）", 10.0, 1000.0),
            Parameter("site_radius_m", 500.0, "m", "作业票未写位置时以场所为圆心；" + OURS, 50.0, 5000.0),
            Parameter("slack_m", 50.0, "m", "定位误差；" + OURS, 0.0, 500.0),
            Parameter("moved_m", 100.0, "m", OURS, 30.0, 5000.0),
        ),
    ),
    Rule(
        code="W109",
        title="监护人不在场",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=read("GB 30871-2022 5.2.1：动火作业应有专人监护"),
        summary="起弧期间动火监护人未签到、已离开或由焊工本人充任；与作业票所列监护人不符的按一般处理；"
        "无有效作业票的由 W106 报警，不重复要求监护。",
        built=True,
        parameters=(Parameter("hold_h", 12.0, "h", "一次签到最长有效时间；" + OURS, 1.0, 24.0),),
    ),
    Rule(
        code="W110",
        title="动火前未做气体检测",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=unread("GB 30871-2022 5.3：动火前 30 min 内取样分析"),
        summary="动火前三十分钟内没有气体检测、检测结果不合格，或中断后未重新检测；"
        "无有效作业票的由 W106 报警，只再报不合格的检测结果。",
        built=True,
        parameters=(
            Parameter("window_min", 30.0, "min", _GAS_TEST, 10.0, 60.0),
            Parameter("break_min", 30.0, "min", "特级、一级中断后重新检测；" + _GAS_TEST, 10.0, 120.0),
            Parameter("break_second_min", 60.0, "min", "二级中断后重新检测；" + _GAS_TEST, 10.0, 240.0),
            Parameter("light_lel_vol", 4.0, "%VOL", "爆炸下限分界；" + _GAS_TEST, 2.0, 10.0),
            Parameter("light_vol", 0.5, "%VOL", "爆炸下限不低于分界的气体；" + _GAS_TEST, 0.05, 0.5),
            Parameter("heavy_vol", 0.2, "%VOL", "爆炸下限低于分界的气体；" + _GAS_TEST, 0.02, 0.2),
        ),
    ),
    Rule(
        code="W111",
        title="动火后未留守",
        severity=Severity.HIGH,
        grade=Grade.GENERAL,
        basis=unread("GB 30871-2022：作业后确认无残火；留守时间参照 OSHA 1910.252"),
        summary="动火结束后没有在规定时间内确认留守和无残火。",
        built=True,
        parameters=(Parameter("watch_min", 30.0, "min", "OSHA 1910.252；可选 20、30、60", 20.0, 60.0),),
    ),
    Rule(
        code="W112",
        title="禁区禁时动火",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read("公众聚集场所营业期间严禁动火（各地通告“八个严禁”）"),
        summary="在动火禁令登记的地点或时段焊接。",
        built=True,
    ),
    Rule(
        code="W113",
        title="疑似绕过监管",
        severity=Severity.CRITICAL,
        grade=Grade.GENERAL,
        basis=read(OURS),
        summary="锁机后仍在作业，或通电中的模块失联而本单位电表反复出现起弧负荷，或芯片被拆除。",
        built=True,
        parameters=(
            Parameter("meter_kw", 2.0, "kW", "焊机供电 10 A 以上（未核实）", 0.5, 20.0),
            Parameter("bursts", 3.0, "1", OURS, 2.0, 20.0),
            Parameter("window_min", 15.0, "min", OURS, 5.0, 120.0),
        ),
    ),
    Rule(
        code="W114",
        title="连续作业超时",
        severity=Severity.MEDIUM,
        grade=None,
        basis=read(OURS),
        summary="焊机连续通电超过二十四小时，或作业没有人应有的休息。",
        built=True,
        parameters=(
            Parameter("hours", 24.0, "h", OURS, 8.0, 72.0),
            Parameter("work_h", 6.0, "h", OURS, 2.0, 12.0),
            Parameter("rest_min", 30.0, "min", OURS, 10.0, 120.0),
        ),
    ),
)

WELDING: tuple[Rule, ...] = tuple(sorted(_PEOPLE + _WORK, key=lambda rule: rule.code))
