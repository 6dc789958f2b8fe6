"""The PostgreSQL that a benchmark starts for itself, and the programs that it compares."""
import contextlib
import getpass
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MARTS = os.environ.get("MARTS_BENCH_BINARY") or os.path.join(ROOT, "target", "release", "marts")


def postgres_bin():
    found = os.environ.get("MARTS_PG_BIN")
    if found:
        return found
    folders = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
    newest = sorted(folders, key=lambda f: int("".join(c for c in f if c.isdigit()) or 0))
    return newest[-1] if newest else os.path.dirname(shutil.which("initdb") or sys.exit("no PostgreSQL found"))


class Server:
    """A PostgreSQL of our own on a Unix socket, with the settings of marts' private server and `more`."""

    def __init__(self, folder, more=()):
        self.folder, self.bin = folder, postgres_bin()
        self.data = os.path.join(folder, "data")
        self.user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(folder, "postgres")
        self.tool("initdb", "-D", self.data, "-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C")
        settings = [
            f"-k {folder}", "-c listen_addresses=''", "-c synchronous_commit=off", "-c wal_level=minimal",
            "-c max_wal_senders=0", "-c max_wal_size=8GB", "-c shared_buffers=1GB", "-c work_mem=64MB",
            "-c jit=off", "-c autovacuum=off", *(f"-c {setting}" for setting in more),
        ]
        self.log = os.path.join(folder, "log")
        self.tool("pg_ctl", "-D", self.data, "-w", "-l", self.log, "-o", " ".join(settings), "start")
        with open(os.path.join(self.data, "postmaster.pid")) as pid:
            self.pid = int(pid.readline())
        os.environ["PGOPTIONS"] = "-c client_min_messages=warning"

    def tool(self, name, *args):
        subprocess.run([*self.prefix, os.path.join(self.bin, name), *args], check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.tool("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def processor_seconds(self):
        """Of all its processes that have ended; a backend ends a moment after its client."""
        time.sleep(0.3)
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def psql(self, *args):
        return [os.path.join(self.bin, "psql"), "-h", self.folder, "-U", self.user, "-d", "postgres",
                "-qAtX", "-v", "ON_ERROR_STOP=1", *args]

    def sql(self, text):
        done = subprocess.run(self.psql("-c", text), check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def logged(self, work):
        """What the server logs while `work` runs: the result of `work`, then the text."""
        at = os.path.getsize(self.log)
        result = work()
        time.sleep(0.3)
        with open(self.log) as log:
            log.seek(at)
            return result, log.read()


@contextlib.contextmanager
def scratch(more=()):
    """A server in a folder of its own; both are gone afterwards, on SIGTERM too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="marts-bench-", dir="/tmp")
    os.chmod(folder, 0o755)
    server = Server(folder, more)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def dbt():
    """dbt-core's program: `MARTS_BENCH_DBT`, or the `dbt` of the path if it is dbt-core."""
    found = os.environ.get("MARTS_BENCH_DBT") or shutil.which("dbt")
    return found or sys.exit("no dbt: python3 -m venv V && V/bin/pip install -r bench/requirements.txt, "
                             "then MARTS_BENCH_DBT=V/bin/dbt")
