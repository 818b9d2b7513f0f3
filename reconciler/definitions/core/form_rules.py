"""Rules about the form of files: what cannot be read, and what no kind of document allows."""

from __future__ import annotations

from reconciler.definitions.core.rule import Rule

SYNTAX = Rule(
    "R001",
    "a YAML file can be read",
    "error",
    "A file that is not YAML says nothing; the rest of it is not looked at.",
    "Correct the line the caret points at, or the one before it.",
)
ENCODING = Rule(
    "R002",
    "files are UTF-8 text",
    "error",
    "Bytes in another encoding, NUL and control characters turn into other names and ids.",
    "Save the file as UTF-8 and remove control characters.",
)
LIMITS = Rule(
    "R003",
    "files stay within the limits",
    "error",
    "10 MB a YAML file, 100 levels, 10,000 nodes per alias: no definition needs more, and "
    "a hostile file must not stop a build.",
    "Split the file; keep bulk mapping rows in CSV.",
)
DUPLICATE_KEY = Rule(
    "R004",
    "a key stands once in a mapping",
    "error",
    "Of two equal keys one would be lost silently.",
    "Remove one of them.",
)
TAG = Rule(
    "R005",
    "only tags of the YAML core schema",
    "error",
    "Other tags ask a program to build objects; definitions are plain data.",
    "Remove the tag.",
)
KEY = Rule(
    "R006",
    "keys are text",
    "error",
    "Null, numbers, true and lists are no names of settings.",
    "Put the key in quotes when a text was meant.",
)
ALIAS = Rule(
    "R007",
    "aliases name an anchor that is complete",
    "error",
    "An alias to nothing, to itself or inside itself has no value.",
    "Write the value out.",
)
MERGE_KEY = Rule(
    "R008",
    "no merge keys",
    "error",
    "`<<` is not part of YAML 1.2 and hides where a setting comes from.",
    "Write the settings out, or use a patch with `metadata.environment`.",
)
NUMBER = Rule(
    "R009",
    "numbers are exact and finite",
    "error",
    "Infinities, NaN and endless digits cannot be sent.",
    "Write a plain decimal number.",
)
KIND = Rule(
    "R010",
    "every document has a known kind and apiVersion",
    "error",
    "The kind decides what a document means; an unknown one would be ignored.",
    "Use one of Project, Environment, Integration, MappingSet, Dialect and "
    "`apiVersion: m3ter-reconciler/v1`.",
)
MISSING = Rule(
    "R011",
    "required settings are there",
    "error",
    "Settings without a default decide about money; leaving them out is no decision.",
    "Add the setting.",
)
TYPE = Rule(
    "R012",
    "values have the right type",
    "error",
    "A text is no number and a single value no list; nothing is converted silently.",
    "Write a value of the type named.",
)
VALUE = Rule(
    "R013",
    "values are among the allowed ones",
    "error",
    "A value that m3ter or Chargebee does not know is refused there, after other changes.",
    "Use one of the values named.",
)
UNKNOWN = Rule(
    "R014",
    "no unknown settings",
    "error",
    "A misspelt setting would have no effect, and nobody would notice.",
    "Correct the spelling or remove the setting.",
)
SHAPE = Rule(
    "R015",
    "a value has one of the allowed shapes",
    "error",
    "Some settings may be written in more than one way, and this is none of them.",
    "Use one of the shapes named.",
)
CSV_FORM = Rule(
    "R020",
    "CSV files can be read",
    "error",
    "A stray quote or an open one moves cells into other columns and rows.",
    "Quote cells that hold commas, quotes or line ends, and double the quotes inside (RFC 4180).",
)
CSV_RAGGED = Rule(
    "R021",
    "every CSV row has as many cells as the header",
    "error",
    "A missing or extra comma shifts ids into the wrong environment.",
    "Add or remove commas until the row has as many cells as the header.",
)
CSV_HEADER = Rule(
    "R022",
    "a CSV file begins with a header of distinct names",
    "error",
    "Columns are found by their names.",
    "Write a header line in which every column has a name of its own.",
)
CSV_MARK = Rule(
    "R023",
    "a CSV file has no byte order mark",
    "error",
    "The mark becomes part of the first column's name in other tools.",
    "Save the file as UTF-8 without a byte order mark.",
)
CSV_LIMITS = Rule(
    "R024",
    "CSV files stay within the limits",
    "error",
    "50 MB a file: no mapping needs more, and a hostile file must not stop a build.",
    "Split the mapping set.",
)
FOLDER = Rule(
    "R030",
    "the definitions are in integrations.d",
    "error",
    "Without the folder there is nothing to compare with m3ter.",
    "Run `reconciler init`, or choose the repository with -C.",
)
OUTSIDE = Rule(
    "R031",
    "nothing outside integrations.d is read",
    "error",
    "A link or `..` could bring files of the machine into a public report.",
    "Move the file into integrations.d and name it relative to the document.",
)
NOT_A_FILE = Rule(
    "R032",
    "definitions are regular files",
    "error",
    "Folders, devices and pipes cannot be read as definitions, and may never end.",
    "Replace it by a regular file, or rename it.",
)
UNREADABLE = Rule(
    "R033",
    "files can be opened",
    "error",
    "A file that cannot be opened may hold definitions that would look deleted.",
    "Check that the file exists and that its permissions let you read it.",
)
EXTENSION = Rule(
    "R034",
    "definition files end in .yaml",
    "error",
    "Only `*.yaml` is read; definitions in `*.yml` would look deleted.",
    "Rename the file to end in .yaml.",
)

FORM_RULES = (
    SYNTAX,
    ENCODING,
    LIMITS,
    DUPLICATE_KEY,
    TAG,
    KEY,
    ALIAS,
    MERGE_KEY,
    NUMBER,
    KIND,
    MISSING,
    TYPE,
    VALUE,
    UNKNOWN,
    SHAPE,
    CSV_FORM,
    CSV_RAGGED,
    CSV_HEADER,
    CSV_MARK,
    CSV_LIMITS,
    FOLDER,
    OUTSIDE,
    NOT_A_FILE,
    UNREADABLE,
    EXTENSION,
)
