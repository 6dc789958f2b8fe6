"""A private Postgres for one comparison: its own folder, its own port, gone afterwards."""
import contextlib
import glob
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import psycopg2

OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=100"


def _tools():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[-2]))
    return pathlib.Path(os.environ.get("PG_BIN") or found[-1])


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def private_server():
    """Starts a server and yields its port; superuser `postgres`, trust authentication."""
    data = pathlib.Path(tempfile.mkdtemp(prefix="marts-differential."))
    owner = []
    if os.getuid() == 0:
        shutil.chown(data, "postgres")
        owner = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    port, tools = _free_port(), _tools()

    def tool(name, *args):
        command = [*owner, tools / name, "--pgdata", data / "pg", *args]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    try:
        tool("initdb", "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
        options = f"-h 127.0.0.1 -p {port} -k {data} {OPTIONS}"
        tool("pg_ctl", "--wait", "--log", data / "server.log", "--options", options, "start")
        yield port
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            tool("pg_ctl", "--mode", "immediate", "stop")
        shutil.rmtree(data, ignore_errors=True)


def statement(port, database, sql):
    """Runs one statement outside a transaction block and returns its rows, if it has any."""
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname=database)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
