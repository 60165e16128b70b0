import { PositionGate } from "../../../mixins/event-feed/position-gate";

const gateAt = (position: number): PositionGate =>
  new PositionGate(
    position,
    (current, wanted) => new Error(`at ${String(current)}, wanted ${String(wanted)}`),
  );

test("lets through at once whose position is reached, and the others when it is", async () => {
  const gate = gateAt(5);
  await gate.reached(5, 0);
  const through: number[] = [];
  const waits = [7, 6, 8].map((wanted) => gate.reached(wanted, 10_000).then(() => through.push(wanted)));
  gate.moveTo(7);
  await Promise.all(waits.slice(0, 2));
  expect(through.sort()).toEqual([6, 7]);
  gate.moveTo(8);
  await waits[2];
});

test("sends away who waits for too long", async () => {
  await expect(gateAt(5).reached(6, 1)).rejects.toThrow("at 5, wanted 6");
});

test("tells everybody, now and later, when it has failed", async () => {
  const gate = gateAt(5);
  const waiting = gate.reached(6, 10_000);
  gate.fail(new Error("gap"));
  await expect(waiting).rejects.toThrow("gap");
  await expect(gate.reached(6, 10_000)).rejects.toThrow("gap");
  await gate.reached(5, 0);
});
