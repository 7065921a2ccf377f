"""The generated stubs load beside protovalidate and beside other people's code."""

import subprocess
import sys

import pytest

VALIDATE_AN_EMPTY_HEADER = """
header = envelope_pb2.Header()
assert protovalidate.collect_violations(header)
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import protovalidate\nfrom rogatory.exchange.v1 import envelope_pb2",
        "from rogatory.exchange.v1 import envelope_pb2\nimport protovalidate",
    ],
    ids=["protovalidate first", "stubs first"],
)
def test_import_order_is_free(imports: str) -> None:
    """Either import may come first: one copy of validate.proto is registered, without a warning."""
    program = f"{imports}\n{VALIDATE_AN_EMPTY_HEADER}"

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )

    assert (0, "") == (result.returncode, result.stderr)


def test_no_top_level_package_but_our_own() -> None:
    """The stubs bring no import package named buf, which other distributions install too."""
    program = "import rogatory.exchange.v1.envelope_pb2, sys; print('buf' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "False\n" == result.stdout
