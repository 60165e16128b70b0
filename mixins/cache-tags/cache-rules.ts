import type { RecordedEvent } from "../event-log/event-log";
import { perBroker } from "../per-broker";
import type { CacheRule } from "./cached-action";

/** Rules whose events one consumer follows: those of one room that wait for the same read models. */
export interface RuleGroup {
  /** Stable name of its checkpoint, e.g. `cache:menu`. */
  readonly name: string;
  readonly reads: readonly string[];
  /** Everything that is kept of an action ends with the tag of its name. */
  readonly actions: readonly string[];
  /** Event types that end something. */
  readonly handles: readonly string[];
  endingOf(event: RecordedEvent): Ending;
}

/** What an event ends: these tags, and by them something of these actions; and what it removes, as patterns of whole keys. */
export interface Ending {
  readonly tags: readonly string[];
  readonly patterns: readonly string[];
  readonly actions: readonly string[];
}

/** What the actions of one node have declared. */
export class CacheRules {
  readonly #rules = new Map<string, CacheRule>();
  readonly #followed = new Map<string, boolean>();
  readonly #ended = new Map<string, number>();

  /** @throws Error when the action is declared twice. */
  add(action: string, rule: CacheRule): void {
    if (this.#rules.has(action)) throw new Error(`The action ${action} is cached twice.`);
    this.#rules.set(action, rule);
  }

  get all(): ReadonlyMap<string, CacheRule> {
    return this.#rules;
  }

  /** Whether what was kept of an action may be served: nothing that ends it is known to be outstanding. */
  isFollowed(action: string): boolean {
    const rule = this.#rules.get(action);
    return rule === undefined || !follows(rule) || this.#followed.get(groupName(action, rule)) === true;
  }

  /** Told by whoever follows a group's events. */
  followed(group: string, yes: boolean): void {
    this.#followed.set(group, yes);
  }

  /** Told by whoever has ended something of these actions. */
  ended(actions: readonly string[], at_ms: number): void {
    for (const action of actions) this.#ended.set(action, at_ms);
  }

  /** When this node last ended something of an action, in ms since the epoch; undefined: not since its start. */
  endedAt(action: string): number | undefined {
    return this.#ended.get(action);
  }

  groups(): RuleGroup[] {
    const following = [...this.#rules].filter(([, rule]) => follows(rule));
    return [...Map.groupBy(following, ([action, rule]) => groupName(action, rule))].map(([name, members]) => {
      const rules = members.map(([, rule]) => rule);
      return {
        name,
        reads: rules[0]?.reads ?? [],
        actions: members.map(([action]) => action),
        handles: [
          ...new Set(rules.flatMap((rule) => Object.keys({ ...rule.invalidate_on, ...rule.remove_on }))),
        ],
        endingOf: (event) => endingOf(event, members),
      };
    });
  }
}

const follows = ({ invalidate_on, remove_on }: CacheRule): boolean =>
  invalidate_on !== undefined || remove_on !== undefined;

function endingOf(event: RecordedEvent, members: readonly (readonly [string, CacheRule])[]): Ending {
  const ends = members
    .map(([action, rule]) => {
      const pattern = rule.remove_on?.[event.type]?.(event);
      const patterns = pattern === undefined ? [] : [`${rule.key_prefix ?? action}:${pattern}`];
      return { action, tags: rule.invalidate_on?.[event.type]?.(event) ?? [], patterns };
    })
    .filter(({ tags, patterns }) => tags.length + patterns.length > 0);
  return {
    tags: ends.flatMap(({ tags }) => tags),
    patterns: ends.flatMap(({ patterns }) => patterns),
    actions: ends.map(({ action }) => action),
  };
}

/** By room, because every node that runs a room runs all of its actions, and so any of them can follow for the others. */
function groupName(action: string, { reads = [] }: CacheRule): string {
  const room = action.slice(0, action.indexOf("."));
  return ["cache", room, ...[...reads].sort()].join(":");
}

/** The rules of this node. */
export const cacheRulesOf = perBroker(() => new CacheRules());
