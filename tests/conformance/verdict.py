"""pytest plugin: holds the run against expected_failures.txt and prints `passes x of y`.

A line of the list is `<test id>  # reason`. A test of the list that passes is an error, and so is
one that fails without being listed; the exit code is 0 only when the list tells the whole truth.
Failures are written to `failures.txt` in the working folder as they happen.
"""
import os
from pathlib import Path

LIST = Path(__file__).with_name("expected_failures.txt")
# Those that fail besides as a role that may not create schemas.
RESTRICTED = Path(__file__).with_name("expected_failures_restricted_role.txt")


def expected():
    found = {}
    lines = LIST.read_text().splitlines()
    if os.environ.get("RESTRICTED_ROLE"):
        lines += RESTRICTED.read_text().splitlines()
    for line in lines:
        test, _, reason = line.partition("  # ")
        if test.strip() and not test.startswith("#"):
            if not reason.strip():
                raise SystemExit(f"{LIST.name}: {test}: an expected failure needs a reason")
            found[test.strip()] = reason.strip()
    return found


class Verdict:
    def __init__(self):
        self.outcomes = {}
        self.surprises = self.mended = []
        self.log = Path("failures.txt").absolute()
        self.log.write_text("")

    def pytest_runtest_logreport(self, report):
        test = report.nodeid.split("::", 1)[1]
        worst = self.outcomes.get(test, "passed")
        if report.outcome == "failed":
            worst = "failed"
            with self.log.open("a") as log:
                crash = getattr(report.longrepr, "reprcrash", None)
                message = crash.message if crash else str(report.longrepr)
                log.write(f"{test}: {message[:300]!r}\n")
        elif report.outcome == "skipped" and worst == "passed":
            worst = "skipped"
        self.outcomes[test] = worst

    def pytest_sessionfinish(self, session):
        known = expected()
        failed = {t for t, o in self.outcomes.items() if o != "passed"}
        self.surprises = sorted(failed - known.keys())
        self.mended = sorted(t for t in known if self.outcomes.get(t) == "passed")
        if self.outcomes:
            session.exitstatus = 1 if self.surprises or self.mended else 0

    def pytest_terminal_summary(self, terminalreporter):
        say = terminalreporter.write_line
        for test in self.surprises:
            say(f"fails, and is not in {LIST.name}: {test}")
        for test in self.mended:
            say(f"passes, and is still in {LIST.name}: {test}")
        passed = sum(o == "passed" for o in self.outcomes.values())
        say(f"passes {passed} of {len(self.outcomes)}")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Verdict(), "verdict-of-marts")
