"""The OpenAPI document as a file: `python -m api.openapi > screens/openapi.json`. Equal source gives equal bytes.

The types of the screens are made from that file; a test compares it with this version.
"""

import json
import sys

from api.app import bare_app


def text() -> str:
    """Return the document of this version, keys sorted."""
    return json.dumps(bare_app().openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
