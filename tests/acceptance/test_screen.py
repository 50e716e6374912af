"""The screen in a real Chromium, before a real HTTP server and real books: what somebody at the wall sees and does."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from prometheus_client import CollectorRegistry

from api.accounts import create_account, set_password
from api.app import create_app
from api.services import Check, LiveStatus, Services
from detectors.catalogue import policies
from domain.findings import Action, Finding, Severity
from domain.measurands import INDEX
from domain.readings import Readings
from emberwatch.parts import clock_ms
from ledger.alarm import AlarmFilter
from ledger.books import Decided
from ledger.hazard import HazardFilter, HazardStep
from registers.account import Role
from registers.device import Device, DeviceKind, DeviceModel
from registers.place import Area, RiskClass, Site
from storage.memory_history import MemoryHistory
from storage.sql.accounts import SqlAccounts
from storage.sql.engine import METADATA, open_engine
from storage.sql.ledger import SqlLedger
from storage.sql.registers import SqlRegisters

pytestmark = pytest.mark.browser

PASSWORD: Final = "Correct-horse-7"
NEW: Final = "Another-horse-8"
ASSIGNED: Final = {"assignee": "赵巡检", "due_ms": 1_798_732_799_000}
"""Until the end of 2026 in Beijing."""
GAS: Final = "beidu/canteen-1/gas-001"
STRANGER: Final = "beidu/yard-2/chip-9"
PATIENCE_MS: Final = 20_000
"""How long the browser may take on a busy machine; nothing waits so long when all is well."""
ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ENTRIES: Final = (
    Area(code="beidu", name="北渡街道"),
    Site(code="canteen-1", name="一号食堂", area="beidu", risk=RiskClass.MAJOR, lat=33.74, lon=113.3),
    Site(code="yard-2", name="二号工地", area="beidu"),
    DeviceModel(code="gt", name="点型可燃气体探测器", kind=DeviceKind.GAS, measurand="ch4_lel", level1=25, level2=50),
    Device(code="gas-001", site="canteen-1", model="gt", name="灶台上方"),
    Device(code="gas-002", site="canteen-1", model="gt", name="储藏室"),
)


class Wall:
    """A small district behind a server that a test may stop and start again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._engine = open_engine(f"sqlite:///{folder / 'emberwatch.db'}")
        METADATA.create_all(self._engine)
        self.ledger = SqlLedger(self._engine, policies())
        self.accounts = SqlAccounts(self._engine)
        self._history = MemoryHistory()
        registers = SqlRegisters(self._engine)
        registers.put(ENTRIES, "test")
        create_account(self.accounts, "operator", Role.OPERATOR, PASSWORD)
        create_account(self.accounts, "viewer", Role.VIEWER, PASSWORD)
        self._offset = 0
        self.failures: list[BaseException] = []
        self._services = Services(
            registers=registers,
            alarms=self.ledger.alarms,
            hazards=self.ledger.hazards,
            feed=self.ledger.feed,
            outbox=self.ledger.outbox,
            dead_letters=self.ledger.dead_letters,
            history=self._history,
            accounts=self.accounts,
            status=self._status,
            ready=lambda: [Check(name="broker", ok=True)],
            online=lambda: {GAS: True, STRANGER: True},
            registry=CollectorRegistry(),
            failed=self.failures.append,
            clock_ms=clock_ms,
        )
        self.port = 0
        self.received = 10

    def _status(self) -> LiveStatus:
        return LiveStatus(
            version="test",
            started_at_ms=0,
            now_ms=clock_ms(),
            registered=2,
            online=1,
            silent=1,
            unknown=1,
            received=self.received,
            decoded=9,
            dead=1,
            broker_connected=True,
            stores_ok=True,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve in a thread; return when the port answers."""
        self._app = create_app(self._services)
        listener = socket.create_server(("127.0.0.1", self.port))  # answers from now on: who comes early waits
        self.port = listener.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(self._app, log_config=None, timeout_graceful_shutdown=5))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="screen-server")
        self._thread.start()

    def stop(self) -> None:
        """End the streams and the server."""
        self._app.state.context.live.close()
        self._server.should_exit = True
        self._thread.join()

    def close(self) -> None:
        self.stop()
        self._engine.dispose()

    def find(
        self, rule: str, *, device: str = GAS, severity: int = 2, action: Action = Action.RAISE, ago_ms: int = 0
    ) -> None:
        """Commit one finding of now, or of a message received a while ago."""
        now, self._offset = clock_ms() - ago_ms, self._offset + 1
        finding = Finding(
            offset=self._offset,
            rule=rule,
            device=device,
            action=action,
            severity=Severity(severity),
            at_ms=now,
            event_ms=now,
            evidence={"measurand": "ch4_lel", "value": 27.0, "unit": "%LEL", "set_point": 25},
        )
        self.ledger.books.commit(Decided(end_offset=self._offset + 1, now_ms=now, findings=[finding]))

    def measure(self, values: list[float]) -> None:
        """Write readings of the gas detector, one a second, the last one now."""
        n = len(values)
        times = clock_ms() - 1000 * np.arange(n - 1, -1, -1, dtype=np.int64)
        readings = Readings(
            offset=np.arange(n, dtype=np.int64),
            slot=np.zeros(n, np.int32),
            measurand=np.full(n, INDEX["ch4_lel"], np.int16),
            value=np.array(values, np.float64),
            event_ms=times,
            received_ms=times,
            quality=np.zeros(n, np.uint8),
        )
        self._history.write(readings, [GAS], n)


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """Yield a running district without alarms."""
    made = Wall(tmp_path)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium(installed: Callable[[str, str], str]) -> Iterator[Browser]:
    """Start one Chromium for all tests of this file."""
    program = installed("chromium", "Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, wall: Wall) -> Iterator[Page]:
    """Yield a page of a fresh profile at the wall's size; an error that nobody expected on its console fails the test."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080}, base_url=wall.url)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.extend(_unexpected(message)))
    yield opened
    context.close()
    assert errors == []


def _unexpected(message: ConsoleMessage) -> list[str]:
    """Return the message unless it is a refused login, or a server that a test has stopped."""
    expected = ("401 (Unauthorized)", "net::ERR_")
    wrong = message.type == "error" and not any(words in message.text for words in expected)
    return [message.text] if wrong else []


def log_in(page: Page, name: str = "operator", password: str = PASSWORD, address: str = "/") -> None:
    page.goto(address)
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("[type=submit]")


def test_a_wrong_password_is_told_and_the_right_one_lets_in(page: Page) -> None:
    """The refusal is in Chinese and does not say which of name and password was wrong; then the live page opens."""
    log_in(page, password="Wrong-horse-7")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    log_in(page)
    expect(page.get_by_role("heading", name="湛河区安全监测")).to_be_visible()
    expect(page.locator("[data-test=connection]")).to_have_text("实时")


def test_a_quiet_district_says_so(page: Page) -> None:
    """Every panel has words for nothing, and the numbers are those of the service."""
    log_in(page)
    for words in ("当前没有未关闭的报警", "当前没有在办隐患"):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("设备在线 50.0%")).to_be_visible()
    expect(page.locator("[data-test=devices] li")).to_have_count(1)
    expect(page.locator("[data-test=devices]")).to_contain_text("储藏室")


