import { creationOf, deletionOf, updateOf, type EntityEvents } from "../../../mixins/crud/entity-events";

interface Lamp {
  readonly lamp_id: string;
  readonly serial: string;
  readonly color: string;
  readonly secret: string;
  readonly settings: object;
}

const events: EntityEvents<Lamp> = {
  create: "lamp.created",
  update: "lamp.updated",
  delete: "lamp.deleted",
  update_of: { settings: "lamp.settings.updated" },
  payload_fields: ["lamp_id", "serial", "settings"],
  key_fields: ["serial"],
};
const FIELDS = ["serial", "color", "secret", "settings"] as const;
const lamp: Lamp = { lamp_id: "1", serial: "A", color: "red", secret: "s", settings: { dim: { by: 1 } } };
const payload = { lamp_id: "1", serial: "A", settings: { dim: { by: 1 } } };
const changed = (wish: Partial<Lamp>) => updateOf(events, lamp, { ...lamp, ...wish }, FIELDS);

it("a row that is made or deleted says its payload fields and nothing else", () => {
  expect(creationOf(events, lamp)).toEqual({ type: "lamp.created", data: payload });
  expect(deletionOf(events, lamp)).toEqual({ type: "lamp.deleted", data: payload });
});

it("an update says what is there now and which fields changed, also those whose values stay inside", () => {
  expect(changed({ color: "blue", secret: "t" })).toEqual([
    { type: "lamp.updated", data: { ...payload, changed: ["color", "secret"] } },
  ]);
});

it("an update that changes nothing is no event, however deep the equal values are", () => {
  expect(changed({ color: "red", settings: { dim: { by: 1 } } })).toEqual([]);
});

it("a field with an event of its own is told by that one, beside the update where other fields change too", () => {
  const settings = { dim: { by: 2 } };
  expect(changed({ settings })).toEqual([
    { type: "lamp.settings.updated", data: { ...payload, settings, changed: ["settings"] } },
  ]);
  expect(changed({ settings, color: "blue" }).map(({ type, data }) => [type, data])).toEqual([
    ["lamp.updated", { ...payload, settings, changed: ["color"] }],
    ["lamp.settings.updated", { ...payload, settings, changed: ["settings"] }],
  ]);
});

it("a changed key field is told with its value before, in each event of the change", () => {
  const settings = {};
  expect(changed({ serial: "B", settings }).map(({ data }) => data)).toEqual([
    { ...payload, serial: "B", settings, changed: ["serial"], previous: { serial: "A" } },
    { ...payload, serial: "B", settings, changed: ["settings"], previous: { serial: "A" } },
  ]);
});
