import { randomUUID } from "node:crypto";
import * as idempotency from "../../../services/gateway/http/idempotency";
import { replaceExport } from "../replace";

replaceExport(idempotency, "commandIdentity", () => () => ({
  id: randomUUID(),
  fingerprint: "",
  fresh: true,
}));