def test_an_alarm_appears_without_reloading(page: Page, wall: Wall) -> None:
    """What is committed while the page is open is on it: in the list by name, in the counts, in the ledger."""
    log_in(page)
    expect(page.locator("[data-test=connection]")).to_have_text("实时")
    page.evaluate("window.stillTheSamePage = true")
    wall.find("G101", severity=1)
    row = page.locator("[data-alarm='1']")
    expect(row).to_contain_text("气体二级报警")
    expect(row).to_contain_text("一号食堂 · 灶台上方")
    expect(page.locator("[data-test=count-1]")).to_contain_text("1")
    expect(page.locator("[data-test=hazards] li")).to_have_count(1)
    assert page.evaluate("window.stillTheSamePage") is True


def test_an_alarm_that_closes_leaves_the_list(page: Page, wall: Wall) -> None:
    """Acknowledged and cleared is closed, and closed is not open."""
    wall.find("G102")
    log_in(page)
    page.click("[data-test=acknowledge]")
    expect(page.locator("[data-alarm='1']")).to_contain_text("报警已确认")
    wall.find("G102", action=Action.CLEAR)
    expect(page.get_by_text("当前没有未关闭的报警")).to_be_visible()


def test_an_alarm_whose_end_is_decided_late_leaves_the_list(page: Page, wall: Wall) -> None:
    """Its last message was received before somebody acknowledged it, and decided after: a service that catches up."""
    wall.find("G102", ago_ms=60_000)
    log_in(page)
    page.click("[data-test=acknowledge]")
    expect(page.locator("[data-alarm='1']")).to_contain_text("报警已确认")
    wall.find("G102", action=Action.CLEAR, ago_ms=30_000)
    expect(page.get_by_text("当前没有未关闭的报警")).to_be_visible()


