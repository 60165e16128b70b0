import { endNow } from "../../mixins/cache-tags/cached-action";
import { mayWorkAt, notYours } from "../../mixins/contract/branch-access";
import type { Caller } from "../../mixins/contract/caller";
import type { ParamsOf } from "../../mixins/contract/contract";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { normalMac } from "../../mixins/text/mac-address";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { EntityRows, type Asked, type Entity } from "../../mixins/crud/entity-rows";
import { keyOf, pageFrom, type Page } from "../../mixins/crud/page";
import type { Runtime } from "../../mixins/runtime";
import type { changeCamera, createCamera, listCameras } from "./camera.contract";
import {
  ADDRESSES_CHANGED,
  cameraEntityEvents,
  macTag,
  type AddressesChanged,
  type Camera,
} from "./camera.events";
import { SETTINGS_CHARS_MAX } from "./camera.schemas";

const camera: Entity<Camera> = {
  name: "camera",
  title: "camera",
  table: "cameras",
  id: "camera_id",
  fields: ["mac_address", "model", "name", "settings", "branch_id", "complex_id", "enabled"],
  json: ["settings"],
  unique: ["mac_address"],
  events: cameraEntityEvents,
};

type CameraFields = ParamsOf<typeof createCamera>;
type CameraWish = Omit<ParamsOf<typeof changeCamera>, "camera_id" | "expected_version">;

const SETTINGS_TOO_LONG = refuse(
  "unprocessable",
  "camera.settings_too_long",
  `Settings hold at most ${String(SETTINGS_CHARS_MAX)} characters of JSON.`,
);

type RegistryRuntime = Pick<Runtime, "broker" | "cache" | "pool" | "log" | "clock" | "ids">;

/** The registry of cameras: a table whose changes are in the log. Whether a branch exists is its caller's to check. */
export class CameraRegistry {
  readonly #rows: EntityRows<Camera>;

  constructor(private readonly runtime: RegistryRuntime) {
    this.#rows = new EntityRows(runtime, camera);
  }

  /** Refusals: `camera.mac_address_taken`, `camera.settings_too_long`, `branch.not_yours`. */
  async create(fields: CameraFields, caller: Caller, asked: Asked): Promise<CommandOutcome | Refusal> {
    const {
      mac_address,
      model,
      name = null,
      settings = {},
      branch_id,
      complex_id = null,
      enabled = true,
    } = fields;
    if (!mayWorkAt(caller, branch_id)) return notYours();
    if (isTooLong(settings)) return SETTINGS_TOO_LONG;
    const row = {
      ...{ camera_id: this.runtime.ids.uuid(), mac_address: normalMac(mac_address), model: model.trim() },
      ...{ name: name?.trim() ?? null, settings, branch_id: branch_id.toLowerCase(), complex_id, enabled },
    };
    return this.#ending([row.mac_address], await this.#rows.create(row, asked));
  }

  /** Refusals: as of creation, `camera.unknown`, `camera.changed_meanwhile`. */
  async change(
    camera_id: string,
    wish: CameraWish,
    caller: Caller,
    asked: Asked,
    expected_version?: number,
  ): Promise<CommandOutcome | Refusal> {
    const { mac_address, model, name, branch_id, settings } = wish;
    if (branch_id !== undefined && !mayWorkAt(caller, branch_id)) return notYours();
    if (settings !== undefined && isTooLong(settings)) return SETTINGS_TOO_LONG;
    const fields = {
      ...wish,
      ...(mac_address === undefined ? {} : { mac_address: normalMac(mac_address) }),
      ...(model === undefined ? {} : { model: model.trim() }),
      ...(typeof name === "string" ? { name: name.trim() } : {}),
      ...(branch_id === undefined ? {} : { branch_id: branch_id.toLowerCase() }),
    };
    const macs = new Set(fields.mac_address === undefined ? [] : [fields.mac_address]);
    const allowed = (row: Camera) => {
      macs.add(row.mac_address);
      return mayWorkAt(caller, row.branch_id) ? fields : notYours();
    };
    return this.#ending(macs, await this.#rows.change(camera_id, allowed, asked, expected_version));
  }

  /** Refusals: `camera.unknown`, `camera.changed_meanwhile`, `branch.not_yours`. */
  async delete(
    camera_id: string,
    caller: Caller,
    asked: Asked,
    expected_version?: number,
  ): Promise<CommandOutcome | Refusal> {
    const macs = new Set<string>();
    const allowed = (row: Camera) => {
      macs.add(row.mac_address);
      return mayWorkAt(caller, row.branch_id) ? undefined : notYours();
    };
    return this.#ending(macs, await this.#rows.delete(camera_id, allowed, asked, expected_version));
  }

  /** Refusals: `camera.unknown`, `branch.not_yours`. */
  async get(camera_id: string, caller: Caller): Promise<Camera | Refusal> {
    const row = await this.#rows.get(camera_id);
    return isRefusal(row) || mayWorkAt(caller, row.branch_id) ? row : notYours();
  }

  /** Refusals: `input.cursor_malformed`, `branch.not_yours`. */
  async list(
    { branch_id, complex_id, enabled, cursor, limit = 50 }: ParamsOf<typeof listCameras>,
    caller: Caller,
  ): Promise<Page<Camera> | Refusal> {
    const before = keyOf(cursor, "id");
    if (isRefusal(before)) return before;
    if (branch_id !== undefined && !mayWorkAt(caller, branch_id)) return notYours();
    const branches = branch_id ?? caller.branch_ids ?? undefined;
    const rows = await this.#rows.page({ branch_id: branches, complex_id, enabled }, before, limit + 1);
    return pageFrom(rows, limit, (row) => row.camera_id);
  }

  /** What is remembered by these addresses ends before the answer is given; where that fails, the event ends it. */
  async #ending<T extends CommandOutcome | Refusal>(changed: Iterable<string>, outcome: T): Promise<T> {
    if (isRefusal(outcome)) return outcome;
    const told: AddressesChanged = { macs: [...changed] };
    await this.runtime.broker.broadcastLocal(ADDRESSES_CHANGED, told);
    await endNow(this.runtime, ...told.macs.map(macTag));
    return outcome;
  }

  /** Those of some normalised addresses that are registered. */
  having(macs: readonly string[]): Promise<Camera[]> {
    return this.#rows.having("mac_address", macs);
  }
}

function isTooLong(settings: object): boolean {
  return JSON.stringify(settings).length > SETTINGS_CHARS_MAX;
}
