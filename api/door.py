"""The door: proving a password, slowly and equally slowly for everybody, and locking after too many failures."""

import threading
from collections.abc import Callable

from api.accounts import hash_password, verify_password
from api.problems import TooManyRequestsError, UnauthenticatedError
from domain.errors import NotFoundError
from registers.account import Account, Accounts

FAILURES = 5
LOCK_MS = 10 * 60_000
ATTEMPTS_PER_MINUTE = 10
_MINUTE_MS = 60_000
_ADDRESSES = 10_000
_REFUSAL = "name or password is wrong, or the account is locked (ten minutes after five failures)"


class Door:
    """Checks logins one at a time: argon2 takes 64 MiB a check, and failures must not be counted past each other."""

    def __init__(self, accounts: Accounts, clock_ms: Callable[[], int]) -> None:
        self._accounts = accounts
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._attempts: dict[str, tuple[int, int]] = {}
        self._nobody: str | None = None

    def login(self, name: str, password: str, address: str) -> Account:
        """Return the account; raise UnauthenticatedError (always in the same words) or TooManyRequestsError."""
        with self._lock:
            self._count_attempt(address)
            account = self._find(name)
            proved = verify_password(account.password_hash if account else self._nobodys_hash(), password)
            if account is None or account.disabled or account.locked_until_ms > self._clock_ms():
                raise UnauthenticatedError(_REFUSAL)
            if not proved:
                lock_ms = self._clock_ms() + LOCK_MS
                self._accounts.record_failure(name, most=FAILURES, locked_until_ms=lock_ms)
                raise UnauthenticatedError(_REFUSAL)
            if account.failures:
                self._accounts.clear_failures(name)
            return account

    def _find(self, name: str) -> Account | None:
        try:
            return self._accounts.account(name)
        except NotFoundError:
            return None

    def _nobodys_hash(self) -> str:
        if self._nobody is None:
            self._nobody = hash_password("nobody")
        return self._nobody

    def _count_attempt(self, address: str) -> None:
        minute = self._clock_ms() // _MINUTE_MS
        if len(self._attempts) > _ADDRESSES:
            self._attempts = {who: seen for who, seen in self._attempts.items() if seen[0] == minute}
        last, count = self._attempts.get(address, (minute, 0))
        count = count + 1 if last == minute else 1
        self._attempts[address] = (minute, count)
        if count > ATTEMPTS_PER_MINUTE:
            raise TooManyRequestsError("too many logins from this address; wait a minute")
