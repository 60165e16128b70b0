import { setTimeout as pause } from "node:timers/promises";
import type { Violation } from "./checks/evidence";
import { FAULTS } from "./faults/all-faults";
import type { Victims } from "./faults/fault";
import type { Random } from "./random";
import { scheduleOf, type FaultName, type Strike } from "./schedule";

/** A fault as it was, on the clock of the load. */
export interface Struck {
  readonly fault: FaultName;
  /** What it hit. */
  readonly what: string;
  readonly began_ms: number;
  readonly ended_ms: number;
  /** Whether the log has lost what nobody was promised. */
  readonly rewound?: boolean;
}

/** Which faults strike, and until when. */
interface WishedStrikes {
  readonly faults: readonly FaultName[];
  /** How often every fault strikes, or for how long. */
  readonly end: { readonly rounds: number } | { readonly minutes: number };
  readonly say: (line: string) => void;
}

/** Faults, one after another, and what came of them. */
export class Strikes {
  readonly struck: Struck[] = [];
  readonly violations: Violation[] = [];
  #rewound = false;

  constructor(
    private readonly wish: WishedStrikes,
    private readonly random: Random,
    /** Since the load began. */
    private readonly now_ms: () => number,
  ) {}

  /** The strike under way has taken something from the log. */
  rewound(): void {
    this.#rewound = true;
  }

  async run(victims: Victims): Promise<void> {
    const { faults, end, say } = this.wish;
    const possible = faults.filter((fault) => {
      const why = FAULTS[fault].impossible?.(victims);
      if (why !== undefined) say(`!! WITHOUT ${fault}: ${why}.`);
      return why === undefined;
    });
    if (possible.length === 0) return;
    const schedule = scheduleOf(this.random, possible, victims.fleet.nodes.length);
    const began = performance.now();
    const isOver = (): boolean =>
      "rounds" in end
        ? this.struck.length >= end.rounds * possible.length
        : performance.now() - began > end.minutes * 60_000;
    while (!isOver()) {
      const { value } = schedule.next();
      await pause(value.calm_ms);
      await this.#strikeOnce(victims, value);
    }
  }

  async #strikeOnce(victims: Victims, strike: Strike): Promise<void> {
    const began_ms = this.now_ms();
    this.#rewound = false;
    let what: string;
    try {
      what = await FAULTS[strike.fault].strike(victims, strike);
    } catch (error) {
      what = String(error);
      this.violations.push({ promise: "fault.not_undone", detail: `${strike.fault}: ${what}` });
    }
    const ended_ms = this.now_ms();
    this.struck.push({ fault: strike.fault, what, began_ms, ended_ms, rewound: this.#rewound });
    this.wish.say(`  ${(began_ms / 1000).toFixed(1).padStart(6)} s  ${strike.fault}: ${what}`);
    // What has died by itself is told by the fleet; here it only goes on.
    for (const node of victims.fleet.nodes) if (!node.running) await node.start();
  }
}
