import { EXAMPLES } from "../../../examples/run";

/** What each example shows. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  "cached-action": [
    "100 looks on two nodes: clear, computed 1 time",
    "after weather.changed: snow on both, computed 1 time",
  ],
  "manual-cache": [
    'on the other node: {"name":"Маргарита"}',
    "after invalidate: undefined",
    "after invalidateTags: undefined",
    "by a pattern: 1 gone",
    "50 at once: computed 1 time",
  ],
  channels: ["node-1: kitchen", "node-1: yard", "node-2: kitchen", "node-2: yard"],
  "entity-events": [
    "the same label again: table.label_taken",
    'table.created {"table_id":"0198f1c2-0000-7000-8000-000000000001","label":"window","seats":4}',
    'table.updated {"table_id":"0198f1c2-0000-7000-8000-000000000001","label":"garden","seats":4,"changed":["label"],"previous":{"label":"window"}}',
    'table.deleted {"table_id":"0198f1c2-0000-7000-8000-000000000001","label":"garden","seats":4}',
  ],
  subscriptions: [
    '{"type":"subscribed","id":"1","entity":"DoorEvents","channel":"door.opened","filters":[{"field":"door","op":"icontains","value":"kitchen"}],"fields":["door","at"]}',
    '{"type":"error","filter":"colour__eq","known":["door","at"],"id":"2","code":"subscription.unknown_filter","detail":"DoorEvents is not filtered by this field.","message":"DoorEvents is not filtered by this field."}',
    '{"DoorEvents":{"door":"Kitchen, rear","at":"2026-03-02T12:00:00.000Z"},"id":"1"}',
  ],
};

describe("the examples", () => {
  it("are all shown here", () => {
    expect(Object.keys(EXAMPLES)).toEqual(Object.keys(SHOWN));
  });

  it.each(Object.entries(EXAMPLES))("%s runs, and shows what it should", async (name, example) => {
    const printed: string[] = [];
    await example((line) => printed.push(line));
    expect(printed).toEqual(SHOWN[name]);
  });
});
