import { derivedUuid } from "../../mixins/derived-id";
import { mayWorkAt } from "../../mixins/contract/branch-access";
import type { Caller, CommandIdentity, Ctx } from "../../mixins/contract/caller";
import type { ResultOf } from "../../mixins/contract/contract";
import { act, callerOf, commandOf, type CommandOutcome } from "../../mixins/contract/implement";
import { orThrow, RefusedError, refuse, type FieldError, type Refusal } from "../../mixins/contract/refusal";
import { invalidInput } from "../../mixins/contract/validation";
import type { Runtime } from "../../mixins/runtime";
import { findCamerasByMac } from "../camera-cache/camera-cache.contract";
import type { EntryStatus, sendCameraEvents } from "./camera-events.contract";
import type { Camera, CameraEvent } from "./camera.events";
import type { CameraKeys } from "./camera.keys";
import type { EventStore } from "./event-store";
import { makeOf } from "./makes";
import { readEntry, type ReadEntry } from "./read-entry";

type Answer = ResultOf<typeof sendCameraEvents>;
type Judged = Answer["results"][number] & { readonly event?: CameraEvent };

const EVENT_TYPE_CHARS_MAX = 100;

/** Whose events a sender may report, and what their Idempotency-Keys are their own by. */
interface Sender {
  readonly branch_ids: Caller["branch_ids"];
  readonly identity: CommandIdentity;
}

/** What becomes of reported events: read, looked up, understood by make, kept, published. */
export class Ingest {
  constructor(
    private readonly runtime: Pick<Runtime, "broker" | "clock" | "ids">,
    private readonly keys: CameraKeys,
    private readonly store: Pick<EventStore, "add">,
  ) {}

  /**
   * Refusals: `auth.required`, `camera.key_unknown`; `input.invalid` when no entry can be read, with the entry in each path.
   * Nothing of the request was processed then.
   */
  async take(ctx: Ctx<{ readonly events: Record<string, unknown>[] }>): Promise<CommandOutcome | Refusal> {
    const sender = await this.#senderOf(ctx);
    const entries = ctx.params.events.map(readEntry);
    if (entries.every(isWrong))
      return invalidInput(entries.flatMap((errors, index) => errors.map((error) => at(index, error))));
    const received_at = new Date(this.runtime.clock.now()).toISOString();
    const cameras = await this.#camerasOf(entries);
    const judged = entries.map((entry, index): Judged =>
      isWrong(entry)
        ? { index, status: "malformed", errors: [...entry] }
        : this.#judge(index, entry, cameras.get(entry.mac), sender, received_at),
    );
    const events = judged.flatMap(({ event }) => event ?? []);
    return this.store.add({ events, received_at, identity: sender.identity, answer: answerOf(judged) });
  }

  async #senderOf(ctx: Ctx<unknown>): Promise<Sender> {
    const { branch_ids, role } = callerOf(ctx);
    const identity = commandOf(ctx);
    if (role !== "guest") return { branch_ids, identity };
    const { api_key } = ctx.meta;
    if (api_key === undefined)
      throw new RefusedError(
        refuse("unauthorized", "auth.required", "Send a key of the branch in X-API-Key, or sign in."),
      );
    const { key_id, branch_id } = orThrow(await this.keys.verify(api_key));
    return {
      branch_ids: [branch_id],
      identity: { ...identity, id: derivedUuid(`camera events ${key_id} ${identity.id}`) },
    };
  }

  async #camerasOf(
    entries: readonly (ReadEntry | readonly FieldError[])[],
  ): Promise<Map<string, Camera | null>> {
    const macs = [...new Set(entries.flatMap((entry) => (isWrong(entry) ? [] : entry.mac)))];
    const { cameras } = await act(this.runtime.broker, findCamerasByMac, { macs });
    return new Map(macs.map((mac, index) => [mac, cameras[index] ?? null]));
  }

  #judge(
    index: number,
    { report }: ReadEntry,
    camera: Camera | null | undefined,
    { branch_ids }: Sender,
    received_at: string,
  ): Judged {
    // Whose camera it is where it is not the sender's own is not theirs to know.
    if (camera == null || !mayWorkAt({ branch_ids }, camera.branch_id)) return { index, status: "unknown" };
    if (!camera.enabled) return { index, status: "disabled" };
    const meaning = makeOf(camera.model).read(report);
    if (meaning === "alive") return { index, status: "alive" };
    if (meaning === undefined) return malformed(index, "/event_type", "is missing");
    const { event_type, timestamp, data } = meaning;
    if (event_type.length > EVENT_TYPE_CHARS_MAX) return malformed(index, "/event_type", "is too long");
    const { camera_id, mac_address, model, branch_id, complex_id } = camera;
    const event: CameraEvent = {
      ...{
        event_id: this.runtime.ids.uuid(),
        event_type,
        camera_id,
        mac_address,
        model,
        branch_id,
        complex_id,
      },
      timestamp: instantOf(timestamp) ?? received_at,
      data,
    };
    return { index, status: "accepted", event_id: event.event_id, event };
  }
}

function isWrong(entry: ReadEntry | readonly FieldError[]): entry is readonly FieldError[] {
  return Array.isArray(entry);
}

function at(index: number, { path, message }: FieldError): FieldError {
  return { path: `/events/${String(index)}${path === "/" ? "" : path}`, message };
}

function malformed(index: number, path: string, message: string): Judged {
  return { index, status: "malformed", errors: [{ path, message }] };
}

/** A make's own time may be no time at all: then the payload keeps it, and the arrival counts. */
function instantOf(timestamp: string | undefined): string | undefined {
  const ms = Date.parse(timestamp ?? "");
  const year = new Date(ms).getUTCFullYear();
  return year >= 1970 && year <= 9999 ? new Date(ms).toISOString() : undefined;
}

function answerOf(judged: readonly Judged[]): Answer {
  const count = (status: EntryStatus): number => judged.filter((one) => one.status === status).length;
  return {
    accepted: count("accepted"),
    unknown: count("unknown"),
    disabled: count("disabled"),
    alive: count("alive"),
    malformed: count("malformed"),
    results: judged.map(({ index, status, event_id, errors }) => ({
      ...{ index, status },
      ...(event_id === undefined ? {} : { event_id }),
      ...(errors === undefined ? {} : { errors }),
    })),
  };
}
