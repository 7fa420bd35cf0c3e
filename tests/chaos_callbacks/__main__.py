"""Runs the chaos of callbacks on a database of its own, and judges it.

python -m tests.chaos_callbacks [--callbacks 100000] [--kills 50] [--seconds 240] [--seed 1]
                                [--directory var/chaos-callbacks]
"""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from tests.chaos_callbacks.run import Plan, run

from waihu.adapters.postgres.embedded import EmbeddedPostgres
from waihu.adapters.postgres.migrations import migrate

P99_MAX_S = 1.0


def main(plan: Plan) -> int:
    shutil.rmtree(plan.directory, ignore_errors=True)
    plan.directory.mkdir(parents=True)
    # The server runs as another account when we are root, and has to reach its files.
    plan.directory.chmod(0o711)
    data = plan.directory / "postgres"
    data.mkdir()
    server = EmbeddedPostgres(data)
    server.start()
    try:
        asyncio.run(migrate(server.url))
        verdict = asyncio.run(run(plan, server.url, print))
    finally:
        server.stop()
    for fault in verdict.faults[:50]:
        print(f"FAULT  {fault}")
    p99_s = verdict.delay_s(0.99)
    is_slow = p99_s >= P99_MAX_S
    print(
        f"{verdict.callbacks} callbacks in {verdict.pushes} pushes, {verdict.repeated} of them repeated, "
        f"{verdict.repeated_after_200} of those after a 200 whose sender was killed before it could note it"
    )
    print(
        f"sound receivers, from commit to hearing: p50 {verdict.delay_s(0.5):.3f} s, p99 {p99_s:.3f} s, "
        f"p99.9 {verdict.delay_s(0.999):.3f} s, longest {verdict.delays_s[-1]:.3f} s"
    )
    print(f"{len(verdict.faults)} faults{', too slow' if is_slow else ''}, seed {plan.seed}")
    return 1 if verdict.faults or is_slow else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--callbacks", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=Path("var/chaos-callbacks"))
    sys.exit(main(Plan(**vars(parser.parse_args()))))
