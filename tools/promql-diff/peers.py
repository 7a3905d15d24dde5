"""The two that are compared: a real Prometheus, and this repository's engine."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import dataset


class Engine:
    """tools/promql-diff/engine, over its standard input and output."""

    def __init__(self, program, series):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rows = [
            {"name": s.name, "unit": s.unit, "labels": s.labels, "samples": s.samples} for s in series
        ]
        answer = self.ask({"series": rows})
        if "samples" not in answer:
            raise SystemExit(f"the engine refused the samples: {answer}")

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the engine ended at {question}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def version(program):
    """(major, minor)"""
    told = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return tuple(int(number) for number in re.search(r"version (\d+)\.(\d+)", told.stdout).groups())


class Prometheus:
    """A server of its own, on a free port of the loopback, over blocks that promtool made."""

    def __init__(self, series, program, version):
        self.directory = tempfile.mkdtemp(prefix="promql-diff-")
        text = os.path.join(self.directory, "samples.txt")
        with open(text, "w") as file:
            file.write(dataset.openmetrics(series))
        storage = os.path.join(self.directory, "tsdb")
        beside = os.path.join(os.path.dirname(program), "promtool")
        promtool = beside if os.path.exists(beside) else "promtool"
        made = subprocess.run(
            [promtool, "tsdb", "create-blocks-from", "openmetrics", text, storage],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if made.returncode:
            raise SystemExit(f"promtool: {made.stdout}")
        config = os.path.join(self.directory, "prometheus.yml")
        with open(config, "w") as file:
            file.write("global: {}\n")
        features = ["--enable-feature=promql-experimental-functions"] if version[0] >= 3 else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(os.path.join(self.directory, "log"), "w")
        self.process = subprocess.Popen(
            [
                program, f"--config.file={config}", f"--storage.tsdb.path={storage}",
                f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.retention.time=100y", *features,
            ],
            stdout=self.log, stderr=self.log)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(200):
            try:
                if self.get("/-/ready")[0] == 200:
                    return
            except OSError:
                self.connection.close()
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"prometheus does not start: {open(self.log.name).read()[-2000:]}")

    def get(self, path, parameters=None):
        body = urllib.parse.urlencode(parameters) if parameters else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self.connection.request("POST" if body else "GET", path, body, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def ask(self, question):
        form = {"query": question["query"]}
        if "time" in question:
            path, form["time"] = "/api/v1/query", question["time"] / 1000
        else:
            path = "/api/v1/query_range"
            for name in ("start", "end", "step"):
                form[name] = question[name] / 1000
        return json.loads(self.get(path, form)[1])

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
