#!/usr/bin/env python3
"""Make the letter files in this folder from Debian's r-cran-mlbench package.

The package holds the UCI Letter Recognition data as an R data frame, saved
as an xz-compressed R serialisation in XDR form. This script reads the parts
of that form which the data frame uses, so R itself is not needed. Everything
is checked against known SHA-256 sums before any file is written.

Usage: make_letters.py [--rda FILE] [--out FOLDER]
"""

import argparse
import hashlib
import lzma
import os
import struct
import sys

DEFAULT_RDA = "/usr/lib/R/site-library/mlbench/data/LetterRecognition.rda"

COLUMNS = ["lettr", "x.box", "y.box", "width", "high", "onpix", "x.bar",
           "y.bar", "x2bar", "y2bar", "xybar", "x2ybr", "xy2br", "x.ege",
           "xegvy", "y.ege", "yegvx"]
LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ROWS = 20000
TRAIN_FILES = 11
TRAIN_ROWS = 1500
VALIDATE_ROWS = [(19500, 20000), (18000, 19500), (16500, 18000)]

# The original UCI file, which is rebuilt in memory only.
SOURCE = "letter-recognition.data"

SHA256 = {
    SOURCE:
        "2b89f3602cf768d3c8355267d2f13f2417809e101fc2b5ceee10db19a60de6e2",
    "train_letters1.txt":
        "600630bad8f53761deea20fa5a7f587388431692972e7894694f9e67bda5105e",
    "train_letters2.txt":
        "195dadc302427662e6dab9e429b075e384bdf56a55225fc7a6f8423e3d813247",
    "train_letters3.txt":
        "ce222fa7ced7e7e887a1068fba8f5746142f3a12057d599f0242f469c22537e0",
    "train_letters4.txt":
        "d0cdf1c7417eee3f01652a001be25080da31a7cd391f5772b2464a44d5322715",
    "train_letters5.txt":
        "205f58993c18f8d25fc8abcb9186ded57961c40e6804f1288569ecacfaa5cd72",
    "train_letters6.txt":
        "e615279fececf6f2e00c5430d1ee5f8baa54ec200b49de20ca0f77377c66c564",
    "train_letters7.txt":
        "5c3313aac1a55c0e4eba17d35ed815f541d5f93772073e811271bc215899ef44",
    "train_letters8.txt":
        "a253c873543323c634ab4ca6f86a496a8366a620070c897ba1100b76658670b4",
    "train_letters9.txt":
        "101cc36495e3afaa38e74c8a2ffbca1790d0b468921e72ac48f16296d01b355c",
    "train_letters10.txt":
        "8ce41bd2ac9d8f1fd47f8e47ab1e4e6f6de03af8820470cf3ec397dcf682afa7",
    "train_letters11.txt":
        "8a26f2963dcb70746a7a805f22d8b32ddbbffd8722b744766abe289664a782e2",
    "validate_letters.txt":
        "12bd356b7e02dd444fc959ee9ef52a113349cb67ecfd2ef706ea8ab627c193a2",
}


class Failure(Exception):
    """An error to be shown to the user as one line."""


# Reading the R serialisation. Each item starts with a 32-bit word: the type
# in its low 8 bits, then flags that say which further parts follow.

NIL, REFERENCE = 254, 255
SYMBOL, PAIRLIST, STRING = 1, 2, 9
INTEGERS, DOUBLES, STRINGS, LIST = 13, 14, 16, 19
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400


class Vector:
    """An R vector: its values, and its attributes by name."""

    def __init__(self, kind, values):
        self.kind = kind
        self.values = values
        self.attributes = {}


class Reader:
    def __init__(self, data):
        self.data = data
        self.position = 0
        self.symbols = []

    def take(self, size):
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise Failure("the R data ends too early or has a bad length")
        part = self.data[self.position:end]
        self.position = end
        return part

    def integer(self):
        return struct.unpack(">i", self.take(4))[0]

    def numbers(self, code, size):
        count = self.integer()
        part = self.take(count * size)
        return list(struct.unpack(">%d%s" % (count, code), part))

    def header(self):
        magic = self.take(5)
        if magic not in (b"RDX2\n", b"RDX3\n") or self.take(2) != b"X\n":
            raise Failure("not an R data file in XDR form (RDX2 or RDX3)")
        version = self.integer()
        self.take(8)                    # R versions: writer, oldest reader
        if version == 3:
            self.take(self.integer())   # name of the text encoding
        elif version != 2:
            raise Failure("R serialisation version %d is unknown" % version)

    def item(self):
        word = self.integer()
        kind = word & 0xFF
        if kind == NIL:
            return None
        if kind == SYMBOL:
            self.symbols.append(self.item())
            return self.symbols[-1]
        if kind == REFERENCE:
            number = word >> 8 or self.integer()
            if not 1 <= number <= len(self.symbols):
                raise Failure("the R data has a reference to nothing")
            return self.symbols[number - 1]
        if kind == PAIRLIST:
            return self.pairlist(word)
        if kind == STRING:
            length = self.integer()
            return None if length == -1 else self.take(length).decode("latin-1")

        if kind == INTEGERS:
            vector = Vector(kind, self.numbers("i", 4))
        elif kind == DOUBLES:
            vector = Vector(kind, self.numbers("d", 8))
        elif kind in (STRINGS, LIST):
            count = self.integer()
            vector = Vector(kind, [self.item() for _ in range(count)])
        else:
            raise Failure("the R data has an item of type %d, "
                          "which is not expected here" % kind)
        if word & HAS_ATTRIBUTES:
            vector.attributes = self.item()
            if not isinstance(vector.attributes, dict):
                raise Failure("the R data has attributes of a wrong form")
        return vector

    def pairlist(self, word):
        """Read a list of named values: each cell is followed by the next."""
        pairs = {}
        while word & 0xFF == PAIRLIST:
            if word & HAS_ATTRIBUTES or not word & HAS_TAG:
                raise Failure("the R data has a list of a wrong form")
            name = self.item()
            if not isinstance(name, str):
                raise Failure("the R data has a list with a bad name")
            pairs[name] = self.item()
            word = self.integer()
        if word & 0xFF != NIL:
            raise Failure("the R data has a list without an end")
        return pairs


