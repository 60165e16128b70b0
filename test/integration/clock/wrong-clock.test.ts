import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { decodeJwt } from "jose";
import { boot, type Forno } from "../../../boot";
import { GUEST, SYSTEM } from "../../../mixins/contract/caller";
import { act } from "../../../mixins/contract/implement";
import { loadSettings } from "../../../settings";
import { superAdminLogin } from "../../../services/auth/auth.contract";
import { getMenu } from "../../../services/menu/menu.contract";
import { getHealth } from "../../../services/ops/ops.contract";
import { placeOrder } from "../../../services/order/order.contract";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";

const DAY_MS = 86_400_000;
const ADMIN_PASSWORD = "correct horse battery";

describe.each([
  ["behind", -DAY_MS],
  ["ahead of", DAY_MS],
])("a node whose clock is a day %s the database's", (_, wrong_ms) => {
  let database: TestDatabase;
  let home: string;
  let forno: Forno;

  beforeAll(async () => {
    database = await startTestDatabase({ migrated: false });
    home = mkdtempSync(path.join(tmpdir(), "forno-clock-"));
    const env = {
      ...{ DATABASE_URL: database.url, DATA_DIR: home, HOST: "127.0.0.1", PORT: "0", GRPC_PORT: "0" },
      ...{ LOG_LEVEL: "fatal", ADMIN_PASSWORD },
    };
    forno = await boot(loadSettings(env), { now: () => Date.now() + wrong_ms });
  });
  afterAll(async () => {
    await forno.stop();
    await database.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it("promises times that are still to come, and dates what happens as the log does", async () => {
    const { broker, log } = forno.runtime;
    const { pizzas } = await act(broker, getMenu, {});
    const placed = await act(
      broker,
      placeOrder,
      {
        ...{ channel: "shop", fulfilment: "pickup", payment_method: "cash" },
        items: [{ menu_item_id: pizzas[0]!.id, quantity: 1 }],
      },
      { meta: { caller: GUEST } },
    );
    const [now, promised] = [Date.now(), Date.parse(placed.ready_at)];
    expect(promised).toBeGreaterThan(now);
    expect(promised).toBeLessThan(now + 2 * DAY_MS);
    const events = await log.readStream(`order-${placed.order_id}`);
    for (const { recorded_at, data } of events) {
      const { placed_at } = data as { placed_at?: string };
      if (placed_at !== undefined)
        expect(Math.abs(Date.parse(placed_at) - Date.parse(recorded_at))).toBeLessThan(60_000);
    }
    // UUIDs of version 7 begin with the time.
    const made_ms = Number.parseInt(placed.order_id.replaceAll("-", "").slice(0, 12), 16);
    expect(Math.abs(made_ms - now)).toBeLessThan(60_000);
  });

  it("gives tokens that are good from now on", async () => {
    const { token } = await act(
      forno.runtime.broker,
      superAdminLogin,
      { username: "admin", password: ADMIN_PASSWORD },
      { meta: { caller: GUEST } },
    );
    const { iat = 0, exp = 0 } = decodeJwt(token);
    expect(Math.abs(iat * 1_000 - Date.now())).toBeLessThan(60_000);
    expect(exp * 1_000).toBeGreaterThan(Date.now());
  });

  it("says so in health, and works on", async () => {
    const report = await act(forno.runtime.broker, getHealth, {}, { meta: { caller: SYSTEM } });
    expect(report.status).toBe("degraded");
    expect(report.checks["clock"]).toMatchObject({ status: "degraded", required: false });
    expect(
      Math.abs(Number((report.checks["clock"] as { offset_ms?: number }).offset_ms) - wrong_ms),
    ).toBeLessThan(60_000);
  });
});
