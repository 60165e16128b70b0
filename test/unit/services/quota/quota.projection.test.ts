import type { RecordedEvent } from "../../../../mixins/event-log/event-log";
import { foldHolds } from "../../../../services/quota/quota.projection";
import { returnOnCancel } from "../../../../services/quota/quota.process";
import { returnHold } from "../../../../services/quota/quota.contract";
import { usesIn } from "../../../../services/menu/menu.offer-uses";
import { cancelled, placed, uuidOf } from "../../../support/orders";

const QUOTA = uuidOf(1, "f");
const events = (
  ...happened: readonly (readonly ["taken" | "confirmed" | "returned", hold: number, used: number])[]
) =>
  happened.map(([what, hold, used], at) => {
    const data = { quota_id: QUOTA, hold_id: uuidOf(hold), order_id: uuidOf(7), used };
    return { type: `quota.${what}`, data, position: at + 1 } as unknown as RecordedEvent;
  });

it("what is taken and given back within a batch leaves no row", () => {
  const { taken, confirmed, returned } = foldHolds(
    events(
      ["taken", 1, 1],
      ["taken", 2, 2],
      ["confirmed", 1, 2],
      ["returned", 2, 1],
      ["confirmed", 3, 1],
      ["returned", 3, 0],
    ),
  );
  expect([...taken.keys()]).toEqual([uuidOf(1)]);
  expect([...confirmed]).toEqual([[uuidOf(1), uuidOf(7)]]);
  expect([...returned]).toEqual([uuidOf(3)]);
});

it("of how often an offer is used, the newest word of a batch counts", () => {
  expect(usesIn(events(["taken", 1, 1], ["confirmed", 1, 99], ["taken", 2, 2], ["returned", 1, 1]))).toEqual([
    { offer_id: QUOTA, used: 1, position: 4 },
  ]);
});

describe("when an order is cancelled", () => {
  it("everything that it had of limited offers is given back", async () => {
    const holds = [1, 2].map((number) => ({ quota_id: QUOTA, hold_id: uuidOf(number), units: number }));
    const { data } = cancelled(placed(1));
    const commands = await returnOnCancel.react({ data: { ...data, holds } } as RecordedEvent);
    expect(commands).toEqual(
      holds.map(({ quota_id, hold_id }) => ({
        contract: returnHold,
        params: { quota_id, hold_id, reason: "cancelled" },
      })),
    );
  });

  it("nothing happens to offers where it had nothing of them", async () => {
    expect(await returnOnCancel.react(cancelled(placed(1)) as unknown as RecordedEvent)).toEqual([]);
  });
});