def test_a_click_shows_what_decided_and_the_curve(page: Page, wall: Wall) -> None:
    """The drawer has the reading with its set point, and the curve is drawn of readings that were measured."""
    wall.measure([1.0] * 60 + [27.0] * 10)
    wall.find("G102")
    log_in(page)
    page.click("[data-alarm='1'] .row")
    drawer = page.locator("[data-test=drawer]")
    expect(drawer).to_contain_text("甲烷 27 %LEL")
    curve = drawer.locator("[data-test=curve]")
    expect(curve.locator("canvas")).to_be_visible()
    assert int(curve.get_attribute("data-points") or 0) == 70
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_an_operator_acknowledges_and_the_books_say_who(page: Page, wall: Wall) -> None:
    """One click; the row changes when the books have it."""
    wall.find("G102")
    log_in(page)
    page.click("[data-test=acknowledge]")
    expect(page.locator("[data-alarm='1']")).to_contain_text("报警已确认")
    expect(page.locator("[data-test=acknowledge]")).to_have_count(0)
    assert wall.ledger.alarms.alarm(1).acknowledged_by == "user:operator"


def test_a_viewer_sees_everything_and_may_do_nothing(page: Page, wall: Wall) -> None:
    """No button that the service would refuse."""
    wall.find("G101", severity=1)
    log_in(page, "viewer")
    page.click("[data-alarm='1'] .row")
    expect(page.locator("[data-test=drawer]")).to_contain_text("判定依据")
    for button in ("acknowledge", "do-acknowledge"):
        expect(page.locator(f"[data-test={button}]")).to_have_count(0)
    page.click("[data-test=hazard-link]")
    expect(page.locator("[data-test=drawer]")).to_contain_text("台账记录")
    expect(page.locator("[data-test=step-verify]")).to_have_count(0)


def test_a_hazard_is_taken_one_step_on_with_its_basis(page: Page, wall: Wall) -> None:
    """The chain shows who took which step on what basis, and the list the new state."""
    wall.find("G101", severity=1)
    log_in(page)
    page.click("[data-test=hazards] li button")
    page.click("[data-test=step-verify]")
    page.fill("[name=basis]", "现场核实记录")
    page.click("[data-test=take-step]")
    drawer = page.locator("[data-test=drawer]")
    expect(drawer).to_contain_text("用户 operator")
    expect(drawer).to_contain_text("现场核实记录")
    expect(page.locator("[data-test=hazards]")).to_contain_text("已核实")


def test_a_row_of_the_ledger_says_who_is_responsible_and_until_when(page: Page, wall: Wall) -> None:
    """A step's grade, assignee and deadline stand in its row, not only in the hazard's newest state."""
    wall.find("G101", severity=1)
    hazard = wall.ledger.hazards.hazards(HazardFilter())[0].id
    for step, data in (
        (HazardStep.VERIFY, {}),
        (HazardStep.REGISTER, {"grade": "major"}),
        (HazardStep.ASSIGN, ASSIGNED),
    ):
        wall.ledger.hazards.act_on_hazard(hazard, step, by="user:x", at_ms=clock_ms(), basis="现场核实记录", data=data)
    log_in(page, address=f"/hazards/{hazard}")
    for words in ("等级 重大隐患", "责任人 赵巡检 — 整改期限 2026-12-31 23:59:59"):
        expect(page.locator("[data-test=drawer] ol")).to_contain_text(words)


