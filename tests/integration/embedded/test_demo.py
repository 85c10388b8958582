"""`make demo` with real workers on a real service."""

import subprocess
import sys

from ops.demo.compile_stdlib import LABEL, POLICY
from ops.demo.muster import Muster
from tests.patience import PATIENCE_S
from tests.service import Program, free_port


def test_the_demo_goes_on_with_what_has_not_ended_and_leaves_nothing_to_go_on_with(dsn: str) -> None:
    """B-RETRY-4, B-VIEW-6."""
    with Program("serve", "--dsn", dsn, "--port", str(free_port())) as program, Muster(program.url()) as muster:
        muster.create("cut-off", POLICY, labels=dict([LABEL]))
        demo = [sys.executable, "-m", "ops.demo", "--url", muster.url, "--limit", "8"]
        said = subprocess.run(demo, capture_output=True, text=True, timeout=4 * PATIENCE_S, check=True).stdout
        assert "going on with cut-off: 8 of 8 units are new" in said
        assert "SyntaxError: cannot assign to literal" in said
        assert "every unit is accounted for" in said
        assert muster.campaign("cut-off")["units"]["quarantined"] == 5
        assert muster.unfinished(LABEL) is None
