"""The section of benches/RESULTS.md on size. Its arguments, each from tests/size or benches/run:

size.py LIBRARY_BYTES LIBRARY_GZIPPED FLOOR_BYTES FLOOR_GZIPPED EMPTY_BYTES EMPTY_GZIPPED UNSTRIPPED

UNSTRIPPED is the library with its symbols; they tell which crate each part comes from.
"""

import collections
import re
import subprocess
import sys

GOAL_BYTES = 2_450_000
SHOWN_CRATES = 24

# Others, as their releases weighed when this project began, stripped, in MB.
OTHERS = {"nostr-sdk": 8.7, "bdk": 9.3, "breez": 22.9}


def crate_of(name):
    """The first crate that a symbol names: of a generic function, the one that defines it."""
    if name.startswith(("uniffi_", "ffi_", "UNIFFI_")):
        return "lnurl_channel, the scaffolding"
    if "ring_core" in name or name.startswith("ecp_nistz256"):
        return "ring, its C and assembly"
    found = re.search(r"([a-z_][a-z_0-9]*)(?:\[[0-9a-f]+\])?::", name)
    return found.group(1) if found else "the rest, C mostly"


def by_crate(path):
    listing = subprocess.run(
        ["nm", "--print-size", "--demangle", "--defined-only", path],
        check=True, capture_output=True, text=True,
    )
    sizes, seen = collections.Counter(), set()
    for line in listing.stdout.splitlines():
        found = re.match(r"([0-9a-f]+) ([0-9a-f]+) ([a-zA-Z]) (.*)", line)
        # One address may have several names, and what is zero when it starts takes no room.
        if not found or found.group(1) in seen or found.group(3) in "bB":
            continue
        seen.add(found.group(1))
        sizes[crate_of(found.group(4))] += int(found.group(2), 16)
    return sizes


def sections(path):
    listing = subprocess.run(["size", "--format=sysv", path], check=True, capture_output=True, text=True)
    rows = (line.split() for line in listing.stdout.splitlines())
    return [(row[0], int(row[1])) for row in rows if len(row) == 3 and row[1].isdigit()]


def kilobytes(count):
    return f"{count / 1000:,.0f}"


def main():
    *numbers, unstripped = sys.argv[1:]
    library, library_gz, floor, floor_gz, empty, empty_gz = map(int, numbers)
    verdict = "met" if library < GOAL_BYTES else "**missed**"
    print("\n## Size\n")
    print("Stripped, x86_64, kilobytes of 1,000 bytes; built as `tests/size` says.\n")
    print("| library | stripped | gzip | of the floor | goal |\n|---|---|---|---|---|")
    print(f"| this library, every feature | {kilobytes(library)} | {kilobytes(library_gz)} | "
          f"{library / floor:.3f} | under {kilobytes(GOAL_BYTES)}: {verdict} |")
    print(f"| floor: UniFFI, reqwest, rustls, ring, roots, and one GET | {kilobytes(floor)} | "
          f"{kilobytes(floor_gz)} | 1 | |")
    print(f"| an empty UniFFI library | {kilobytes(empty)} | {kilobytes(empty_gz)} | {empty / floor:.3f} | |")
    for name, megabytes in OTHERS.items():
        print(f"| {name}, as released when this project began; not weighed here | {megabytes * 1000:,.0f} | | {megabytes * 1e6 / floor:.1f} | |")
    print("\nBy crate, code and named data. What a symbol table does not name is left out: unnamed "
          "constants such as texts and root certificates, and the unwind tables, which the second table "
          "shows.\n")
    print("| crate | kilobytes |\n|---|---|")
    sizes = by_crate(unstripped).most_common()
    for crate, count in sizes[:SHOWN_CRATES]:
        print(f"| {crate} | {kilobytes(count)} |")
    rest = sum(count for _, count in sizes[SHOWN_CRATES:])
    print(f"| {len(sizes) - SHOWN_CRATES} more | {kilobytes(rest)} |")
    print("\n| section | kilobytes |\n|---|---|")
    for name, count in sections(unstripped):
        if count >= 1000 and name not in (".bss", ".relro_padding"):
            print(f"| `{name}` | {kilobytes(count)} |")


main()
