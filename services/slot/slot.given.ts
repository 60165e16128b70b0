import { LRUCache } from "lru-cache";
import type { Given } from "../../mixins/actor/actor-host";
import { act } from "../../mixins/contract/implement";
import type { EventLog } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { getBranch } from "../branch/branch.contract";
import { branchStream } from "../branch/branch.events";
import { addDays } from "../../mixins/calendar/opening";
import type { SlotCalendar } from "./slot.calendar";
import type { DayGiven } from "./slot.commands";
import { kitchenDayStream, parseKitchenDayStream, type SlotEvent } from "./slot.events";
import { overhangOf, type Overhang } from "./slot.overhang";
import { loadKitchenDay, SNAPSHOT_SCHEMA_V } from "./slot.snapshot";
import { evolve, KitchenDay } from "./slot.state";

/** Kitchen-days whose overhang is remembered; one costs two short reads to find out again. */
const OVERHANGS_MAX = 500;

/**
 * What a kitchen-day's decisions need from outside: the branch (guarded by its version, so that no order lands under rules
 * that have just been replaced), the day's grid, and what its neighbours hang over it.
 */
export function createDayGiven(
  { broker, log }: Pick<Runtime, "broker" | "log">,
  calendar: SlotCalendar,
): (stream_id: string, attempt: number) => Promise<Given<DayGiven>> {
  const overhangs = new LRUCache<string, Overhang>({ max: OVERHANGS_MAX });

  return async (stream_id, attempt) => {
    const { branch_id, business_date } = parseKitchenDayStream(stream_id);
    const branch = await act(broker, getBranch, attempt === 0 ? { branch_id } : { branch_id, fresh: true });
    const key = `${stream_id}@${String(branch.version)}`;
    // After the branch, never before it: what the neighbours sold under older rules is complete only then.
    const overhang = overhangs.get(key) ?? (await readOverhang(log, branch_id, business_date));
    overhangs.set(key, overhang);
    return {
      given: { branch, grid: calendar.day(branch, business_date), overhang },
      guards: [{ stream_id: branchStream(branch_id), expected_version: branch.version }],
    };
  };
}

async function readOverhang(log: EventLog, branch_id: string, business_date: string): Promise<Overhang> {
  const neighbours = [-1, 1].map((days) => kitchenDayStream(branch_id, addDays(business_date, days)));
  return overhangOf(await Promise.all(neighbours.map((stream_id) => readKitchenDay(log, stream_id))));
}

/** Folds a day straight from the log: the actor that owns it may live on another node, or wait for us. */
async function readKitchenDay(log: EventLog, stream_id: string): Promise<KitchenDay> {
  const snapshot = await log.loadSnapshot(stream_id, SNAPSHOT_SCHEMA_V);
  const state = snapshot === undefined ? new KitchenDay() : loadKitchenDay(snapshot.state);
  const events = await log.readStream(stream_id, snapshot?.version ?? 0);
  return events.reduce((day, { type, data }) => evolve(day, { type, data } as SlotEvent), state);
}
