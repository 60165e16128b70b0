import { readFileSync } from "node:fs";
import path from "node:path";

/** Who asks, by letter: super admin, manager, technologist, cook, courier (delivery), customer, guest. */
export const LETTERS = {
  s: "super_admin",
  m: "manager",
  t: "technologist",
  c: "cook",
  d: "courier",
  k: "customer",
  g: "guest",
} as const;
export type Letter = keyof typeof LETTERS;
export const EVERYBODY = Object.keys(LETTERS) as Letter[];

/** What one operation says to everybody: at one's own place, and at somebody else's where that makes a difference. */
export interface Rights {
  readonly own: string;
  readonly foreign?: string;
}

const FILE = path.join(__dirname, "rights.golden.txt");

/**
 * The table as a person has read and approved it: a line an operation, `METHOD path  own  foreign`, seven letters each. The
 * letter: may; `-`: refused; `.`: told that there is no such thing.
 */
export function goldenRights(): ReadonlyMap<string, Rights> {
  const lines = readFileSync(FILE, "utf8").split("\n");
  return new Map(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const [method = "", route = "", own = "", foreign] = line.trim().split(/\s+/);
        return [`${method} ${route}`, foreign === undefined ? { own } : { own, foreign }];
      }),
  );
}

/** One line of the table. */
export function rightsLine(operation: string, { own, foreign = "" }: Rights): string {
  const [method = "", route = ""] = operation.split(" ");
  return `${method.padEnd(6)} ${route.padEnd(52)} ${own} ${foreign}`.trimEnd();
}
