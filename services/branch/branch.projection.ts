import type { PoolClient } from "pg";
import type { RecordedEvent } from "../../mixins/event-log/event-log";
import type { Projection } from "../../mixins/projection/projection";
import type { BranchDetails, BranchEvent, SlotRules } from "./branch.events";

const DETAIL_COLUMNS = [
  "code",
  "name",
  "address",
  "phone",
  "time_zone",
  "currency",
  "delivery_fee_minor",
  "free_delivery_from_minor",
  "is_default",
  "legal_entity_id",
] as const satisfies readonly (keyof BranchDetails)[];
const JSON_COLUMNS: ReadonlySet<string> = new Set(["name", "address"]);

/** Table `branches`, for readers of SQL. A chain changes a branch now and then: a statement an event is few enough. */
export const branchProjection: Projection = {
  name: "branches",
  tables: ["branches"],
  handles: ["branch.opened", "branch.changed", "branch.slots_configured"],
  async apply(events: readonly RecordedEvent[], tx: PoolClient): Promise<void> {
    for (const event of events) await applyOne(event as unknown as BranchEvent, event.version, tx);
  },
};

async function applyOne(event: BranchEvent, version: number, tx: PoolClient): Promise<void> {
  switch (event.type) {
    case "branch.opened": {
      const { branch_id, details, slot_rules } = event.data;
      await insert(tx, branch_id, details, slot_rules);
      await moveDefault(tx, branch_id, details);
      return;
    }
    case "branch.changed": {
      const { branch_id, details } = event.data;
      await update(tx, branch_id, details, version);
      await moveDefault(tx, branch_id, details);
      return;
    }
    case "branch.slots_configured":
      await tx.query(
        "update branches set slot_rules = slot_rules || $2::jsonb, version = $3 where branch_id = $1",
        [event.data.branch_id, JSON.stringify(event.data.slot_rules), version],
      );
      return;
    default:
      event satisfies never;
  }
}

async function insert(
  tx: PoolClient,
  branch_id: string,
  details: BranchDetails,
  slot_rules: SlotRules,
): Promise<void> {
  const values = DETAIL_COLUMNS.map((column) => valueOf(column, details));
  const places = values.map((_, at) => `$${String(at + 4)}`);
  await tx.query(
    `insert into branches (branch_id, version, slot_rules, ${DETAIL_COLUMNS.join(", ")})
     values ($1, $2, $3, ${places.join(", ")})
     on conflict (branch_id) do nothing`,
    [branch_id, 1, JSON.stringify(slot_rules), ...values],
  );
}

async function update(
  tx: PoolClient,
  branch_id: string,
  details: Partial<BranchDetails>,
  version: number,
): Promise<void> {
  const columns = DETAIL_COLUMNS.filter((column) => details[column] !== undefined);
  const sets = ["version = $2", ...columns.map((column, at) => `${column} = $${String(at + 3)}`)];
  await tx.query(`update branches set ${sets.join(", ")} where branch_id = $1`, [
    branch_id,
    version,
    ...columns.map((column) => valueOf(column, details)),
  ]);
}

/** The newest claim wins. */
async function moveDefault(
  tx: PoolClient,
  branch_id: string,
  { is_default }: Partial<BranchDetails>,
): Promise<void> {
  if (is_default !== true) return;
  await tx.query("update branches set is_default = (branch_id = $1) where is_default or branch_id = $1", [
    branch_id,
  ]);
}

function valueOf(column: (typeof DETAIL_COLUMNS)[number], details: Partial<BranchDetails>): unknown {
  const value = details[column];
  return JSON_COLUMNS.has(column) ? JSON.stringify(value) : value;
}
