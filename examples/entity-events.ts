import { randomUUID } from "node:crypto";
import { isRefusal, orThrow } from "../mixins/contract/refusal";
import type { EntityEvents } from "../mixins/crud/entity-events";
import { EntityRows, type Asked, type RowStamps } from "../mixins/crud/entity-rows";
import type { Runtime } from "../mixins/runtime";
import { until, withChain, type Print } from "./node";

interface Table extends RowStamps {
  readonly table_id: string;
  readonly label: string;
  readonly seats: number;
  /** Stays in the table: it is no payload field. */
  readonly note: string;
}

const tableEvents = {
  create: "table.created",
  update: "table.updated",
  delete: "table.deleted",
  payload_fields: ["table_id", "label", "seats"],
  // Whoever remembers a table by its label is told under which one it was known before.
  key_fields: ["label"],
} as const satisfies EntityEvents<Table>;

const asked = (): Asked => ({ command: { id: randomUUID(), fingerprint: "", fresh: true }, meta: {} });

/** Entity events: each committed change of a row is in the log, exactly those, and whoever follows the log hears of them. */
export function entityEventsExample(print: Print): Promise<void> {
  return withChain(async (chain) => {
    const runtime = await chain.node();
    await runtime.pool.query(`create table tables (
      table_id uuid primary key, label text not null unique, seats integer not null, note text not null,
      version integer not null, created_at timestamptz not null, updated_at timestamptz not null)`);
    const heard: string[] = [];
    const follower = runtime.feed.subscribe({
      name: "example",
      after: await runtime.log.head(),
      onBatch: (events) => {
        for (const { type, data } of events) heard.push(`${type} ${JSON.stringify(data)}`);
        return Promise.resolve();
      },
      // What was made of lost events would be made good here; of this chain nothing gets lost.
      wentBack: () => runtime.log.head(),
    });
    try {
      await changeTables(runtime, print);
      await until("all is heard", () => heard.length === 3);
      for (const line of heard) print(line);
    } finally {
      await follower.stop();
    }
  });
}

async function changeTables(runtime: Runtime, print: Print): Promise<void> {
  const tables = new EntityRows<Table>(runtime, {
    ...{ name: "table", title: "table", table: "tables", id: "table_id" },
    ...{ fields: ["label", "seats", "note"], unique: ["label"], events: tableEvents },
  });
  const [window, door] = ["0198f1c2-0000-7000-8000-000000000001", "0198f1c2-0000-7000-8000-000000000002"];
  const fields = { label: "window", seats: 4, note: "wobbles" };
  orThrow(await tables.create({ table_id: window, ...fields }, asked()));
  // Refused, so nothing is written and nobody hears of it.
  const taken = await tables.create({ table_id: door, ...fields }, asked());
  print(`the same label again: ${isRefusal(taken) ? taken.code : "taken"}`);
  orThrow(await tables.change(window, () => ({ label: "garden" }), asked()));
  orThrow(await tables.delete(window, () => undefined, asked()));
}
