import type { RecordedEvent, Upcaster } from "./event-log";

/** Brings events to today's shapes. */
export type Upcast = (event: RecordedEvent) => RecordedEvent;

/**
 * Chains upcasters: an event of shape 1 passes through those from 1, 2, 3 … as far as they go.
 * @throws Error when two upcasters start from the same shape of the same type.
 */
export function upcasting(upcasters: readonly Upcaster[]): Upcast {
  const steps = new Map<string, Upcaster>();
  for (const upcaster of upcasters) {
    const from = shape(upcaster.type, upcaster.from_schema_v);
    if (steps.has(from)) throw new Error(`Two upcasters start from ${from}.`);
    steps.set(from, upcaster);
  }
  if (steps.size === 0) return (event) => event;
  return (event) => {
    let { data, schema_v } = event;
    for (let step; (step = steps.get(shape(event.type, schema_v))) !== undefined; schema_v += 1)
      data = step.upcast(data);
    return schema_v === event.schema_v ? event : { ...event, data, schema_v };
  };
}

function shape(type: string, schema_v: number): string {
  return `${type} v${String(schema_v)}`;
}
