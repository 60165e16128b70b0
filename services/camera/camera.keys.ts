import { hash } from "node:crypto";
import { cachedValue } from "../../mixins/cache-tags/cached-action";
import { SingleFlight } from "../../mixins/cache-tags/single-flight";
import { mayWorkAt, notYours } from "../../mixins/contract/branch-access";
import { SYSTEM, type Caller } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import type { EntityEvents } from "../../mixins/crud/entity-events";
import { EntityRows, type Asked, type RowStamps } from "../../mixins/crud/entity-rows";
import { keyOf, pageFrom, type Page } from "../../mixins/crud/page";
import type { Runtime } from "../../mixins/runtime";

/** A key of a branch's devices. */
export interface CameraKey extends RowStamps {
  readonly key_id: string;
  readonly branch_id: string;
  readonly name: string;
  /** SHA-256 of the key. A key is as unguessable as its digest, so a slow hash would protect nothing. */
  readonly digest: string;
}

const events: EntityEvents<CameraKey> = {
  create: "camera_key.created",
  update: "camera_key.updated",
  delete: "camera_key.deleted",
  payload_fields: ["key_id", "branch_id", "name"],
};

/** All keys are one cached value: a few dozen rows, and a key that nobody has costs no question to the database. */
const KEYS_MAX = 10_000;
/** Keys that are made at one moment do not see each other, and may pass the bound by as many as there are. */
const KEYS_READ_MAX = KEYS_MAX + 1_000;
export const KEYS_TAG = "camera-keys";
const KEYS_TTL_S = 300;

export class CameraKeys {
  readonly #rows: EntityRows<CameraKey>;
  readonly #cached;
  readonly #reading = new SingleFlight();

  constructor(private readonly runtime: Runtime) {
    this.#rows = new EntityRows(runtime, {
      name: "camera_key",
      title: "key",
      table: "camera_keys",
      id: "key_id",
      fields: ["branch_id", "name", "digest"],
      events,
    });
    this.#cached = cachedValue<object, readonly KnownKey[]>(
      runtime,
      { name: "camera.keys" },
      {
        key: () => "all",
        ttl_s: KEYS_TTL_S,
        tags: () => [KEYS_TAG],
        invalidate_on: { [events.create]: () => [KEYS_TAG], [events.delete]: () => [KEYS_TAG] },
      },
    );
  }

  /** The key itself is in no answer that is kept: see the caller. Refusals: `branch.not_yours`, `camera.too_many_keys`. */
  async create(
    { branch_id, name }: { readonly branch_id: string; readonly name: string },
    key: string,
    caller: Caller,
    asked: Asked,
  ): Promise<CommandOutcome | Refusal> {
    if (!mayWorkAt(caller, branch_id)) return notYours();
    if ((await this.#rows.count()) >= KEYS_MAX) return TOO_MANY;
    const row = { key_id: this.runtime.ids.uuid(), branch_id: branch_id.toLowerCase(), name: name.trim() };
    return this.#rows.create({ ...row, digest: digestOf(key) }, asked);
  }

  /** Refusals: `camera_key.unknown`, `branch.not_yours`. */
  delete(key_id: string, caller: Caller, asked: Asked): Promise<CommandOutcome | Refusal> {
    const allowed = ({ branch_id }: CameraKey) => (mayWorkAt(caller, branch_id) ? undefined : notYours());
    return this.#rows.delete(key_id, allowed, asked);
  }

  /** Refusals: `branch.not_yours`, `input.cursor_malformed`. */
  async list(
    { branch_id, cursor, limit = 50 }: { branch_id?: string; cursor?: string; limit?: number },
    caller: Caller,
  ): Promise<Page<CameraKey> | Refusal> {
    const before = keyOf(cursor, "id");
    if (isRefusal(before)) return before;
    if (branch_id !== undefined && !mayWorkAt(caller, branch_id)) return notYours();
    const rows = await this.#rows.page(
      { branch_id: branch_id ?? caller.branch_ids ?? undefined },
      before,
      limit + 1,
    );
    return pageFrom(rows, limit, ({ key_id }) => key_id);
  }

  /** Whose key this is. Refusal: `camera.key_unknown`. */
  async verify(key: string): Promise<KnownKey | Refusal> {
    const digest = digestOf(key);
    const { value } = await this.#cached({}, SYSTEM, () => this.#all());
    return (
      value.find((known) => known.digest === digest) ??
      refuse("unauthorized", "camera.key_unknown", "This key is not, or no longer, one of ours.")
    );
  }

  /** Also where the cache is passed by: one statement at a time, and each answer is of after its question. */
  #all(): Promise<readonly KnownKey[]> {
    return this.#reading.run("all", async () => {
      const rows = await this.#rows.page({}, null, KEYS_READ_MAX);
      const answer = rows.map(({ key_id, branch_id, digest }) => ({ key_id, branch_id, digest }));
      return { answer, shared: false };
    });
  }
}

const TOO_MANY = refuse(
  "conflict",
  "camera.too_many_keys",
  `There are ${String(KEYS_MAX)} keys already; delete those that nobody uses.`,
);

type KnownKey = Pick<CameraKey, "key_id" | "branch_id" | "digest">;

function digestOf(key: string): string {
  return hash("sha256", key, "hex");
}
