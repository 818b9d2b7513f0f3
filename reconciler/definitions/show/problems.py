"""Problems of definitions as text, JSON, SARIF, GitHub annotations and JUnit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from reconciler import __version__
from reconciler.definitions.core.rules.catalogue import RULES
from reconciler.kernel.exact_json import encode
from reconciler.kernel.problem import Excerpt, Origin, Problem
from reconciler.kernel.text import counted, printable
from reconciler.kernel.value import JsonObject, JsonValue

SHOWN_MAX: Final = 100
"""Problems shown to people; the rest are counted."""
LISTED_MAX: Final = 10_000
"""Problems listed for programs; the rest are counted."""

_REPOSITORY = Origin("integrations.d")
Excerpts = Callable[[Sequence[Problem]], Sequence[Problem]]


def problems_text(problems: Sequence[Problem], file_count: int, excerpts: Excerpts) -> str:
    """Write problems for people: place, rule and message; source and caret; what to do.

    Args:
        problems: In the order of the files.
        file_count: Files read.
        excerpts: Adds the source to the problems that are shown.
    """
    shown = excerpts(_most_important(problems, SHOWN_MAX))
    blocks = ["\n".join(_block(problem)) for problem in shown]
    if len(problems) > len(shown):
        blocks.append(f"and {counted(len(problems) - len(shown), 'more problem', 'more problems')}")
    blocks.append(summary(problems, file_count))
    return "\n\n".join(blocks)


def summary(problems: Sequence[Problem], file_count: int) -> str:
    """Count errors, warnings and files in one line."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    files = counted(file_count, "file", "files")
    if not problems:
        return f"No problems in {files}. Nothing was sent to m3ter."
    counts = [
        counted(count, noun, f"{noun}s")
        for count, noun in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    with_problems = len({problem.origin.file for problem in problems if problem.origin})
    where = f"{with_problems:,} of {files}" if with_problems else files
    return f"{' and '.join(counts)} in {where}. Nothing was sent to m3ter."


def problems_json(problems: Sequence[Problem]) -> str:
    """Write the versioned JSON document of ``validate``."""
    listed = _most_important(problems, LISTED_MAX)
    omitted = len(problems) - len(listed)
    document: dict[str, JsonValue] = {
        "schema": "m3ter-reconciler/validate/v1",
        "problems": [_plain(problem) for problem in listed],
        **({"omitted": omitted} if omitted else {}),
    }
    return encode(document, indent=2)


def github(problems: Sequence[Problem], file_count: int) -> str:
    """Write GitHub workflow commands, which become annotations of the pull request."""
    shown = _most_important(problems, SHOWN_MAX)
    return "\n".join([*(_annotation(problem) for problem in shown), summary(problems, file_count)])


def sarif(problems: Sequence[Problem]) -> str:
    """Write a SARIF 2.1.0 log.

    Source: OASIS SARIF 2.1.0, sections 3.13 to 3.30.
    """
    listed = _most_important(problems, LISTED_MAX)
    used = sorted({problem.rule for problem in listed})
    driver: JsonObject = {
        "name": "m3ter-reconciler",
        "version": __version__,
        "rules": [_sarif_rule(rule) for rule in used],
    }
    run: JsonObject = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(problem, used.index(problem.rule)) for problem in listed],
    }
    log: JsonObject = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return encode(log, indent=2)


def junit(problems: Sequence[Problem]) -> str:
    """Write JUnit XML: a failed test for each error, a passed one with output for a warning."""
    listed = _most_important(problems, LISTED_MAX)
    failures = sum(problem.severity == "error" for problem in listed)
    suite = ET.Element(
        "testsuite",
        name="reconciler validate",
        tests=str(max(len(listed), 1)),
        failures=str(failures),
        errors="0",
        skipped="0",
    )
    for problem in listed:
        _junit_case(suite, problem)
    if not listed:
        ET.SubElement(suite, "testcase", classname=_REPOSITORY.file, name="definitions are valid")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode")


def _most_important(problems: Sequence[Problem], count: int) -> Sequence[Problem]:
    """Cut to size; warnings go first."""
    if len(problems) <= count:
        return problems
    errors_first = sorted(range(len(problems)), key=lambda at: problems[at].severity != "error")
    return [problems[at] for at in sorted(errors_first[:count])]


def _place(origin: Origin | None) -> Origin:
    """Give a place with line and column; a whole file begins at its first character."""
    at = origin or _REPOSITORY
    return Origin(at.file, max(at.line, 1), max(at.column, 1))


def _block(problem: Problem) -> Iterator[str]:
    kind = "warning: " if problem.severity == "warning" else ""
    yield printable(f"{_place(problem.origin)}  {problem.rule}  {kind}{problem.message}")
    if problem.excerpt is not None:
        yield from _source(problem.excerpt)
    if problem.hint:
        yield printable(f"   {problem.hint}")


def _source(excerpt: Excerpt) -> Iterator[str]:
    numbers = range(excerpt.first_line, excerpt.first_line + len(excerpt.lines))
    width = max(4, *(len(str(number)) for number in numbers)) + 1
    for number, line in zip(numbers, excerpt.lines, strict=True):
        yield f"{number:>{width}} | {printable(line)}".rstrip()
    before = printable(excerpt.lines[-1][: excerpt.column - 1])
    indent = "".join("\t" if sign == "\t" else " " for sign in before)
    yield f"{'':>{width}} | {indent}{'^' * excerpt.width}"


def _plain(problem: Problem) -> JsonObject:
    at = problem.origin and _place(problem.origin)
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "file": (at or _REPOSITORY).file,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }


def _annotation(problem: Problem) -> str:
    at = _place(problem.origin)
    properties: Mapping[str, object] = {
        "file": at.file,
        "line": at.line,
        "col": at.column,
        "title": f"{problem.rule} {RULES[problem.rule].title}",
    }
    written = ",".join(f"{name}={_escaped(str(value))}" for name, value in properties.items())
    message = "\n".join(filter(None, (problem.message, problem.hint)))
    return f"::{problem.severity} {written}::{_escaped_message(message)}"


# Source: github.com/actions/toolkit, packages/core/src/command.ts: escapeData, escapeProperty
def _escaped_message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped(value: str) -> str:
    return _escaped_message(value).replace(":", "%3A").replace(",", "%2C")


def _sarif_rule(rule: str) -> JsonObject:
    known = RULES[rule]
    return {
        "id": rule,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.why},
        "help": {"text": known.fix},
        "defaultConfiguration": {"level": known.severity},
    }


def _sarif_result(problem: Problem, index: int) -> JsonObject:
    result: dict[str, JsonValue] = {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": problem.severity,
        "message": {"text": " ".join(filter(None, (f"{problem.message}.", problem.hint)))},
    }
    if problem.origin is not None:
        at = _place(problem.origin)
        location: JsonObject = {
            "artifactLocation": {"uri": quote(at.file)},
            "region": {"startLine": at.line, "startColumn": at.column},
        }
        result["locations"] = [{"physicalLocation": location}]
    return result


def _junit_case(suite: ET.Element, problem: Problem) -> None:
    at = _place(problem.origin)
    case = ET.SubElement(
        suite,
        "testcase",
        classname=printable(at.file),
        name=printable(f"{problem.rule} {at.line}:{at.column}"),
    )
    text = printable("\n".join(filter(None, (f"{at}", problem.message, problem.hint))))
    if problem.severity == "error":
        failure = ET.SubElement(
            case, "failure", message=printable(problem.message), type=problem.rule
        )
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text
