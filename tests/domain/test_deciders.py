"""The table of decisions: total at import, each with the rows that it reads."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.domain import commands as c
from service.domain import ids
from service.domain.decide import diagnostic, reads
from service.domain.decide.decide import DECIDERS, commands_to_decide
from service.domain.read_set import ReadSet
from tests.domain.scenario import NIGHT, beat, failure, order, success

NUDGE = """
from service.domain.commands import {base}
class Nudge({base}, frozen=True): pass
import service.domain.decide
"""
UNIT = (NIGHT, ids.UnitKey("a"))


@pytest.mark.parametrize("base", ["Command", "Report", "UnitCommand"])
def test_a_command_without_a_decision_makes_the_import_fail(base: str) -> None:
    """A service that does not know what to do with a command does not start."""
    imported = subprocess.run([sys.executable, "-c", NUDGE.format(base=base)], capture_output=True, text=True, check=False)
    assert imported.returncode == 1
    assert imported.stderr.endswith("TypeError: no decision for ['Nudge']\n")


def test_a_decision_without_reads_makes_the_import_fail() -> None:
    """A command whose rows nobody loads would be refused as if they were not there."""
    source = Path(diagnostic.__file__).read_text(encoding="utf-8")
    assert "Decider(export, reads_export)" in source
    with pytest.raises(TypeError, match="Missing required argument 'reads'"):
        exec(source.replace("Decider(export, reads_export)", "Decider(export)"), {"__name__": "diagnostic"})


def test_every_command_has_one_decision_and_no_decision_is_without_a_command() -> None:
    assert set(commands_to_decide()) == set(DECIDERS)
    assert {c.CreateCampaign, c.FailAttempt, c.RetryUnit, c.ApplyRecovery} <= set(DECIDERS)
    assert not {c.Command, c.Report, c.UnitCommand, c.RecoveryCommand} & set(DECIDERS)


def test_a_batch_reads_what_its_commands_read_together() -> None:
    commands = [beat("t1"), beat("t2", idle=True), success("t3"), failure("t4"), order(c.RetryUnit), order(c.StopUnit)]
    assert reads(commands, [NIGHT]) == ReadSet(
        planned_campaigns=(NIGHT,),
        claims=(ids.Token("t1"),),
        failing_claims=(ids.Token("t2"), ids.Token("t4")),
        completing_claims=(ids.Token("t3"),),
        campaigns=(NIGHT, NIGHT),
        returning_units=(UNIT,),
        ending_units=(UNIT,),
    )


def test_orders_about_the_engine_read_no_rows() -> None:
    assert reads([c.PauseEngine(), c.ResizePool(pool_size=3), c.TickEngine(force=False)]) == ReadSet()
