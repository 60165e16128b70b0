import type { CommandIdentity } from "../../mixins/contract/caller";
import type { CommandOutcome } from "../../mixins/contract/implement";
import { refuse, type Refusal } from "../../mixins/contract/refusal";
import { changeRows } from "../../mixins/crud/row-change";
import type { EventMeta } from "../../mixins/event-log/event-log";
import type { Runtime } from "../../mixins/runtime";
import { isInn } from "./inn";

/** A company in whose name branches sell. */
export interface LegalEntityRow {
  readonly legal_entity_id: string;
  readonly name: string;
  /** Taxpayer number, 10 digits (12 of a sole trader). */
  readonly inn: string;
}

export type LegalEntityCreated = {
  readonly type: "legal_entity.created";
  readonly data: LegalEntityRow;
};

const COLUMNS = "legal_entity_id, name, inn";

/** Legal entities: a table whose changes are in the log. */
export class LegalEntities {
  constructor(private readonly runtime: Pick<Runtime, "pool" | "log" | "clock" | "ids">) {}

  /** Refusal: `legal_entity.unknown`. */
  async get(legal_entity_id: string): Promise<LegalEntityRow | Refusal> {
    const { rows } = await this.runtime.pool.query<LegalEntityRow>(
      `select ${COLUMNS} from legal_entities where legal_entity_id = $1`,
      [legal_entity_id],
    );
    return rows[0] ?? refuse("not_found", "legal_entity.unknown", "There is no such legal entity.");
  }

  async all(): Promise<LegalEntityRow[]> {
    const { rows } = await this.runtime.pool.query<LegalEntityRow>(
      `select ${COLUMNS} from legal_entities order by name, inn`,
    );
    return rows;
  }

  /** Refusals: `legal_entity.inn_invalid`, `legal_entity.inn_taken`, `legal_entity.exists`. */
  async create(
    wish: { legal_entity_id?: string; name: string; inn: string },
    command: CommandIdentity,
    meta: EventMeta,
  ): Promise<CommandOutcome | Refusal> {
    if (!isInn(wish.inn))
      return refuse(
        "unprocessable",
        "legal_entity.inn_invalid",
        "The check digits of this INN are wrong; look it up again.",
      );
    const entity = {
      legal_entity_id: wish.legal_entity_id ?? this.runtime.ids.uuid(),
      name: wish.name.trim(),
      inn: wish.inn,
    };
    return changeRows(this.runtime, command, async (tx) => {
      const { rowCount } = await tx.query(
        `insert into legal_entities (${COLUMNS}, version, created_at) values ($1, $2, $3, 1, $4) on conflict do nothing`,
        [entity.legal_entity_id, entity.name, entity.inn, new Date(this.runtime.clock.now())],
      );
      if (rowCount === 0) {
        const { rows } = await tx.query("select 1 from legal_entities where inn = $1", [entity.inn]);
        return rows.length > 0
          ? refuse(
              "conflict",
              "legal_entity.inn_taken",
              "A legal entity with this INN is registered already.",
            )
          : refuse("conflict", "legal_entity.exists", "A legal entity with this id is registered already.");
      }
      const created: LegalEntityCreated = { type: "legal_entity.created", data: entity };
      const stream_id = `legal-entity-${entity.legal_entity_id}`;
      const streams = [{ stream_id, stream_type: "legal-entity", expected_version: 0, events: [created] }];
      return { streams, answer: entity, meta };
    });
  }
}
