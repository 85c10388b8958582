"""The account that Postgres runs as, made once however many start at the same time."""

import os
import subprocess
import sys

NAME = "muster-race"
ASK = f"""
import sys
from service.embedded import os_user
os_user.NAME = "{NAME}"
input()
print(os_user.os_user().uid)
"""


def test_processes_that_start_together_on_a_new_machine_agree_on_one_account() -> None:
    first = [
        subprocess.Popen([sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    try:
        for process in first:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        told = {process.communicate()[0].strip() for process in first}
    finally:
        if os.geteuid() == 0:
            subprocess.run(["/usr/sbin/userdel", NAME], check=False, capture_output=True)
    assert len(told) == 1
    assert told != {""}
