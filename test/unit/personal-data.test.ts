import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PERSONAL_DATA } from "../../personal-data";
import { textsOfAllEvents } from "../support/event-texts";

const GOLDEN = path.resolve(__dirname, "../support/event-texts.golden.txt");
const sealed = new Set(
  PERSONAL_DATA.flatMap(({ type, paths }) => paths.map((at) => `${type} ${at.join(".")}`)),
);

const texts = textsOfAllEvents();

/**
 * Whoever adds a text to an event meets this test, and says whether it can tell something about a person. If it can, it belongs
 * into the list of personal data beside the event; if not, UPDATE_GOLDEN=1 notes it as open.
 */
test("every text of every event is judged: sealed, or open because it tells nothing about a person", () => {
  const judged = texts
    .map(({ type, path: at }) => `${type} ${at} ${sealed.has(`${type} ${at}`) ? "sealed" : "open"}\n`)
    .join("");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(GOLDEN, judged);
  expect(judged).toBe(readFileSync(GOLDEN, "utf8"));
});

test("nothing is listed as personal that no event has", () => {
  const all = new Set(texts.map(({ type, path: at }) => `${type} ${at}`));
  expect([...sealed].filter((name) => !all.has(name))).toEqual([]);
});
