import { Type } from "@sinclair/typebox";
import { contract } from "../../mixins/contract/contract";
import { Uuid, strictObject } from "../../mixins/contract/schemas";
import { readAs } from "../../mixins/text/forms";
import { Line } from "../../mixins/text/lines";

/** A company in whose name branches sell. */
export const LegalEntity = strictObject({ legal_entity_id: Uuid, name: Type.String(), inn: Type.String() });

/** Refusals: `legal_entity.unknown`. */
export const getLegalEntity = contract({
  name: "branch.legal_entity_get",
  summary: "One legal entity",
  kind: "query",
  permission: "internal",
  params: strictObject({ legal_entity_id: Uuid }),
  result: LegalEntity,
  refusals: ["legal_entity.unknown"],
});

export const listLegalEntities = contract({
  name: "branch.legal_entity_list",
  summary: "All legal entities",
  kind: "query",
  permission: "branch.manage",
  rest: [{ method: "GET", path: "/api/v1/erp/legal-entities" }],
  params: strictObject({}),
  result: strictObject({ items: Type.Array(LegalEntity) }),
});

export const createLegalEntity = contract({
  name: "branch.legal_entity_create",
  summary: "Register a legal entity",
  kind: "command",
  permission: "branch.manage",
  rest: [{ method: "POST", path: "/api/v1/erp/legal-entities", status: 201 }],
  params: strictObject({
    legal_entity_id: Type.Optional(Uuid),
    name: Line(200),
    inn: Type.String({
      ...readAs("digits"),
      pattern: "^([0-9]{10}|[0-9]{12})$",
      description: "Taxpayer number with its check digits",
    }),
  }),
  result: LegalEntity,
  refusals: ["legal_entity.inn_invalid", "legal_entity.inn_taken", "legal_entity.exists"],
});

/** Every operation of the room on legal entities. */
export const legalEntityContracts = [getLegalEntity, listLegalEntities, createLegalEntity] as const;
