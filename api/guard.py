"""Who is asking, and whether they may: cookies for people (from our own pages only), bearer tokens for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from api.accounts import find_token
from api.context import Context, Ctx
from api.problems import ForbiddenError, UnauthenticatedError
from api.sessions import ABSOLUTE_MS, COOKIE, Session
from domain.errors import NotFoundError
from registers.account import Account, Role

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_RANK = {role: rank for rank, role in enumerate((Role.VIEWER, Role.OPERATOR, Role.ADMIN))}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks: `via` is `session` or `token`; `session` only of the first."""

    name: str
    role: Role
    via: str
    expires_ms: int | None
    session: Session | None = None

    @property
    def by(self) -> str:
        """How the books name them."""
        return f"{'user' if self.session else 'token'}:{self.name}"


def caller(request: Request, response: Response, context: Ctx) -> Caller:
    """Return who asks; raise UnauthenticatedError, or ForbiddenError for a request another site made with our cookie."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(context, secret.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise UnauthenticatedError("log in first, or send a token as 'Authorization: Bearer ew_…'")
    if request.method not in _SAFE:
        check_same_origin(request, needed=True)
    return _by_session(context, context.sessions.read(cookie), request, response)


def _by_token(context: Context, secret: str) -> Caller:
    try:
        token = find_token(context.services.accounts, secret, context.services.clock_ms())
    except NotFoundError as error:
        raise UnauthenticatedError("this token is not valid") from error
    return Caller(token.name, token.role, "token", token.expires_ms)


def _by_session(context: Context, session: Session, request: Request, response: Response) -> Caller:
    try:
        account = context.services.accounts.account(session.name)
    except NotFoundError as error:
        raise UnauthenticatedError("this account no longer exists") from error
    if account.disabled or account.generation != session.generation:
        raise UnauthenticatedError("this session is over; log in again")
    renewed = context.sessions.renewed(session)
    if renewed is not None:
        set_cookie(context, renewed, request, response)
    return Caller(account.name, account.role, "session", session.expires_ms, session)


def set_cookie(context: Context, session: Session, request: Request, response: Response) -> None:
    """Send the session to the browser: out of reach of scripts and other sites; https only when it came so or is set so."""
    response.set_cookie(
        COOKIE,
        context.sessions.write(session),
        max_age=ABSOLUTE_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=context.services.secure_cookies or request.url.scheme == "https",
    )


def log_in(context: Context, account: Account, request: Request, response: Response) -> Caller:
    """Start a session for an account that has proved itself."""
    session = context.sessions.start(account)
    set_cookie(context, session, request, response)
    return Caller(account.name, account.role, "session", session.expires_ms, session)


def check_same_origin(request: Request, *, needed: bool) -> None:
    """Raise ForbiddenError when a browser says that another site made this request, or (if `needed`) nothing says who did."""
    fetch_site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if fetch_site is not None:
        same = fetch_site == "same-origin"
    elif origin is not None:
        same = urlsplit(origin).netloc == request.headers.get("host")
    else:
        same = not needed
    if not same:
        raise ForbiddenError(
            "a change with a session cookie must come from our own page (Origin or Sec-Fetch-Site); programs use a token"
        )


def require(role: Role) -> Callable[[Caller], Caller]:
    """Return a dependency that lets only this role and higher ones through."""

    def check(who: "Viewer") -> Caller:
        if _RANK[who.role] < _RANK[role]:
            raise ForbiddenError(f"this needs the role '{role}'; yours is '{who.role}'")
        return who

    return check


def scraper(request: Request, response: Response, context: Ctx) -> None:
    """Let a metrics scrape in: anybody who is logged in, or loopback when the settings open it."""
    if not (context.services.metrics_open and is_loopback(request)):
        caller(request, response, context)


def is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


Viewer = Annotated[Caller, Depends(caller)]
Operator = Annotated[Caller, Depends(require(Role.OPERATOR))]
Admin = Annotated[Caller, Depends(require(Role.ADMIN))]
