#!/usr/bin/env python3
"""Runs clang-tidy over the programs' own sources; with GRADMILL_FULL set, also its path-sensitive
analysis, which takes as long as all else. usage: tests/tidy.py SOURCE_DIR BUILD_DIR

ccache, where there is one, remembers which sources passed, as it remembers objects: one is read
again when it, a header of it, its options, the checks or clang-tidy itself change. A remark is a
change, too: it may be a NOLINT. To ccache, clang-tidy is a compiler (tests/tidy_compiler.sh).
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys


def tracked(source_dir, pattern):
    """The files of the checkout that match, as absolute paths."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", pattern], cwd=source_dir, check=True,
                            capture_output=True, text=True).stdout
    return [os.path.join(source_dir, name) for name in listed.split("\0") if name]


def rules(source_dir, checks):
    """What decides, beside sources and their options, whether clang-tidy is silent."""
    digest = hashlib.sha256(checks.encode())
    version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True)
    digest.update(version.stdout)
    here = pathlib.Path(__file__).parent
    for path in [__file__, here / "tidy_compiler.sh", *tracked(source_dir, "*.clang-tidy")]:
        digest.update(os.path.relpath(path, source_dir).encode() + b"\0")
        digest.update(pathlib.Path(path).read_bytes())
    return digest.hexdigest()


def as_compilation(entry):
    """The words that compile a source of the compilation database: for any compiler, with another
    output and with a list of all that is included."""
    words = shlex.split(entry["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    at = words.index("-o")
    output = os.path.join("tidy", words[at + 1])
    options = [word for word in words[1:at] + words[at + 2:] if word not in ("-c", entry["file"])]
    return [*options, "-MD", "-MF", output + ".d", "-o", output, "-c", entry["file"]]


def is_clean(command, directory, environment):
    """Whether clang-tidy is silent about a source; prints what it has to say."""
    output = os.path.join(directory, command[command.index("-o") + 1])
    os.makedirs(os.path.dirname(output), exist_ok=True)
    done = subprocess.run(command, cwd=directory, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    sys.stdout.write(done.stdout)
    return done.returncode == 0 and not done.stdout


def main():
    source_dir, build_dir = (os.path.realpath(path) for path in sys.argv[1:3])
    checks = "" if os.environ.get("GRADMILL_FULL") else "-clang-analyzer-*"
    environment = {**os.environ, "GRADMILL_TIDY_CHECKS": checks,
                   "CCACHE_BASEDIR": source_dir, "CCACHE_NOHASHDIR": "1", "CCACHE_DEPEND": "1",
                   "CCACHE_COMPILERTYPE": "clang",
                   "CCACHE_COMPILERCHECK": "string:" + rules(source_dir, checks)}
    ccache = shutil.which("ccache")
    compiler = [ccache] if ccache else []
    compiler.append(str(pathlib.Path(__file__).resolve().parent / "tidy_compiler.sh"))
    sources = set(tracked(source_dir, "src/*.cc"))
    database = json.loads(pathlib.Path(build_dir, "compile_commands.json").read_text())
    entries = [entry for entry in database if os.path.realpath(entry["file"]) in sources]
    failed = 0
    for missing in sorted(sources - {os.path.realpath(entry["file"]) for entry in entries}):
        failed += 1
        print(f"{missing}: {build_dir}/compile_commands.json does not say how it is compiled")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda entry: is_clean(compiler + as_compilation(entry),
                                                  entry["directory"], environment), entries)
        failed += sum(not clean for clean in results)
    return 1 if failed or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
