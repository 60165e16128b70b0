import type { Pool } from "pg";
import type { ResultOf } from "../../mixins/contract/contract";
import type { Refusal } from "../../mixins/contract/refusal";
import type { KnowingDeps, Person, PersonalRecords } from "../../mixins/erasure/personal-records";
import { KeyRegister } from "../../mixins/event-log/key-register";
import type { Runtime } from "../../mixins/runtime";
import type { exportCustomer } from "./customer.contract";
import { subjectOf, UNKNOWN } from "./customer.erasure";

/** Everything that the rooms know of a person. Refusal: `customer.unknown`. */
export async function knownOf(
  { pool, log, clock }: Pick<Runtime, "pool" | "log" | "clock">,
  records: readonly PersonalRecords[],
  person: Person,
  to: KnowingDeps["to"],
): Promise<ResultOf<typeof exportCustomer> | Refusal> {
  const streams = await new KeyRegister(pool).streamsOf(subjectOf(person));
  // What is left under the id of an account that was erased leads to nobody.
  if (streams.length === 0 && (await wasErased(pool, person))) return UNKNOWN;
  const known: Record<string, unknown> = {};
  for (const record of records) known[record.name] = await record.known({ pool, log, streams, to }, person);
  if (Object.values(known).every(isNothing)) return UNKNOWN;
  return { exported_at: new Date(clock.now()).toISOString(), records: known };
}

const isNothing = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);

async function wasErased(pool: Pool, { user_id }: Person): Promise<boolean> {
  const { rowCount } = await pool.query("select from es.erasure where person_id = $1 limit 1", [user_id]);
  return rowCount === 1;
}
