"""Sessions: a signed cookie that says who, since when and last seen when. Times are of our clock, in epoch ms."""

import secrets
from collections.abc import Callable
from functools import cached_property

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

from api.problems import UnauthenticatedError
from registers.account import Account, Accounts

COOKIE = "emberwatch_session"
IDLE_MS = 30 * 60_000
ABSOLUTE_MS = 12 * 60 * 60_000
RENEW_MS = 60_000


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the cookie says; `generation` is the account's at login, so a changed password ends it."""

    id: str
    name: str
    generation: int
    started_ms: int
    seen_ms: int

    @property
    def expires_ms(self) -> int:
        """When it ends at the latest."""
        return self.started_ms + ABSOLUTE_MS


class Sessions:
    """Makes, reads and ends sessions. Ended ones are remembered until they would have expired, by this process."""

    def __init__(self, accounts: Accounts, clock_ms: Callable[[], int]) -> None:
        self._accounts = accounts
        self._clock_ms = clock_ms
        self._ended: dict[str, int] = {}

    @cached_property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._accounts.secret("session"), salt="emberwatch.session")

    def start(self, account: Account) -> Session:
        now = self._clock_ms()
        return Session(
            id=secrets.token_urlsafe(12),
            name=account.name,
            generation=account.generation,
            started_ms=now,
            seen_ms=now,
        )

    def write(self, session: Session) -> str:
        """Return the cookie's value."""
        return str(self._signer.dumps(msgspec.to_builtins(session)))

    def read(self, cookie: str) -> Session:
        """Return the session; raise UnauthenticatedError when it is not ours, idle for 30 min, over after 12 h, or ended."""
        try:
            session = msgspec.convert(self._signer.loads(cookie), Session)
        except (BadSignature, msgspec.ValidationError) as error:
            raise UnauthenticatedError("this session is not one of ours; log in again") from error
        now = self._clock_ms()
        if session.id in self._ended or now >= session.expires_ms or now >= session.seen_ms + IDLE_MS:
            raise UnauthenticatedError("this session is over; log in again")
        return session

    def renewed(self, session: Session) -> Session | None:
        """Return the session as seen now, or None while the last look is less than a minute ago."""
        now = self._clock_ms()
        return msgspec.structs.replace(session, seen_ms=now) if now >= session.seen_ms + RENEW_MS else None

    def end(self, session: Session) -> None:
        now = self._clock_ms()
        self._ended = {key: until for key, until in self._ended.items() if until > now}
        self._ended[session.id] = session.expires_ms
