import type { PoolClient } from "pg";
import type { CommandIdentity } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { Person, PersonalRecords } from "../../mixins/erasure/personal-records";
import type { EventMeta, StreamAppend } from "../../mixins/event-log/event-log";
import { KeyRegister } from "../../mixins/event-log/key-register";
import type { Runtime } from "../../mixins/runtime";
import { erasureStream, type CustomerErased } from "./customer.events";

/** What the log keeps as the answer. */
export interface ErasureAnswer {
  readonly erasure_id: string;
  readonly streams: number;
  readonly accounts: string[];
  readonly erased_at: string;
}

export const UNKNOWN = refuse(
  "not_found",
  "customer.unknown",
  "Nothing is known of this person, or nothing any more.",
);

const USER_STREAMS = "user-";

/**
 * Forgets a person: what the rooms keep of them, the keys of their streams, and the event that tells everybody who holds copies,
 * all in one transaction. Whoever dies in the middle of it has done nothing; whoever dies behind it leaves the rest to those
 * who follow the log from their checkpoints.
 */
export class Erasures {
  readonly #register: KeyRegister;

  constructor(
    private readonly runtime: Pick<Runtime, "pool" | "log" | "clock" | "ids">,
    private readonly records: readonly PersonalRecords[],
  ) {
    this.#register = new KeyRegister(runtime.pool);
  }

  /** Refusals: `customer.unknown`, and why rooms cannot forget the person now. */
  erase(
    person: Person,
    by: CustomerErased["data"]["by"],
    command: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    return changeRows(this.runtime, command, async (tx) => {
      const at = new Date(this.runtime.clock.now());
      // Rows before the log: whoever changes the same ones takes them in this order, too.
      const forgotten: StreamAppend[] = [];
      for (const { forget } of this.records) forgotten.push(...((await forget?.(tx, person, at)) ?? []));
      const subject = subjectOf(person);
      if (forgotten.length === 0 && (await this.#register.streamsOf(subject, tx)).length === 0)
        return (await this.#refusal(tx, person, [])) ?? UNKNOWN;
      const streams = await this.#register.claimedStreamsOf(tx, subject);
      const refused = await this.#refusal(tx, person, streams);
      if (refused !== undefined) return refused;
      const erasure_id = this.runtime.ids.uuid();
      await this.#register.erase(tx, streams, erasure_id);
      const { user_id } = person;
      await tx.query(INSERT, [erasure_id, user_id, at]);
      const erased_at = at.toISOString();
      const event: CustomerErased = {
        type: "customer.erased",
        data: { erasure_id, user_id, by, streams: streams.length, at: erased_at },
      };
      const answer: ErasureAnswer = {
        ...{ erasure_id, streams: streams.length, accounts: accountsIn(forgotten), erased_at },
      };
      const erasure = {
        ...{ stream_id: erasureStream(erasure_id), stream_type: "erasure", expected_version: 0 },
        events: [event],
      };
      return { streams: [...forgotten, erasure], answer, meta };
    });
  }

  async #refusal(tx: PoolClient, person: Person, streams: readonly string[]): Promise<Refusal | undefined> {
    for (const { refusal } of this.records) {
      const refused = await refusal?.(tx, person, streams);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }
}

export const subjectOf = ({ user_id, phone }: Person) => ({ person_id: user_id, phone });

const INSERT = "insert into es.erasure (erasure_id, person_id, erased_at) values ($1, $2, $3)";

function accountsIn(streams: readonly StreamAppend[]): string[] {
  return streams.flatMap(({ stream_id, stream_type }) =>
    stream_type === "user" ? [stream_id.slice(USER_STREAMS.length)] : [],
  );
}
