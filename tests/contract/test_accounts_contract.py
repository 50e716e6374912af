"""What every store of accounts promises; run on each adapter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from domain.errors import NotFoundError, RefusedError
from registers.account import Account, Accounts, Role, Token
from storage.sql.accounts import SqlAccounts
from storage.sql.engine import METADATA, open_engine

Open = Callable[[Path], Accounts]


def _sqlite(folder: Path) -> Accounts:
    engine = open_engine(f"sqlite:///{folder}/accounts.db")
    METADATA.create_all(engine)
    return SqlAccounts(engine)


ADAPTERS: dict[str, Open] = {"sqlite": _sqlite}


@pytest.fixture(params=ADAPTERS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Accounts]:
    """Return what opens the same store again, as another process would."""
    return lambda: ADAPTERS[request.param](tmp_path)


@pytest.fixture
def store(reopen: Callable[[], Accounts]) -> Accounts:
    return reopen()


_ACCOUNT = Account(
    name="li", role=Role.OPERATOR, password_hash="$argon2id$made-up", failures=3, locked_until_ms=1_763_900_000_123
)
_TOKEN = Token(name="grafana", role=Role.VIEWER, digest="ab" * 32, created_at_ms=1_763_900_000_123)


def test_account_is_kept_whole_and_replaced_by_name(store: Accounts) -> None:
    """Every field comes back; a second put with the name is an update."""
    store.put_account(_ACCOUNT)
    assert store.account("li") == _ACCOUNT
    changed = msgspec.structs.replace(_ACCOUNT, role=Role.ADMIN, generation=2, disabled=True)
    store.put_account(changed)
    assert store.accounts() == [changed]


def test_failures_are_counted_and_lock_without_touching_the_rest(store: Accounts) -> None:
    """The second of two locks and begins again at 0; clearing forgets the count only; nobody by that name is no error."""
    fresh = msgspec.structs.replace(_ACCOUNT, failures=0, locked_until_ms=0)
    store.put_account(fresh)
    store.record_failure("li", most=2, locked_until_ms=7)
    assert store.account("li") == msgspec.structs.replace(fresh, failures=1)
    store.record_failure("li", most=2, locked_until_ms=7)
    assert store.account("li") == msgspec.structs.replace(fresh, locked_until_ms=7)
    store.record_failure("li", most=2, locked_until_ms=9)
    store.clear_failures("li")
    assert store.account("li") == msgspec.structs.replace(fresh, locked_until_ms=7)
    store.record_failure("nobody", most=2, locked_until_ms=9)
    assert [account.name for account in store.accounts()] == ["li"]


def test_token_is_found_by_its_digest(store: Accounts) -> None:
    """Only the digest is known to the store; expiry and revocation are the caller's to judge."""
    store.put_token(_TOKEN)
    revoked = msgspec.structs.replace(_TOKEN, expires_ms=1, revoked=True)
    store.put_token(revoked)
    assert store.token_by_digest(_TOKEN.digest) == revoked


def test_lists_are_in_order_of_names(store: Accounts) -> None:
    """As a person looks for them."""
    for name in ("b", "c", "a"):
        store.put_account(msgspec.structs.replace(_ACCOUNT, name=name))
        store.put_token(msgspec.structs.replace(_TOKEN, name=name, digest=name * 64))
    assert [account.name for account in store.accounts()] == ["a", "b", "c"]
    assert [token.name for token in store.tokens()] == ["a", "b", "c"]


def test_unknown_names_are_not_found(store: Accounts) -> None:
    """The message of a missing token does not repeat what was tried."""
    with pytest.raises(NotFoundError, match="no account 'wang'"):
        store.account("wang")
    with pytest.raises(NotFoundError, match=r"^no such token$"):
        store.token_by_digest("cd" * 32)


def test_one_digest_cannot_have_two_names(store: Accounts) -> None:
    """A request with a token belongs to one name."""
    store.put_token(_TOKEN)
    with pytest.raises(RefusedError, match="token 'other'"):
        store.put_token(msgspec.structs.replace(_TOKEN, name="other"))
    assert store.tokens() == [_TOKEN]


def test_secret_is_made_once_and_stays(reopen: Callable[[], Accounts]) -> None:
    """32 bytes at first use, the same after a restart, different for different names."""
    made = reopen().secret("cookies")
    assert len(made) == 32
    assert reopen().secret("cookies") == made
    assert reopen().secret("search") != made


def test_processes_that_start_together_agree_on_the_secret(reopen: Callable[[], Accounts]) -> None:
    """Whoever is first makes it; the others read it."""
    stores = [reopen() for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        assert len(set(pool.map(lambda store: store.secret("cookies"), stores))) == 1
