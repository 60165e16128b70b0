import { UnavailableError, type Refusal } from "../../mixins/contract/refusal";
import type { FeedHandle } from "../../mixins/event-feed/event-feed";
import type { Position, RecordedEvent } from "../../mixins/event-log/event-log";
import { untilCaughtUp } from "../../mixins/health/catching-up";
import type { Runtime } from "../../mixins/runtime";
import { BRANCH_UNKNOWN, branchDecider, type Chain } from "./branch.decider";
import { branchStream, type Branch, type BranchEvent } from "./branch.events";

/** A branch as the directory knows it; `position` is that of its newest event. */
export interface KnownBranch {
  readonly branch: Branch;
  readonly position: Position;
}

/** What a snapshot holds: everything up to `position`. */
interface Saved {
  readonly position: Position;
  readonly default_branch_id: string | null;
  readonly branches: readonly KnownBranch[];
}

const SNAPSHOT = { stream_id: "branch-directory", schema_v: 1 } as const;
/** A start reads at most so many events more than it must; about 50 ms. */
const SNAPSHOT_EVERY = 4_096;
const READ_AT_ONCE = 1_000;
/** Own writes come back within milliseconds. */
const CATCH_UP_MS = 10_000;

type DirectoryRuntime = Pick<Runtime, "log" | "feed" | "broker">;

/** This node's memory of all branches, kept up to date from the log. Reading it costs a map look-up. */
export class BranchDirectory {
  #branches = new Map<string, KnownBranch>();
  #default_branch_id: string | undefined;
  #saved_step = 0;
  #feed: FeedHandle | undefined;

  private constructor(private readonly runtime: DirectoryRuntime) {}

  /** The directory once it knows everything that the log knows now. */
  static async open(runtime: DirectoryRuntime): Promise<BranchDirectory> {
    const directory = new BranchDirectory(runtime);
    const head = await runtime.log.head();
    directory.#feed = runtime.feed.subscribe({
      name: "branch:directory",
      after: await directory.#restore(),
      onBatch: (events, through) => {
        directory.#learn(events);
        return directory.#saveWhenDue(through);
      },
      wentBack: () => directory.#readAnew(),
    });
    await untilCaughtUp(runtime, "branch:directory", directory.#feed, head);
    return directory;
  }

  /** A branch, or the default one. Refusal: `branch.unknown`. */
  get(branch_id = this.#default_branch_id): KnownBranch | Refusal {
    const known = branch_id === undefined ? undefined : this.#branches.get(branch_id);
    return known ?? BRANCH_UNKNOWN;
  }

  /** A branch from its stream, for who may not rely on this node's memory. Refusal: `branch.unknown`. */
  async fresh(branch_id = this.#default_branch_id): Promise<KnownBranch | Refusal> {
    if (branch_id === undefined) return BRANCH_UNKNOWN;
    const events = await this.runtime.log.readStream(branchStream(branch_id));
    const branch = events.reduce(
      (state, event) => branchDecider.evolve(state, event as unknown as BranchEvent),
      branchDecider.initialState(),
    );
    const last = events.at(-1);
    if (branch === null || last === undefined) return BRANCH_UNKNOWN;
    return {
      branch: { ...branch, is_default: branch_id === this.#default_branch_id },
      position: last.position,
    };
  }

  /** All branches, the oldest first. */
  all(): readonly KnownBranch[] {
    return [...this.#branches.values()];
  }

  /** What a decision about one branch must know of the others, as the log has it now. */
  async chain(): Promise<Chain> {
    await this.reached(await this.runtime.log.head());
    return {
      codes: new Set(this.all().map(({ branch }) => branch.code)),
      default_branch_id: this.#default_branch_id,
    };
  }

  /** @throws UnavailableError `branch.directory_behind` when the log's events do not arrive. */
  async reached(position: Position): Promise<void> {
    await this.#feed?.reached(position, CATCH_UP_MS).catch((error: unknown) => {
      throw new UnavailableError(
        "branch.directory_behind",
        "This node has not yet read the newest branches; try again.",
        { cause: error },
      );
    });
  }

  async close(): Promise<void> {
    await this.#feed?.stop();
  }

  #learn(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      if (event.stream_type !== "branch") continue;
      const change = event as unknown as BranchEvent;
      const { branch_id } = change.data;
      const known = this.#branches.get(branch_id)?.branch ?? null;
      if ((known?.version ?? 0) >= event.version) continue;
      const branch = branchDecider.evolve(known, change);
      if (branch === null) continue;
      this.#branches.set(branch_id, { branch, position: event.position });
      if (change.type !== "branch.slots_configured" && change.data.details.is_default === true)
        this.#moveDefault(branch_id);
    }
  }

  /** The newest claim wins, and the former default knows it. */
  #moveDefault(branch_id: string): void {
    this.#default_branch_id = branch_id;
    for (const [id, known] of this.#branches) {
      const is_default = id === branch_id;
      if (known.branch.is_default !== is_default)
        this.#branches.set(id, { ...known, branch: { ...known.branch, is_default } });
    }
  }

  /** Reads all of it beside what is there, then puts it in its place: nobody finds a branch missing meanwhile. */
  async #readAnew(): Promise<Position> {
    const fresh = new BranchDirectory(this.runtime);
    let position = await fresh.#restore();
    for (let more = true; more;) {
      const events = await this.runtime.log.readAll(position, READ_AT_ONCE);
      fresh.#learn(events);
      position += events.length;
      more = events.length > 0;
    }
    this.#branches = fresh.#branches;
    this.#default_branch_id = fresh.#default_branch_id;
    this.#saved_step = fresh.#saved_step;
    return position;
  }

  async #restore(): Promise<Position> {
    const snapshot = await this.runtime.log.loadSnapshot(SNAPSHOT.stream_id, SNAPSHOT.schema_v);
    if (snapshot === undefined) return 0;
    const saved = snapshot.state as Saved;
    for (const known of saved.branches) this.#branches.set(known.branch.branch_id, known);
    this.#default_branch_id = saved.default_branch_id ?? undefined;
    this.#saved_step = snapshot.version;
    return saved.position;
  }

  /** The log keeps the snapshot of the highest version: here, of the latest step of positions. */
  async #saveWhenDue(through: Position): Promise<void> {
    const step = Math.floor(through / SNAPSHOT_EVERY);
    if (step <= this.#saved_step) return;
    this.#saved_step = step;
    const state: Saved = {
      position: through,
      default_branch_id: this.#default_branch_id ?? null,
      branches: this.all(),
    };
    try {
      await this.runtime.log.saveSnapshot({ ...SNAPSHOT, version: step, state });
    } catch (error) {
      this.runtime.broker.logger.warn(
        "The snapshot of the branches was not saved; the next start reads more:",
        error,
      );
    }
  }
}
