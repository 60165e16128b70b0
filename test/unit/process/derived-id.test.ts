import { derivedCommandId } from "../../../mixins/process/derived-id";

test("the id of a command is a UUID that event, process and place decide", () => {
  const id = derivedCommandId("event-1", "stock", 0);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(derivedCommandId("event-1", "stock", 0)).toBe(id);
  const others = [
    derivedCommandId("event-2", "stock", 0),
    derivedCommandId("event-1", "slots", 0),
    derivedCommandId("event-1", "stock", 1),
  ];
  expect(new Set([id, ...others]).size).toBe(4);
});

test("the id of a command never changes, or replays would do everything again", () => {
  expect(derivedCommandId("00000000-0000-7000-8000-000000000001", "slot-release", 0)).toBe(
    "a3c2ab71-a167-8e96-ae38-724b00deab68",
  );
});
