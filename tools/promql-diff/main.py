"""Asks a real Prometheus and this repository's engine the same questions of the same samples."""

import argparse
import collections
import random
import shutil
import sys

import compare
import dataset
import grammar
import known
import peers


def question(rng, kind):
    moment = dataset.START + rng.randrange(600, dataset.HOURS * 3600 + 900) * 1000 + dataset.QUESTION_MS
    if kind not in ("vector", "scalar") or rng.random() < 0.5:
        return {"time": moment}
    step = rng.choice([15, 60, 60, 137, 600]) * 1000
    end = moment + step * rng.randrange(0, 40) + rng.randrange(0, step // 1000) * 1000
    return {"start": moment, "end": end, "step": step}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, help="the program promql-engine")
    parser.add_argument(
        "--prometheus", default=shutil.which("prometheus"),
        help="the server, without it the one on the PATH; promtool lies beside it or on the PATH")
    parser.add_argument("--expressions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1, help="of the samples and of the expressions")
    parser.add_argument("--show", type=int, default=20, help="differences that are printed")
    parser.add_argument("--words", action="store_true", help="print errors that are told in other words")
    parser.add_argument("--only", type=int, help="one expression, with both answers")
    arguments = parser.parse_args()

    version = peers.version(arguments.prometheus)
    series = dataset.generate(arguments.seed, edges=version[0] >= 3)
    engine = peers.Engine(arguments.engine, series)
    prometheus = peers.Prometheus(series, arguments.prometheus, version)
    print(
        f"{sum(len(s.samples) for s in series)} samples in {len(series)} series, Prometheus "
        f"{version[0]}.{version[1]}, seed {arguments.seed}")
    counts = collections.Counter()
    shown = 0
    try:
        for number in range(arguments.expressions) if arguments.only is None else [arguments.only]:
            rng = random.Random(f"{arguments.seed}/{number}")
            words = grammar.Grammar(rng, dataset.START, dataset.HOURS, version)
            pair, kind = words.expression()
            if rng.random() < 0.04:
                pair = words.broken(pair, rng)
            asked = question(rng, kind)
            ours = engine.ask({**asked, "query": pair.ours})
            theirs = prometheus.ask({**asked, "query": pair.theirs})
            if arguments.only is not None:
                print(pair.ours, asked, ours, theirs, sep="\n")
            ordered = "time" in asked and pair.ours.startswith(("sort", "topk", "bottomk"))
            found = compare.difference(ours, theirs, ordered, pair.ours)
            if ours["status"] == "success" and ours["data"]["result"]:
                counts["answers with series"] += 1
            elif ours["status"] == "error":
                counts["errors"] += 1
                if theirs["status"] == "error" and ours["error"] != theirs["error"]:
                    counts["errors in other words"] += 1
                    if arguments.words:
                        print(pair.theirs, ours["error"], theirs["error"], sep="\n  ")
            else:
                counts["empty answers"] += 1
            counts["range" if "start" in asked else "instant"] += 1
            if not found:
                continue
            name = known.name(version[0], pair.ours, found)
            if name:
                counts[f"known: {name}"] += 1
                continue
            counts["differences"] += 1
            if shown < arguments.show:
                shown += 1
                print(f"\nseed {arguments.seed}, expression {number}, {asked}\n  {pair.ours}")
                if pair.theirs != pair.ours:
                    print(f"  {pair.theirs}")
                print(f"  {found}")
    finally:
        engine.close()
        prometheus.close()
    print(f"\n{arguments.expressions} expressions: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
    return 1 if counts["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