def test_a_hazard_that_somebody_found_is_entered_by_hand(page: Page, wall: Wall) -> None:
    """The form asks for site, name and basis; the ledger opens at the new clue, and the books say who entered it."""
    log_in(page)
    page.click("[data-test=new-hazard]")
    page.select_option("[name=place]", label="二号工地")
    page.fill("[name=title]", "后厨燃气软管老化")
    page.fill("[name=basis]", "城镇燃气管理条例")
    page.select_option("[name=channel]", "public")
    page.fill("[name=due]", "2026-12-31")
    page.click("[data-test=open-hazard]")
    expect(page.locator("[data-test=drawer]")).to_contain_text("群众举报")
    expect(page.locator("[data-test=drawer]")).to_contain_text("用户 operator")
    expect(page.locator("[data-test=hazards]")).to_contain_text("后厨燃气软管老化")
    (hazard,) = wall.ledger.hazards.hazards(HazardFilter())
    assert (hazard.site, hazard.state, hazard.due_ms) == ("yard-2", "clue", ASSIGNED["due_ms"])


def test_one_changes_ones_own_password(page: Page) -> None:
    """A wrong current password is told and ends no session; afterwards the new one lets in."""
    log_in(page)
    page.click("[data-test=user]")
    for old, told in (("Wrong-horse-7", "当前密码不正确"), (PASSWORD, "密码已修改")):
        page.fill("[name=old]", old)
        page.fill("[name=fresh]", NEW)
        page.fill("[name=again]", NEW)
        page.click("[data-test=change-password]")
        expect(page.locator("[data-test=drawer]")).to_contain_text(told)
    page.click("[data-test=close]")
    page.click("[data-test=logout]")
    log_in(page, password=NEW)
    expect(page.locator("[data-test=connection]")).to_have_text("实时")


def test_an_address_of_nothing_says_so_and_leads_home(page: Page, wall: Wall) -> None:
    """Neither the live page nor a blank one."""
    page.goto("/alarms/none")
    expect(page.get_by_role("heading", name="没有这个页面")).to_be_visible()
    page.click("[data-test=home]")
    expect(page.locator("[name=password]")).to_be_visible()
    expect(page).to_have_url(f"{wall.url}/")


def test_the_gravest_alarm_is_at_the_top(page: Page, wall: Wall) -> None:
    """However many lesser ones came after it."""
    wall.find("G101", severity=1)
    wall.find("G102")
    wall.find("D102", device=STRANGER, severity=3)
    log_in(page)
    expect(page.locator("[data-alarm]")).to_have_text([re.compile("紧急"), re.compile("重要"), re.compile("一般")])


def test_english_at_a_switch_and_it_stays(page: Page, wall: Wall) -> None:
    """Titles, states and the rule's name change at once; the browser remembers."""
    wall.find("G102")
    log_in(page)
    page.click("[data-test=language]")
    expect(page.locator("[data-alarm='1']")).to_contain_text("Gas at level 1")
    expect(page.locator("[data-alarm='1']")).to_contain_text("Active, not acked")
    page.reload()
    expect(page.get_by_role("heading", name="Live alarms")).to_be_visible()


def test_a_session_that_ends_leads_to_the_login(page: Page, wall: Wall) -> None:
    """A password changed elsewhere ends the session; the page says so and shows nothing any more."""
    wall.find("G102")
    log_in(page)
    row = page.locator("[data-alarm='1'] .row")
    expect(row).to_be_visible()
    set_password(wall.accounts, "operator", NEW)
    row.click()
    expect(page.get_by_text("登录已失效，请重新登录")).to_be_visible()
    expect(page.locator("[data-alarm]")).to_have_count(0)


