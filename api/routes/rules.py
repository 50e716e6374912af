"""The rule catalogue: what is watched for, how grave it is and on what basis."""

from fastapi import APIRouter

from api.models.rules import RuleView
from detectors.catalogue import CATALOGUE

router = APIRouter(tags=["rules 规则"])


@router.get("/rules", summary="规则目录")
def list_rules() -> list[RuleView]:
    """Give every rule of the house in the order of the rule book."""
    return [RuleView.of(rule) for rule in CATALOGUE.values()]
