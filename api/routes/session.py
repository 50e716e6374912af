"""Logging in, logging out, who one is, and changing one's password."""

from fastapi import APIRouter, Request, Response, status

from api.accounts import set_password
from api.context import Ctx
from api.guard import Caller, Viewer, check_same_origin, log_in
from api.models.session import Login, Me, PasswordChange
from api.problems import ForbiddenError
from api.sessions import COOKIE

public = APIRouter(tags=["session 登录"])
router = APIRouter(tags=["session 登录"])


@public.post("/login", summary="登录", response_model=Me)
def login(request: Request, response: Response, context: Ctx, body: Login) -> Caller:
    """Start a session: a cookie that lasts 30 min without use and 12 h at most. Five failures lock the account for 10 min."""
    check_same_origin(request, needed=False)
    account = context.door.login(body.name, body.password.get_secret_value(), _address(request))
    return log_in(context, account, request, response)


@router.post("/logout", summary="退出", status_code=status.HTTP_204_NO_CONTENT)
def logout(response: Response, context: Ctx, who: Viewer) -> None:
    """End this session; a token has none to end."""
    if who.session is not None:
        context.sessions.end(who.session)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")


@router.get("/me", summary="当前用户", response_model=Me)
def me(who: Viewer) -> Caller:
    """Say who is asking."""
    return who


@router.post("/me/password", summary="修改密码", response_model=Me)
def change_password(request: Request, response: Response, context: Ctx, who: Viewer, body: PasswordChange) -> Caller:
    """Change one's own password; every other session of the account ends."""
    if who.session is None:
        raise ForbiddenError("a token has no password")
    context.door.login(who.name, body.old.get_secret_value(), _address(request))
    account = set_password(context.services.accounts, who.name, body.new.get_secret_value())
    return log_in(context, account, request, response)


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"
