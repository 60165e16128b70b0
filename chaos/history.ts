import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";

/** What clients ask for, by operation: the parameters that the checks look at. */
export interface Asks {
  readonly place: Wish;
  readonly advance: { readonly order_id: string; readonly to: string };
  readonly cancel: { readonly order_id: string };
  readonly refund: { readonly order_id: string; readonly amount_minor: number };
  readonly process: { readonly order_id: string };
  readonly draft: { readonly item_id: string; readonly price_minor: number };
  readonly publish: object;
  /** The menu under `?after=`. */
  readonly menu: { readonly after: number };
  readonly configure: { readonly branch_id: string; readonly capacity_minor: number };
  /** A flash sale gets another name. */
  readonly rename: { readonly sale_id: string; readonly name: string };
  /** The kept sales are ended by hand. */
  readonly invalidate: object;
  readonly limit: { readonly slot_id: string; readonly capacity_minor: number };
  /** The request of another operation again, under its key. */
  readonly repeat: { readonly first: unknown };
  /** An order under `?after=`. */
  readonly read: { readonly order_id: string; readonly after: number };
  /** The flash sales in force, maybe from a cache. */
  readonly sales: object;
  /** What goes with a dish, maybe from a cache. */
  readonly company: { readonly item_id: string };
}

/** What somebody wants to order. */
export interface Wish {
  readonly branch_id: string;
  /** By gRPC, or by REST. */
  readonly channel: "grpc" | "shop";
  readonly fulfilment: "pickup" | "delivery";
  readonly promo_code: string | null;
  /** The account that orders; null: a guest. */
  readonly user_id: string | null;
  readonly items: readonly {
    readonly menu_item_id: string;
    readonly quantity: number;
    readonly extras: readonly string[];
  }[];
}

/** What they are answered. */
export interface Answers {
  /** The whole answer. */
  readonly place: Readonly<Record<string, unknown>> & {
    readonly order_id: string;
    readonly position: number;
    readonly track_url: string;
    readonly slot: { readonly slot_id: string };
  };
  readonly advance: { readonly status: string; readonly position: number };
  readonly cancel: { readonly status: string; readonly position: number };
  readonly refund: { readonly amount_minor: number; readonly position: number };
  readonly process: { readonly position: number };
  readonly draft: { readonly position: number };
  readonly publish: { readonly version: number; readonly position: number };
  readonly menu: { readonly version: number; readonly prices: Readonly<Record<string, number>> };
  readonly configure: { readonly capacity_minor: number; readonly position: number };
  readonly rename: { readonly position: number };
  readonly invalidate: { readonly position: number };
  readonly limit: { readonly capacity_minor: number; readonly position: number };
  readonly repeat: unknown;
  /** The whole order. */
  readonly read: Readonly<Record<string, unknown>>;
  readonly sales: {
    readonly items: readonly { readonly sale_id: string; readonly name: { readonly en: string } }[];
    /** Of the header; null where there is none, and then nothing was cached. */
    readonly x_cache: string | null;
  };
  readonly company: {
    /** Orders that hold both, by the other dish. */
    readonly counts: Readonly<Record<string, number>>;
    readonly x_cache: string | null;
  };
}

export type OperationName = keyof Asks;

/**
 * What became of an operation. *acked*: answered with success; *refused*: the business said no; *unknown*: nobody had
 * answered when the client gave up, so it may or may not have been done; *broken*: an answer that no client may ever get.
 */
export type Outcome = "acked" | "refused" | "unknown" | "broken";

interface Done<Name extends OperationName> {
  readonly op: Name;
  readonly client: string;
  /** Its Idempotency-Key; reads have one too, to tell them apart. */
  readonly key: string;
  readonly asked: Asks[Name];
  /** Milliseconds since the load began. */
  readonly start_ms: number;
  readonly end_ms: number;
  /** How often it was sent. */
  readonly attempts: number;
  readonly outcome: Outcome;
  readonly status: number | null;
  /** Name of the refusal. */
  readonly code: string | null;
  /** Of an acked operation. */
  readonly answer: Answers[Name] | null;
}

/** One thing that one client did, from the first attempt to the last answer. */
export type Operation = { readonly [Name in OperationName]: Done<Name> }[OperationName];
export type OperationOf<Name extends OperationName> = Extract<Operation, { readonly op: Name }>;

/** The operations of one name. */
export function operationsOf<Name extends OperationName>(
  operations: readonly Operation[],
  op: Name,
): OperationOf<Name>[] {
  return operations.filter((operation): operation is OperationOf<Name> => operation.op === op);
}

/** Enough for an hour of this load; then the load ends by itself. */
const OPERATIONS_MAX = 300_000;

/** Everything that clients did, in memory for the checks and as JSON lines for people. */
export class History {
  readonly operations: Operation[] = [];
  readonly #file: WriteStream;

  constructor(
    folder: string,
    private readonly operations_max = OPERATIONS_MAX,
  ) {
    this.#file = createWriteStream(path.join(folder, "history.jsonl"));
  }

  get full(): boolean {
    return this.operations.length >= this.operations_max;
  }

  add(operation: Operation): void {
    this.operations.push(operation);
    this.#file.write(`${JSON.stringify(operation)}\n`);
  }

  /** Resolves when all is in the file. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(resolve));
  }
}