def attribute(vector, name):
    """The values of an attribute that is itself a vector, or None."""
    value = vector.attributes.get(name)
    return value.values if isinstance(value, Vector) else None


def read_letters(path):
    """Return the labels (0 to 25) and the rows of 16 integers."""
    try:
        with open(path, "rb") as file:
            packed = file.read()
    except FileNotFoundError:
        raise Failure("%s is missing; try: apt-get install r-cran-mlbench"
                      % path)
    try:
        data = lzma.decompress(packed, lzma.FORMAT_XZ)
    except lzma.LZMAError as error:
        raise Failure("%s: not a sound xz file (%s)" % (path, error))

    try:
        reader = Reader(data)
        reader.header()
        objects = reader.item()
        if not isinstance(objects, dict):
            raise Failure("the R data is not a list of named objects")
        return check_frame(objects.get("LetterRecognition"))
    except Failure as error:
        raise Failure("%s: %s" % (path, error))
    except RecursionError:
        raise Failure("%s: the R data is nested too deeply" % path)


def check_frame(frame):
    if not isinstance(frame, Vector) or frame.kind != LIST:
        raise Failure("no data frame LetterRecognition in it")
    if attribute(frame, "names") != COLUMNS \
            or len(frame.values) != len(COLUMNS):
        raise Failure("the data frame has other columns than expected")
    for name, column in zip(COLUMNS, frame.values):
        if not isinstance(column, Vector) or len(column.values) != ROWS:
            raise Failure("column %s does not have %d values" % (name, ROWS))

    # The label is a factor: it counts from 1 into its list of levels.
    label, *numbers = frame.values
    if label.kind != INTEGERS or attribute(label, "levels") != LETTERS \
            or not set(label.values) <= set(range(1, 27)):
        raise Failure("column lettr is not a factor with the levels A to Z")

    # The others are plain numbers, stored as doubles. In a factor the stored
    # number would not be the value, so a factor is refused.
    for name, column in zip(COLUMNS[1:], numbers):
        if column.kind not in (INTEGERS, DOUBLES) \
                or "levels" in column.attributes \
                or not set(column.values) <= set(range(16)):
            raise Failure("column %s is not plain whole numbers, 0 to 15"
                          % name)

    labels = [code - 1 for code in label.values]
    rows = [[int(value) for value in row]
            for row in zip(*(column.values for column in numbers))]
    return labels, rows


def make_files(labels, rows):
    """Return the contents of all files by name, the UCI source included."""
    joined = [",".join(map(str, row)) for row in rows]
    lines = ["%s,%d" % pair for pair in zip(joined, labels)]

    files = {SOURCE: "".join("%s,%s\n" % (LETTERS[label], text)
                             for label, text in zip(labels, joined))}
    for number in range(1, TRAIN_FILES + 1):
        end = number * TRAIN_ROWS
        part = lines[end - TRAIN_ROWS:end]
        files["train_letters%d.txt" % number] = "\n".join(part) + "\n"

    part = [line for first, end in VALIDATE_ROWS for line in lines[first:end]]
    files["validate_letters.txt"] = "\n".join(part)     # no newline at the end

    return {name: text.encode("ascii") for name, text in files.items()}


def check_sums(files):
    for name, content in files.items():
        found = hashlib.sha256(content).hexdigest()
        if found != SHA256[name]:
            raise Failure("%s would have SHA-256 %s instead of %s; "
                          "nothing written" % (name, found, SHA256[name]))


def main():
    parser = argparse.ArgumentParser(
        description="Make the letter files from Debian's r-cran-mlbench.")
    parser.add_argument("--rda", metavar="FILE", default=DEFAULT_RDA,
                        help="the R data file (default: %(default)s)")
    parser.add_argument("--out", metavar="FOLDER",
                        default=os.path.dirname(os.path.abspath(__file__)),
                        help="where to write (default: beside this script)")
    arguments = parser.parse_args()

    try:
        files = make_files(*read_letters(arguments.rda))
        check_sums(files)
        del files[SOURCE]
        os.makedirs(arguments.out, exist_ok=True)
        for name, content in files.items():
            with open(os.path.join(arguments.out, name), "wb") as file:
                file.write(content)
    except (Failure, OSError) as error:
        print("make_letters.py: %s" % error, file=sys.stderr)
        sys.exit(2)
    print("%d files written to %s" % (len(files), arguments.out))


if __name__ == "__main__":
    main()
