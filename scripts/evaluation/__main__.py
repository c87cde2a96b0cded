"""Command line of scripts/evaluate."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from scripts.evaluation import (
    accuracy,
    calls,
    dialogues,
    figures,
    learning,
    names,
    noisy,
    ratings,
    secrets,
    summaries,
    varieties,
    voiced_calls,
    voices,
    written,
)
from scripts.evaluation.recognise import recognise
from scripts.machine.programs import ROOT
from scripts.simulator.recording import DEMO
from state.settings import SettingsError
from state.settings import load as load_settings
from workers.engines.base import ModelUnusable
from workers.engines.choose import Wanted
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.ruled import RuledModel
from workers.insight.rules.rulefile import load

RATED = ROOT.parent / "shared" / "data" / "uss"
OFFLINE = Wanted(engine="moonshine")
"""Engine of --noisy and --names, from which their published figures come. --recognise takes the environment's."""

NO_DIALOGUES = (
    "evaluate: no rated dialogues given and none in ../shared/data/uss. Using only the calls written for this\n"
    "evaluate: project. The User Satisfaction Simulation sets (Sun and others, SIGIR 2021) have the form that\n"
    "evaluate: --dialogues reads: https://github.com/sunnweiwei/user-satisfaction-simulation"
)
TUNED = (
    "Tuned on: we wrote phrases by hand, looking at the even sessions of MWOZ and ReDial. We measured on the odd\n"
    "sessions along the way and did not read them. No weight is fitted to either set. We chose the model's form and\n"
    "the threshold looking at all of these. We read the demo calls and written-read while writing: they show that\n"
    "Earshot works as meant, not how it does on unseen calls. Peak: the verdict on the ended call. Live peak: the\n"
    "highest attention during the call."
)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/evaluate",
        description="Measures sentiment, attention and redaction against plain TextBlob and VADER.",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help='print one JSON object: {"sets": {NAME: figures}}, NAME a file without its ending; with --dialogues of'
        " these files alone, else of the default ones and of the written calls",
    )
    parser.add_argument(
        "--dialogues",
        type=Path,
        action="append",
        metavar="FILE",
        help="rated dialogues (speaker, text, action, ratings by tab); default: all of ../shared/data/uss",
    )
    parser.add_argument(
        "--ratings",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="rated texts ([id,] rating, text by tab)",
    )
    parser.add_argument(
        "--calls",
        type=Path,
        default=DEMO,
        metavar="DIR",
        help="calls with truth.json; default: the demo calls",
    )
    parser.add_argument(
        "--recognised",
        type=Path,
        metavar="DIR",
        help="folder of recognised transcripts, one JSON file a call",
    )
    parser.add_argument(
        "--recognise",
        action="store_true",
        help="recognise the calls now, by the engine that the environment names (else the offline one), and"
        " report on those words too; then the calls on worse lines, and sounds without speech (five minutes)",
    )
    parser.add_argument(
        "--voice",
        type=Path,
        metavar="DIR",
        help="acted speech, WAV files named CLASS-SPEAKER... (class angry, happy, neutral or sad; speaker two digits):"
        " how well a raised voice is told from a calm one",
    )
    parser.add_argument(
        "--noisy",
        action="store_true",
        help="also judge the demo and written calls as recognised on a noisy line, beside their true words"
        " (about five minutes; flite speaks)",
    )
    parser.add_argument(
        "--names",
        action="store_true",
        help="also count wrongly written names, before and after a queue's list of names (flite speaks)",
    )
    parser.add_argument(
        "--learn",
        action="store_true",
        help="also simulate supervisors who judge as the raters did: how unseen calls are ranked after 700 judged ones",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print the tables, or the JSON object. Exit status 2 for a file that cannot be read."""
    options = arguments(argv)
    began = time.monotonic()
    analyzer = CallAnalyzer()
    model = RuledModel(analyzer, load())
    found = options.dialogues or sorted(RATED.glob("*.txt"))
    try:
        wanted = Wanted.by(load_settings()) if options.recognise else OFFLINE
        if not found:
            print(NO_DIALOGUES, file=sys.stderr)
        sets = {path.stem: dialogues.calls(path, analyzer, model) for path in found}
        if not (options.json and options.dialogues):
            sets |= written.sets(model)
        acted = voices.load(options.voice) if options.voice else []
        if options.json:
            told: dict[str, object] = {"sets": {name: figures.figures(judged) for name, judged in sets.items()}}
            if options.noisy:
                columns = noisy.columns(options.calls, model, OFFLINE)
                told["noisy"] = {name: column.noisy for name, column in columns.items()}
            if options.names:
                told["names"] = names.figures(OFFLINE)
            if options.learn:
                told["learned"] = {path.stem: learning.course(learning.load(path, analyzer)) for path in found}
            if acted:
                told["voice"] = voices.figures(acted)
            if options.recognise:
                told["accuracy"] = accuracy.figures(accuracy.measure(options.calls, wanted))
            print(msgspec.json.encode(told).decode())
            return 0
        print(figures.report(sets), TUNED, sep="\n")
        if found:
            print("", dialogues.comparison(found, analyzer), sep="\n")
        if options.names:
            print("", names.report(names.figures(OFFLINE)), sep="\n")
        if options.noisy:
            print("", noisy.report(noisy.columns(options.calls, model, OFFLINE)), sep="\n")
        if options.learn:
            courses = {path.stem: learning.course(learning.load(path, analyzer)) for path in found}
            print("", learning.report(courses), sep="\n")
        if acted:
            print("", voices.report(acted), "", voiced_calls.report(acted, model), sep="\n")
        print("", varieties.report(analyzer), sep="\n")
        if options.ratings:
            print("", ratings.report(options.ratings, analyzer), sep="\n")
        known = calls.load(options.calls, options.recognised)
        if options.recognise:
            known = recognise(known, options.calls, wanted)
        if known:
            print("", calls.polarity_report(known, analyzer), "", sep="\n")
            print(calls.report(known, model), calls.word_errors(known), sep="\n")
            print("", summaries.report(known, model), sep="\n")
        else:
            print(f"No calls with truth.json in {options.calls}.")
        print("", secrets.report(), sep="\n")
        if options.recognise:
            print("", accuracy.report(accuracy.measure(options.calls, wanted)), sep="\n")
    except (OSError, ValueError, ModelUnusable, SettingsError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    print(f"\n{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
