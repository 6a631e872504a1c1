"""`make audit`: known vulnerabilities of the locked packages, as a report; pip-audit asks PyPI for them.

A report and not a test: what is found is in other people's packages, and changes without a change here.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("cpu.lock")
COMMAND = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]


def main() -> None:
    finished = subprocess.run([*COMMAND, "--format", "json", "-r", str(LOCK)], capture_output=True, text=True)
    try:
        packages = json.loads(finished.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit gave no report (exit code {finished.returncode}):\n{finished.stderr.strip()[-1000:]}")
        return
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    vulnerable = [package for package in packages if package.get("vulns")]
    num_known = len(packages) - len(unknown)
    print(f"{num_known} of {len(packages)} locked packages looked up, {len(vulnerable)} with known vulnerabilities")
    for package in vulnerable:
        for found in package["vulns"]:
            fixed = ", ".join(found["fix_versions"]) or "no version yet"
            print(f"  {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    if unknown:
        print(f"nothing could be learned of {len(unknown)} others: {', '.join(unknown[:5])}…")


if __name__ == "__main__":
    main()
