import { entities } from "../../../entities/entities";
import { placeOrder } from "../../../services/order/order.contract";
import { orderStream } from "../../../services/order/order.events";
import { operatorCommands } from "../../../services/ops/operator-commands";
import { eventually } from "../../support/eventually";
import { OrderNode } from "../../support/order-room";
import { BRANCH, OTHER_BRANCH } from "../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

type Row = Readonly<Record<string, unknown>>;

describe("the operators' commands", () => {
  let database: TestDatabase;
  let node: OrderNode;
  let lines: string[];
  let tables: Row[][];
  let commands: ReturnType<typeof operatorCommands>;

  beforeAll(async () => {
    database = await startTestDatabase({ entities });
    node = await OrderNode.start(database);
    await node.furnish();
  });
  afterAll(async () => {
    await node.stop();
    await database.stop();
  });
  beforeEach(() => {
    lines = [];
    tables = [];
    commands = operatorCommands(
      node.runtime,
      (line) => lines.push(String(line)),
      (rows) => tables.push(rows as Row[]),
    );
  });

  /** Runs a command as the prompt does: `what` and a further word by their names, options apart. */
  async function run(name: string, args: Row = {}, options: Row = {}): Promise<void> {
    const found = commands.find(({ command }) => command.split(" ")[0] === name);
    await found?.action(undefined, { ...args, options } as never);
  }
  const place = (branch_id: string) =>
    node.call(placeOrder, {
      ...{ branch_id, channel: "shop", fulfilment: "pickup", payment_method: "cash" },
      items: [{ name: "Маргарита", quantity: 1 }],
    });
  /** Read models have this position. */
  const caughtUp = (position: number) =>
    eventually(async () => {
      await run("projection", { what: "status" });
      for (const row of tables.pop() ?? []) expect(row["position"]).toBeGreaterThanOrEqual(position);
    });

  it("orders lists what is in work, of all branches or of one", async () => {
    const [here, there] = [await place(BRANCH), await place(OTHER_BRANCH)];
    await caughtUp(there.position);
    await run("orders");
    const { display_id, ready_at, visible_at, total_minor, order_id } = here;
    expect(tables[0]).toContainEqual({
      display_id,
      status: "pending",
      ready_at,
      visible_at,
      total_minor,
      order_id,
    });
    await run("orders", {}, { branch: OTHER_BRANCH });
    const listed = tables[1]?.map((row) => row["order_id"]);
    expect(listed).toContain(there.order_id);
    expect(listed).not.toContain(here.order_id);
    await run("orders", {}, { branch: "nowhere" });
    expect(lines).toEqual([expect.stringMatching(/^input\.invalid: .*branch_id/)]);
  });

  it("slots shows the day with its load", async () => {
    const order = await place(BRANCH);
    await caughtUp(order.position);
    await run("slots", {}, { branch: BRANCH });
    expect(tables[0]).toHaveLength(96);
    expect(tables[0]?.find(({ start }) => start === order.slot.start)).toMatchObject({
      end: order.slot.end,
      disabled: false,
      capacity_minor: 1_000_000,
    });
    expect(tables[0]?.reduce((sum, { orders_count }) => sum + Number(orders_count), 0)).toBeGreaterThan(0);
  });

  it("events tail prints the newest lines in their order, as many as asked for", async () => {
    const { order_id, position } = await place(BRANCH);
    await run("events", { what: "tail" }, { count: "2" });
    const printed = lines.join("\n").split("\n");
    expect(printed).toHaveLength(2);
    expect(printed[1]).toMatch(
      new RegExp(`^ *${String(position)}  \\S+Z  order\\.placed +${orderStream(order_id)}@1$`),
    );
  });

  it("events tail -f prints what comes, each once, until it is stopped", async () => {
    await run("events", { what: "tail" }, { count: "1", follow: true });
    const first = await place(BRANCH);
    const seen = (order_id: string): number => lines.join("\n").split(orderStream(order_id)).length - 1;
    await eventually(() => {
      expect(seen(first.order_id)).toBe(1);
    });
    await run("events", { what: "stop" });
    const second = await place(BRANCH);
    await caughtUp(second.position);
    expect(seen(second.order_id)).toBe(0);
  });

  it("events show prints a stream with its data, and says when there is none", async () => {
    const { order_id, display_id } = await place(BRANCH);
    await run("events", { what: "show", stream: orderStream(order_id) });
    expect(lines.join("\n")).toContain(`"display_id": "${display_id}"`);
    await run("events", { what: "show", stream: "order-none" });
    expect(lines.at(-1)).toBe("No stream order-none.");
  });

  it("projection rebuild makes a damaged read model whole again, and shows its progress", async () => {
    const { order_id, position } = await place(BRANCH);
    await caughtUp(position);
    await database.pool.query("update orders set display_id = 'damaged'");
    await run("projection", { what: "rebuild", name: "orders" });
    expect(lines[0]).toMatch(/^ +\d+ of \d+ events, \d+\/s, \d+\.\d s left$/);
    expect(lines.at(-1)).toMatch(/^orders is rebuilt and swapped in after \d+\.\d s\.$/);
    await run("orders", {}, { branch: BRANCH });
    expect(tables[0]?.map((row) => row["order_id"])).toContain(order_id);
    expect(tables[0]?.map((row) => row["display_id"])).not.toContain("damaged");
    await run("projection", { what: "status" });
    expect(tables[1]).toContainEqual(expect.objectContaining({ name: "orders", kind: "projection", lag: 0 }));
    const after = await place(BRANCH);
    await caughtUp(after.position);
  });

  it("projection rebuild says so of a name that it does not know", async () => {
    await run("projection", { what: "rebuild", name: "nothing" });
    expect(lines).toEqual(["No projection nothing on this node; see: projection status"]);
  });

  it("actor list and evict show who is awake and send one to sleep; its next command wakes it", async () => {
    await place(BRANCH);
    await run("actor", { what: "list" });
    const day = tables[0]?.find(({ stream_id }) => String(stream_id).startsWith(`slots-${BRANCH}`));
    expect(day).toMatchObject({ waiting: 0 });
    const stream = String(day?.["stream_id"]);
    await run("actor", { what: "evict", stream });
    await run("actor", { what: "list" });
    expect(tables[1]?.map(({ stream_id }) => stream_id)).not.toContain(stream);
    await run("actor", { what: "evict", stream });
    expect(lines).toEqual([
      expect.stringContaining("is passivated"),
      `No actor ${stream} lives on this node; see: actor list`,
    ]);
    await expect(place(BRANCH)).resolves.toMatchObject({ status: "pending" });
  });

  it.each(["events", "projection", "actor", "replica"])(
    "%s explains itself when it is called wrongly",
    async (name) => {
      await run(name, { what: "bake" });
      expect(lines).toEqual([expect.stringContaining(`${name} `)]);
    },
  );
});
