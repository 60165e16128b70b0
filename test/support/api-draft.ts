/** The parts of a JSON Schema that Forno's contracts use. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly pattern?: string;
}

/** One operation of an OpenAPI document. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly body?: JsonSchema;
}

/** Stands for a value that an earlier answer gave under a name; chosen when the request is sent. */
export class Known {
  constructor(
    readonly name: string,
    readonly pick: number,
    /** Sent while nothing of that name has been seen. */
    readonly otherwise: unknown,
  ) {}
}

/** Stands for a time not far from the moment when the request is sent. */
export class Around {
  constructor(
    readonly minutes: number,
    readonly is_date: boolean,
  ) {}
}

/** A request before its placeholders are filled in. */
export interface Draft {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: readonly (readonly [string, unknown])[];
  readonly body: unknown;
  /** Sent instead of the body, byte by byte. */
  readonly raw: string | undefined;
  readonly key: string | undefined;
}
