"""Python hashes strings anew in each process; no decision may depend on it."""

import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

from small_world import wander
from story_stage import play
from test_stories import STORIES


def digest() -> str:
    """A fingerprint of all that is decided in every story and in some long runs."""
    told = [play(story) for story in STORIES]
    wandered = [wander(seed, acts=400) for seed in range(5)]
    return blake2b(repr((told, wandered)).encode(), digest_size=16).hexdigest()


def test_decisions_do_not_depend_on_the_hash_seed() -> None:
    script = "from test_hash_seeds import digest; print(digest())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "2", "4294967295")
    ]
    digests = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert all(process.returncode == 0 for process in processes)
    assert digests == {digest()}
