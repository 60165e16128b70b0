import path from "node:path";
import {
  credentials,
  makeClientConstructor,
  Metadata,
  status as Code,
  type Client,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { projectFolder } from "../../fleet/servers/project-folder";
import type { Outcome } from "../history";
import { ATTEMPT_MS_MAX, GUEST_TOKEN, insist, type Answer, type Asking } from "./insist";
import type { RestRequest } from "./rest-client";

const NAMED = loadSync("forno/order/v1/order.proto", {
  ...{ includeDirs: [path.join(projectFolder(), "proto")], keepCase: true, longs: Number, enums: String },
  ...{ defaults: true, oneofs: false },
})["forno.order.v1.OrderService"] as ServiceDefinition;
const OrderService = makeClientConstructor(NAMED, "OrderService");

type Fields = Readonly<Record<string, unknown>>;
type Call = (
  request: object,
  metadata: Metadata,
  options: { readonly deadline: number },
  callback: (error: ServiceError | null, answer: Fields) => void,
) => unknown;

/** Somebody else may do it, or the same node a moment later. */
const NOT_NOW: ReadonlySet<Code> = new Set([
  ...[Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.RESOURCE_EXHAUSTED, Code.CANCELLED],
]);

/** Places orders by gRPC, from a request in the form of REST, and tells of the answer in that form. */
export class GrpcClient {
  readonly #clients = new Map<string, Client>();

  constructor(private readonly asking: Asking) {}

  ask({ body, key, token }: RestRequest): Promise<Answer> {
    const request = wireRequest(body as Fields);
    return insist(this.asking, async (node) => {
      const metadata = new Metadata();
      metadata.set("idempotency-key", key ?? "");
      metadata.set("guest-token", GUEST_TOKEN);
      const bearer = await token?.().catch(() => null);
      // Nobody could sign them in just now.
      if (bearer === null) return undefined;
      if (bearer !== undefined) metadata.set("authorization", `Bearer ${bearer}`);
      const { error, answer } = await this.#create(node, request, metadata);
      if (error !== null && NOT_NOW.has(error.code)) return undefined;
      const headers = new Headers();
      if (error === null)
        return { outcome: "acked", status: Code.OK, code: null, body: restAnswer(answer), headers };
      const name = error.metadata.get("forno-code").map(String)[0] ?? "without a code";
      return { outcome: outcomeOf(error.code), status: error.code, code: name, body: null, headers };
    });
  }

  /** Ends all connections. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #create(
    node: string,
    request: object,
    metadata: Metadata,
  ): Promise<{ readonly error: ServiceError | null; readonly answer: Fields }> {
    const known = this.#clients.get(node);
    const client = known ?? new OrderService(node, credentials.createInsecure());
    this.#clients.set(node, client);
    const { CreateOrder: call } = client as unknown as { readonly CreateOrder: Call };
    return new Promise((resolve) => {
      const deadline = Date.now() + ATTEMPT_MS_MAX;
      call.call(client, request, metadata, { deadline }, (error, answer) => {
        resolve({ error, answer });
      });
    });
  }
}

/** A refusal is the business's no; an argument that is wrong is this client's mistake, and the rest nobody should see. */
function outcomeOf(code: Code): Outcome {
  return code === Code.FAILED_PRECONDITION || code === Code.ABORTED ? "refused" : "broken";
}

function wireRequest({ fulfilment, payment_method, ...rest }: Fields): object {
  return {
    ...rest,
    fulfilment: `FULFILMENT_${String(fulfilment).toUpperCase()}`,
    payment_method: `PAYMENT_METHOD_${String(payment_method).toUpperCase()}`,
  };
}

interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

const timeOf = (time: unknown): string => {
  const { seconds, nanos } = time as Timestamp;
  return new Date(seconds * 1_000 + nanos / 1_000_000).toISOString();
};

function restAnswer({ status, slot, ready_at, visible_at, ...rest }: Fields): object {
  const { slot_id, start, end } = slot as Fields;
  return {
    ...rest,
    status: String(status).slice("ORDER_STATUS_".length).toLowerCase(),
    slot: { slot_id, start: timeOf(start), end: timeOf(end) },
    ready_at: timeOf(ready_at),
    visible_at: timeOf(visible_at),
  };
}