def test_logging_out_shows_the_login_without_reproach(page: Page) -> None:
    """Who leaves on purpose is not told that the session is over, and a reload does not bring them back."""
    log_in(page)
    page.click("[data-test=logout]")
    expect(page.locator("[name=password]")).to_be_visible()
    expect(page.get_by_text("登录已失效")).to_have_count(0)
    page.reload()
    expect(page.locator("[name=password]")).to_be_visible()


def test_what_happened_while_the_service_was_away_is_there_afterwards(page: Page, wall: Wall) -> None:
    """The page says that it reconnects, then goes on where it was: nothing missing, nothing twice, no reload."""
    wall.find("G102")
    log_in(page)
    expect(page.locator("[data-test=connection]")).to_have_text("实时")
    page.evaluate("window.stillTheSamePage = true")
    wall.stop()
    expect(page.locator("[data-test=connection]")).to_have_text("重连中")
    wall.find("G101", severity=1)
    wall.find("W101", device=STRANGER, severity=1)
    wall.start()
    expect(page.locator("[data-test=connection]")).to_have_text("实时")
    expect(page.locator("[data-alarm]")).to_have_count(3)
    assert len(wall.ledger.alarms.alarms(AlarmFilter())) == 3
    assert page.evaluate("window.stillTheSamePage") is True


def test_a_site_on_the_map_filters_alarms_and_devices(page: Page, wall: Wall) -> None:
    """The only site with coordinates is in the middle of the map; one without is named below it."""
    wall.find("G102")
    wall.find("W101", device=STRANGER, severity=1)
    log_in(page)
    expect(page.locator("[data-alarm]")).to_have_count(2)
    page.locator(".map canvas").click()
    expect(page.locator("[data-alarm]")).to_have_count(1)
    expect(page.locator("[data-alarm='1']")).to_be_visible()
    page.get_by_role("button", name="二号工地 1").click()
    expect(page.locator("[data-alarm='2']")).to_contain_text("未登记设备")
    page.get_by_role("button", name="只看 二号工地").click()
    expect(page.locator("[data-alarm]")).to_have_count(2)


def test_a_device_is_found_by_name_and_shows_its_last_hour(page: Page, wall: Wall) -> None:
    """Part of a name is enough; the drawer has the newest reading and the curve."""
    wall.measure([2.0, 3.0, 4.0])
    log_in(page)
    page.click("[data-test=all-devices]")
    page.fill("[type=search]", "灶台")
    devices = page.locator("[data-test=devices] li")
    expect(devices).to_have_text([re.compile("灶台上方")])
    devices.locator("button").click()
    drawer = page.locator("[data-test=drawer]")
    expect(drawer).to_contain_text("4 %LEL")
    expect(drawer.locator("[data-test=curve] canvas")).to_be_visible()


def test_a_link_to_an_alarm_opens_it(page: Page, wall: Wall) -> None:
    """Also for somebody who has to log in first; "back" closes what a click opened."""
    wall.find("G102")
    log_in(page, address="/alarms/1")
    expect(page.locator("[data-test=drawer]")).to_contain_text("气体一级报警")
    page.click("[data-test=close]")
    page.click("[data-alarm='1'] .row")
    expect(page).to_have_url(f"{wall.url}/alarms/1")
    page.go_back()
    expect(page.locator("[data-test=drawer]")).to_have_count(0)


def test_messages_that_are_nowhere_are_shown_as_a_warning(page: Page, wall: Wall) -> None:
    """The account of messages is quiet while it balances and loud when it does not."""
    log_in(page)
    service = page.locator("[data-test=service]")
    expect(service).to_contain_text("收 10 = 解码 9 + 死信 1")
    expect(service).not_to_contain_text("对账不平")
    wall.received = 11
    expect(service).to_contain_text("对账不平")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_no_size_of_screen_scrolls_sideways(page: Page, wall: Wall, width: int, height: int) -> None:
    """A laptop and a phone show the same page within their width, in either language."""
    wall.find("G101", severity=1)
    page.set_viewport_size({"width": width, "height": height})
    log_in(page)
    for switched in (False, True):
        if switched:
            page.click("[data-test=language]")
        expect(page.locator("[data-alarm='1']")).to_contain_text("Gas at level 2" if switched else "气体二级报警")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True
