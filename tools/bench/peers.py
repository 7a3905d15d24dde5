#!/usr/bin/env python3
"""Asks DuckDB and SQLite the questions of `bench queries`, of the same events. Run by it; prints JSON.

usage: peers.py EVENTS.csv DIRECTORY ROUNDS QUESTIONS.json

EVENTS.csv has time (milliseconds), kpi, pipeline, result, and the value in thousandths. QUESTIONS.json holds the edges
of the questions. For each engine and question the answer names the times of all rounds in seconds, warm, and what was
found, so that the caller can compare.
"""

import json
import sqlite3
import sys
import time

import duckdb

events, directory, rounds, questions = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.load(open(sys.argv[4]))
hour, day = 3_600_000, 86_400_000


def sql(engine: str) -> dict[str, str]:
    """The five questions. Windows are open on the left, as PromQL's are."""
    q = questions
    one = f"kpi = '{q['kpi']}'"
    if engine == "sqlite":
        quantile = (
            f"SELECT pipeline, d, value FROM (SELECT pipeline, (time - 1) / {day} AS d, value,"
            f" row_number() OVER (PARTITION BY pipeline, (time - 1) / {day} ORDER BY value) AS place,"
            f" count(*) OVER (PARTITION BY pipeline, (time - 1) / {day}) AS n FROM events WHERE {one})"
            " WHERE place = (95 * n + 99) / 100"
        )
        bucket = "/"
    else:
        quantile = (
            f"SELECT pipeline, (time - 1) // {day} AS d, quantile_disc(value, 0.95) FROM events"
            f" WHERE {one} GROUP BY pipeline, d"
        )
        bucket = "//"
    return {
        "Q1": f"SELECT (time - 1) {bucket} {hour} AS h, avg(value) FROM events WHERE {one}"
        f" AND pipeline = '{q['pipeline']}' AND time > {q['weekStart']} AND time <= {q['weekEnd']} GROUP BY h",
        "Q2": quantile,
        "Q3": f"SELECT kpi, sum(value) FROM events WHERE time > {q['sumStart']} AND time <= {q['sumEnd']} GROUP BY kpi",
        "Q4": f"SELECT pipeline, count(*) AS c FROM events WHERE {one} AND result = 'failed'"
        f" AND time > {q['monthStart']} AND time <= {q['monthEnd']} GROUP BY pipeline ORDER BY c DESC, pipeline LIMIT 10",
        "Q5": "SELECT count(*) FROM events",
    }


def measure(ask, engine: str) -> dict:
    result = {}
    for name, text in sql(engine).items():
        found, times = None, []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            found = ask(text)
            times.append(time.perf_counter() - start)
            if sum(times) > 60:
                break
        result[name] = {"seconds": times[1:] or times, "found": found if name in ("Q3", "Q4", "Q5") else len(found)}
    return result


answers = {}
connection = duckdb.connect(f"{directory}/events.duckdb")
connection.execute(
    "CREATE TABLE events AS SELECT * FROM read_csv($1, header = false, columns = {'time': 'BIGINT', 'kpi': 'VARCHAR',"
    " 'pipeline': 'VARCHAR', 'result': 'VARCHAR', 'value': 'BIGINT'})",
    [events],
)


def duck(text: str):
    return [[int(v) if isinstance(v, int) else v for v in row] for row in connection.execute(text).fetchall()]


answers["DuckDB, as loaded"] = measure(duck, "duckdb")
connection.execute("CREATE TABLE ordered AS SELECT * FROM events ORDER BY kpi, pipeline, result, time")
connection.execute("DROP TABLE events")
connection.execute("ALTER TABLE ordered RENAME TO events")
connection.execute("CHECKPOINT")
answers["DuckDB, sorted"] = measure(duck, "duckdb")
connection.close()

lite = sqlite3.connect(f"{directory}/events.sqlite")
lite.execute("PRAGMA journal_mode = OFF")
lite.execute("PRAGMA synchronous = OFF")
lite.execute("PRAGMA cache_size = -2000000")
lite.execute("CREATE TABLE events (time INTEGER, kpi TEXT, pipeline TEXT, result TEXT, value INTEGER)")
with open(events) as lines:
    lite.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (line.rstrip("\n").split(",") for line in lines))
lite.execute("CREATE INDEX by_series ON events (kpi, pipeline, result, time, value)")
lite.execute("ANALYZE")
lite.commit()
answers["SQLite"] = measure(lambda text: [list(row) for row in lite.execute(text).fetchall()], "sqlite")
json.dump(answers, sys.stdout)
