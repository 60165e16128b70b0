import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";

/** What clients ask for, by operation: the parameters that the checks look at. */
export interface Asks {
  readonly place: { readonly branch_id: string };
  readonly advance: { readonly order_id: string; readonly to: string };
  readonly cancel: { readonly order_id: string };
  readonly refund: { readonly order_id: string; readonly amount_minor: number };
  readonly draft: { readonly item_id: string; readonly price_minor: number };
  readonly publish: object;
  readonly configure: { readonly branch_id: string; readonly capacity_minor: number };
  /** A flash sale gets another name. */
  readonly rename: { readonly sale_id: string; readonly name: string };
  readonly limit: { readonly slot_id: string; readonly capacity_minor: number };
  /** The request of another operation again, under its key. */
  readonly repeat: { readonly first: unknown };
  /** An order under `?after=`: what its only client was told last. */
  readonly read: { readonly order_id: string; readonly after: number; readonly told: OrderSeen };
  /** The flash sales in force, maybe from a cache. */
  readonly sales: object;
}

/** What is looked at in an order that was read. */
export interface OrderSeen {
  readonly status: string;
  readonly refunded_total_minor: number;
}

/** What they are answered. */
export interface Answers {
  readonly place: {
    readonly order_id: string;
    readonly position: number;
    readonly slot: { readonly slot_id: string };
  };
  readonly advance: { readonly status: string; readonly position: number };
  readonly cancel: { readonly status: string; readonly position: number };
  readonly refund: { readonly amount_minor: number; readonly position: number };
  readonly draft: { readonly position: number };
  readonly publish: { readonly version: number; readonly position: number };
  readonly configure: { readonly capacity_minor: number; readonly position: number };
  readonly rename: { readonly position: number };
  readonly limit: { readonly capacity_minor: number; readonly position: number };
  readonly repeat: unknown;
  readonly read: OrderSeen;
  readonly sales: {
    readonly items: readonly { readonly sale_id: string; readonly name: { readonly en: string } }[];
    /** Of the header; null where there is none, and then nothing was cached. */
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
