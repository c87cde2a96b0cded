import assert from "node:assert/strict";
import test from "node:test";
import { excerpt, holds, holdsOne, inPieces } from "../../webapp/static/js/shared/wording/sought.js";

test("a text holds all the words, one of them or none, whatever their case", () => {
  assert.ok(holds("My parcel is lost", " LOST  parc ") && holdsOne("My parcel", "lost PARCEL"));
  assert.ok(!holds("My parcel", "lost parcel") && !holdsOne("My parcel", "lost"));
  assert.ok(holds("My parcel", " ") && !holdsOne("My parcel", " "));
});

test("the words of a search are marked in the text, whatever their case", () => {
  const marked = inPieces("1:07 agent: No Refund, not today", "refund TODAY").filter(({ found }) => found);
  assert.deepEqual(marked.map(({ piece }) => piece), ["Refund,", "today"]);
  assert.equal(inPieces("a <b>", "").map(({ piece }) => piece).join(""), "a <b>");
});

test("an excerpt has the words of the search in its middle", () => {
  const text = "well i have told you many times that the ombudsman will hear of this if it goes on";
  assert.deepEqual(excerpt(text, "OMBUDSMAN"), ["… told you many times that the ", "ombudsman", " will hear of this if it goes on"]);
  assert.deepEqual(excerpt("my parcel", "lost parcel"), ["my ", "parcel", ""]);
  assert.deepEqual(excerpt("my parcel", " parcel"), ["my ", "parcel", ""]);
  assert.deepEqual(excerpt("the on-budsman", "ombudsman"), ["", "", "the on-budsman"]);
});
