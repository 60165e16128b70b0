import { OrderAdmission, type AskedNow } from "../../../../services/order/order.admission";
import type { OrderLimits } from "../../../../services/order/order.limits";
import { LocalNotes } from "../../../../services/order/order.noted";
import { OpenBook } from "../../../../services/order/order.open-book";
import { BRANCH, CUSTOMER, uuidOf } from "../../../support/orders";

const LIMITS: OrderLimits = {
  ...{ customer: { orders: 2, minor: 0 }, address: { orders: 3, minor: 0 }, branch: { orders: 4, minor: 0 } },
  ...{ address_per_minute: 0, network_per_minute: 5, confirm_above_minor: 50_000 },
};
let now_ms: number;
let book: OpenBook;
let notes: LocalNotes;
let known: Set<string>;
let refused: [string, string][];
let admission: OrderAdmission;
let n = 0;
beforeEach(() => {
  now_ms = 1_000_000;
  book = new OpenBook(() => now_ms);
  notes = new LocalNotes({ now: () => now_ms });
  known = new Set();
  refused = [];
  admission = new OrderAdmission({
    ...{ limits: LIMITS, book, notes },
    hasReceived: (user_id) => Promise.resolve(known.has(user_id)),
    onRefused: (code, by) => refused.push([code, by]),
  });
});
const order = (changes: Partial<AskedNow> = {}): AskedNow => ({
  ...{ order_id: uuidOf((n += 1)), branch_id: BRANCH, user_id: null, phone: null, total_minor: 1_000 },
  ...{ address: undefined, branch_phone: null },
  ...changes,
});
const ask = async (asked: AskedNow): Promise<string> => (await admission.refusalOf(asked))?.code ?? "fine";
const askAll = async (times: number, changes: (at: number) => Partial<AskedNow>): Promise<string[]> => {
  const codes: string[] = [];
  for (let at = 0; at < times; at += 1) codes.push(await ask(order(changes(at))));
  return codes;
};
const MANY = "order.too_many_open";

describe("Orders at the same moment", () => {
  it("of one account see each other", async () => {
    const codes = await Promise.all(Array.from({ length: 9 }, () => ask(order({ user_id: CUSTOMER }))));
    expect(codes.filter((code) => code === "fine")).toHaveLength(2);
  });

  it("of fresh accounts behind one address see each other, also when each gives another phone", async () => {
    const codes = await askAll(5, (at) => ({
      ...{ user_id: uuidOf(at, "c"), phone: `+7923000000${String(at)}`, address: "192.0.2.1" },
    }));
    expect(codes).toEqual(["fine", "fine", "fine", MANY, MANY]);
  });

  it("of fresh accounts in one network see each other, for a minute", async () => {
    const from = (at: number) => ({ user_id: uuidOf(at, "c"), address: `192.0.2.${String(at)}` });
    expect(await askAll(6, from)).toEqual([...Array<string>(5).fill("fine"), "order.too_fast"]);
    now_ms += 60_000;
    expect(await ask(order(from(7)))).toBe("fine");
  });

  it("that were refused, or taken back, are not there", async () => {
    const first = order({ user_id: CUSTOMER });
    expect(await ask(first)).toBe("fine");
    expect(await askAll(3, () => ({ user_id: CUSTOMER }))).toEqual(["fine", MANY, MANY]);
    admission.withdraw(first);
    expect(await ask(order({ user_id: CUSTOMER }))).toBe("fine");
  });

  it("are one order when it is asked for again", async () => {
    const asked = order({ user_id: CUSTOMER });
    for (let again = 0; again < 5; again += 1) expect(await ask(asked)).toBe("fine");
  });
});

describe("A customer who has had an order delivered", () => {
  it("is held to their own account's limit alone", async () => {
    known.add(CUSTOMER);
    const shared = { phone: "+79231234567", address: "192.0.2.1" };
    await askAll(5, (at) => ({ ...shared, user_id: uuidOf(at + 50, "c") }));
    for (let at = 0; at < 4; at += 1) book.open({ ...order(), order_id: uuidOf(900 + at) });
    expect(await ask(order({ ...shared, user_id: uuidOf(99, "c") }))).toBe(MANY);
    expect(await ask(order(shared))).toBe(MANY);
    expect(await askAll(3, () => ({ ...shared, user_id: CUSTOMER }))).toEqual(["fine", "fine", MANY]);
  });

  it("is asked for only where a shared limit is reached", async () => {
    const asked = jest.fn(() => Promise.resolve(false));
    admission = new OrderAdmission({
      ...{ limits: LIMITS, book, notes, hasReceived: asked, onRefused: () => undefined },
    });
    await askAll(3, () => ({ user_id: CUSTOMER, address: "192.0.2.1" }));
    expect(asked).not.toHaveBeenCalled();
  });
});

it("an order that a person has to confirm is not even noted", async () => {
  const large = order({ user_id: CUSTOMER, total_minor: 50_001, branch_phone: "+73912000000" });
  expect(await admission.refusalOf(large)).toMatchObject({
    ...{ code: "order.confirmation_needed", data: { phone: "+73912000000" } },
  });
  expect(notes.size).toBe(0);
  expect(refused).toEqual([["order.confirmation_needed", "amount"]]);
});

it("counts what it refuses, by what it counts", async () => {
  await askAll(3, () => ({ user_id: CUSTOMER }));
  await askAll(3, () => ({ phone: "+79231234567" }));
  expect(refused).toEqual([
    [MANY, "account"],
    [MANY, "phone"],
  ]);
});
