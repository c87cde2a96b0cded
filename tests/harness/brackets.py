"""A made-up language that puts each text in brackets. A text without brackets is not in the catalogue.

It replaces German, so its times and numbers are German.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog

from scripts.operating.translations import in_code, written

LANGUAGE = "de"
OPEN, CLOSE = "⟦⟧"


def write(folder: Path) -> None:
    """Write its catalogue."""
    catalogue = Catalog(LANGUAGE)
    for message in in_code():
        if not message.id:
            continue
        forms = message.id if isinstance(message.id, tuple | list) else (message.id,)
        string = tuple(f"{OPEN}{form}{CLOSE}" for form in forms)
        made = string if len(string) > 1 else string[0]
        catalogue.add(message.id, made, message.locations, context=message.context)
    (folder / f"{LANGUAGE}.po").write_bytes(written(catalogue))


BARE = """
([open, close, known]) => {
  const named = (month, n) => new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month })
    .format(new Date(2026, n, 7)).replace(/[\\d. ]/g, "");
  const months = ["long", "short"].flatMap((month) => [...Array(12).keys()].map((n) => named(month, n)));
  const at = (element) => `${element?.localName}#${element?.closest("[id]")?.id}`;
  const bare = [];
  const look = (where, text) => {
    const left = [...known, ...months].reduce((left, one) => left.replaceAll(one, ""), text);
    if (/\\p{Ll}{2}/u.test(left)) bare.push(`${where}: ${text.trim()}`);
  };
  let depth = 0;
  const outside = (text) => [...text].filter((letter) => {
    if (letter === open) depth += 1;
    if (letter === close) depth -= 1;
    return !depth && letter !== close;
  }).join("");
  const isTold = (element) => element && !element.closest("script, style, code, pre, kbd, textarea, html [lang=en]");
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const { parentElement } = node;
    const data = parentElement?.localName === "noscript" ? node.data.replace(/<[^>]*>/g, "") : node.data;
    const text = isTold(parentElement) ? outside(data) : "";
    look(at(parentElement), text);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [aria-valuetext]")) {
    for (const name of ["aria-label", "title", "placeholder", "aria-valuetext"]) {
      depth = 0;
      if (isTold(element)) look(`${at(element)} ${name}`, outside(element.getAttribute(name) ?? ""));
    }
  }
  return bare;
}
"""
"""JavaScript: all texts of the page that stand outside of brackets and have small letters. `known`: texts of others."""
