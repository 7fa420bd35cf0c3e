"""`make simulate`: many hostile campaigns on all cores. Each failing seed prints the one command that replays it.

python -m tests.simulate [--campaigns 10000] [--contacts 200] [--first 1]
"""

import argparse
import multiprocessing
import sys
import time

from waihu.simulator.hostile import hostile, replay

_CHUNK = 20


def run(chunk: tuple[int, int, int]) -> tuple[int, list[str]]:
    """Worlds of the seeds from the first on; what was broken, with the commands that show it."""
    first, count, contacts = chunk
    broken = []
    for seed in range(first, first + count):
        try:
            faults = [f"{violation}" for violation in hostile([seed], contacts)]
        except Exception as failure:
            # A core that stops rather than break a promise has failed as well; so has a world that cannot be made.
            faults = [f"stopped: {failure!r} [seed {seed}]"]
        broken += faults
        if faults:
            broken.append(f"  again: {replay(seed, contacts)}")
    return count, broken


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--campaigns", type=int, default=10_000)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--first", type=int, default=1)
    given = parser.parse_args()
    last = given.first + given.campaigns
    chunks = [(at, min(_CHUNK, last - at), given.contacts) for at in range(given.first, last, _CHUNK)]
    began = time.monotonic()
    done = faults = 0
    with multiprocessing.Pool() as pool:
        for count, broken in pool.imap_unordered(run, chunks):
            done += count
            faults += sum(not line.startswith("  ") for line in broken)
            for line in broken:
                print(line, flush=True)
            if done % 500 < _CHUNK or done == given.campaigns:
                print(
                    f"{done} worlds of {given.contacts} numbers, {faults} faults, {time.monotonic() - began:.0f} s",
                    flush=True,
                )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
