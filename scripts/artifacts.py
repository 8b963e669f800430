"""Says of each built function how large it is and which C library it needs, and fails if that is newer than Lambda's.

    python3 scripts/artifacts.py build/lambda
"""

import io
import re
import sys
import zipfile
from pathlib import Path

# Amazon Linux 2023, which provided.al2023 is: https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html
NEWEST_GLIBC = (2, 34)


def needed_glibc(program):
    """The newest version of glibc that a program's symbols ask for: they are named in it as GLIBC_2.34."""
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", program)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def zipped(program):
    """How many bytes it has as a deployment package."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("bootstrap", program)
    return len(archive.getvalue())


def main(folder):
    bootstraps = sorted(Path(folder).glob("*/bootstrap"))
    if not bootstraps:
        print(f"There are no functions in {folder}; build them first.", file=sys.stderr)
        return 1
    too_new = []
    print(f"{'function':10} {'size':>9} {'zipped':>9}  newest glibc needed")
    for bootstrap in bootstraps:
        program = bootstrap.read_bytes()
        glibc = needed_glibc(program)
        sizes = [f"{size / 1e6:.1f} MB" for size in (len(program), zipped(program))]
        print(f"{bootstrap.parent.name:10} {sizes[0]:>9} {sizes[1]:>9}  {glibc[0]}.{glibc[1]}")
        if glibc > NEWEST_GLIBC:
            too_new.append(bootstrap.parent.name)
    for name in too_new:
        print(f"{name} needs a newer glibc than Lambda has ({NEWEST_GLIBC[0]}.{NEWEST_GLIBC[1]}).", file=sys.stderr)
    return 1 if too_new else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
