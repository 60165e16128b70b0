import { eventIdOf, eventIdPrefix, partitionOf } from "../../../mixins/event-log/event-identity";
import { PARTITIONS } from "../../../mixins/event-log/event-log";

const idOf = (stream_id: string, version: number): string => eventIdOf(eventIdPrefix(stream_id), version);

it("gives streams the partitions that are stored with their events already", () => {
  expect(["order-1", "order-2", "slots-centre-2026-01-01", "заказ"].map(partitionOf)).toEqual([
    12, 8, 10, 15,
  ]);
});

it("spreads streams evenly over the partitions", () => {
  const counts = Array<number>(PARTITIONS).fill(0);
  for (let n = 0; n < 16_000; n += 1) {
    const partition = partitionOf(`order-0193f0a1-6f7e-7c3a-9d57-${n.toString(16).padStart(12, "0")}`);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(800);
  expect(Math.max(...counts)).toBeLessThan(1_200);
});

it("gives an event the same UUID everywhere, and every event its own", () => {
  expect(idOf("order-1", 1)).toBe("ea37b42b-1c3b-8609-a51f-13dc00000001");
  const ids = ["a", "b"].flatMap((stream) =>
    [1, 2, 255, 2_147_483_647].map((version) => idOf(stream, version)),
  );
  expect(new Set(ids).size).toBe(8);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
});
