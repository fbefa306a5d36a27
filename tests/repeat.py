"""Run contracts again and again: no order, seed or process may make a difference (`python -m tests.repeat --runs 20 voyage_ai qdrant`)."""

import argparse
import subprocess
import sys
import time

SUITES = "static,conformance,pact,fuzz,stateful,cassette,fault"  # load measures the machine, and this one is busy with the others


def main() -> int:
    """Each contract so many times, in an order and with a seed of its own; 1 when any run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.repeat", description="Run contracts in random order, with other seeds, again and again.")
    parser.add_argument("contracts", nargs="+", metavar="CONTRACT")
    parser.add_argument("--runs", type=int, default=20, help="of each contract (default: 20)")
    parser.add_argument("--processes", type=int, default=2, help="that share the cases of a run (default: 2)")
    parser.add_argument("--suite", default=SUITES, help=f"the suites (default: {SUITES})")
    parser.add_argument("--first-seed", type=int, default=1, help="a run that failed is repeated by its seed and --runs 1 (default: 1)")
    wanted = parser.parse_args()
    failed = 0
    for contract in wanted.contracts:
        for seed in range(wanted.first_seed, wanted.first_seed + wanted.runs):
            failed += not run_once(contract, seed, suites=wanted.suite, processes=wanted.processes)
    total = wanted.runs * len(wanted.contracts)
    print(f"{total} runs, {failed} failed")
    return 1 if failed else 0


def run_once(contract: str, seed: int, *, suites: str, processes: int) -> bool:
    """One run; what it says is shown when it fails."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-n", str(processes), f"--randomly-seed={seed}"]
    command += ["--contract", contract, "--suite", suites, f"--contract-seed={seed}", f"--contract-report=build/repeat/{contract}-{seed}.jsonl"]
    began_s = time.monotonic()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    last = next((line for line in reversed(result.stdout.splitlines()) if line.strip()), "nothing was said")
    state = "passed" if result.returncode == 0 else f"FAILED ({result.returncode})"
    print(f"{contract} seed {seed}: {state}: {last} ({time.monotonic() - began_s:.0f} s)", flush=True)
    if result.returncode != 0:
        print(result.stdout[-6000:] + result.stderr[-2000:], flush=True)
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
