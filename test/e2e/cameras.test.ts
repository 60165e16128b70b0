import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";

interface Camera {
  readonly camera_id: string;
  readonly mac_address: string;
  readonly model: string;
  readonly branch_id: string;
  readonly complex_id: string;
}
interface Sent {
  readonly accepted: number;
  readonly results: readonly { readonly event_id: string }[];
}

describe("cameras over REST", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-e2e-redis-"));
  let redis: RedisServer;
  let program: Redis;
  let forno: FornoUnderTest;
  let token: string;
  const heard: { channel: string; message: Record<string, unknown> }[] = [];

  beforeAll(async () => {
    redis = await redisServer(folder);
    await redis.process.start();
    program = new Redis(redis.url);
    program.on("error", () => undefined);
    program.on("message", (channel, text) =>
      heard.push({ channel, message: JSON.parse(text) as Record<string, unknown> }),
    );
    await program.subscribe(
      "camera.events",
      "camera.events.complex:mira-80",
      "camera.updated",
      "camera.deleted",
    );
    forno = await FornoUnderTest.started({ REDIS_URL: redis.url });
    token = await forno.adminToken();
  });
  afterAll(async () => {
    await forno.remove();
    program.disconnect();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = <T = Record<string, unknown>>(method: string, route: string, body?: unknown, headers = {}) =>
    forno.ask<T>(method, `/api/v1${route}`, { token, headers, ...(body === undefined ? {} : { body }) });
  const cameras = async () => (await ask<{ items: Camera[] }>("GET", "/cameras")).body.items;
  const camera = async (mac: string): Promise<Camera> => {
    const found = (await cameras()).find(({ mac_address }) => mac_address === mac);
    if (found === undefined) throw new Error(`There is no camera ${mac}.`);
    return found;
  };

  it("six come with a first start", async () => {
    const items = await cameras();
    expect(items).toHaveLength(6);
    expect(new Set(items.map(({ branch_id }) => branch_id)).size).toBe(2);
  });

  it("one is found by its address in any spelling, the second time from the cache", async () => {
    const first = await ask("GET", "/cameras/by-mac/02:46:4f:00:00:01");
    expect([first.status, first.headers.get("x-cache-strategy")]).toEqual([200, "event"]);
    await eventually(async () => {
      const again = await ask("GET", "/cameras/by-mac/02464F000001");
      expect(again.headers.get("x-cache")).toBe("HIT");
      expect(again.body).toEqual(first.body);
    });
    const etag = first.headers.get("etag") ?? "";
    expect(
      (await ask("GET", "/cameras/by-mac/02-46-4F-00-00-01", undefined, { "if-none-match": etag })).status,
    ).toBe(304);
    expect((await ask("GET", "/cameras/by-mac/02:46:4f:00:00:ff")).body).toMatchObject({
      code: "camera.unknown",
    });
    expect((await ask("GET", "/cameras/by-mac/rubbish")).status).toBe(400);
  });

  it("a changed address is followed, and told to programs outside", async () => {
    const { camera_id } = await camera("02:46:4F:00:00:06");
    await ask("GET", "/cameras/by-mac/02:46:4f:00:00:06");
    const changed = await ask("PUT", `/cameras/${camera_id}`, { mac_address: "02-46-4f-00-00-16" });
    expect(changed).toMatchObject({ status: 200, body: { mac_address: "02:46:4F:00:00:16" } });
    await eventually(async () => {
      expect((await ask("GET", "/cameras/by-mac/02:46:4F:00:00:06")).status).toBe(404);
      expect((await ask("GET", "/cameras/by-mac/02:46:4F:00:00:16")).status).toBe(200);
      expect(heard).toContainEqual({
        channel: "camera.updated",
        message: expect.objectContaining({
          type: "camera.updated",
          position: changed.body["position"],
          data: expect.objectContaining({ previous: { mac_address: "02:46:4F:00:00:06" } }) as object,
        }) as Record<string, unknown>,
      });
    });
  });

  it("events of a device with a key are kept and published", async () => {
    const { branch_id, camera_id, mac_address, model } = await camera("02:46:4F:00:00:04");
    const { body: made } = await ask<{ key: string }>("POST", "/camera-keys", {
      branch_id,
      name: "recorder",
    });
    const send = (body: unknown, headers: Record<string, string> = { "x-api-key": made.key }) =>
      forno.ask<Sent>("POST", "/api/v1/cameras/events", { body, headers });
    const one = await send({
      mac_address,
      Code: "VideoMotion",
      action: "Start",
      index: "0",
      data: { UTC: 1773133206 },
    });
    expect(one).toMatchObject({ status: 202, body: { accepted: 1 } });
    const keyed = { "x-api-key": made.key, "idempotency-key": "batch-1" };
    const batch = [
      { mac_address, event_type: "door" },
      { mac_address: "02:46:4F:00:00:99", event_type: "door" },
      {},
    ];
    const many = await send(batch, keyed);
    expect(many).toMatchObject({ status: 202, body: { accepted: 1, unknown: 1, malformed: 1 } });
    const again = await send(batch, keyed);
    expect([again.body, again.headers.get("idempotent-replay")]).toEqual([many.body, "true"]);
    expect((await send([batch[0]], keyed)).status).toBe(409);
    const event = {
      ...{
        event_id: one.body.results[0]?.event_id,
        event_type: "motion_detected",
        camera_id,
        mac_address,
        model,
      },
      ...{ branch_id, complex_id: "mira-80", timestamp: "2026-03-10T09:00:06.000Z" },
    };
    await eventually(() => {
      for (const channel of ["camera.events", "camera.events.complex:mira-80"])
        expect(heard).toContainEqual({
          channel,
          message: expect.objectContaining(event) as Record<string, unknown>,
        });
    });
    const { body: kept } = await ask<{ items: object[] }>("GET", `/cameras/events?camera_id=${camera_id}`);
    expect(kept.items).toMatchObject([{ event_type: "door" }, event]);
  });

  it("who has neither token nor key, or sends rubbish, is refused", async () => {
    const send = (options: object) => forno.ask("POST", "/api/v1/cameras/events", options);
    const body = { mac_address: "02:46:4F:00:00:01", event_type: "door" };
    expect(await send({ body })).toMatchObject({ status: 401, body: { code: "auth.required" } });
    expect(await send({ body, headers: { "x-api-key": "camera_x" } })).toMatchObject({
      status: 401,
      body: { code: "camera.key_unknown" },
    });
    expect(await send({ body: [{}, { mac_address: 1 }], token })).toMatchObject({
      status: 400,
      body: {
        code: "input.invalid",
        errors: expect.arrayContaining([
          { path: "/events/0/mac_address", message: expect.any(String) as string },
        ]) as object[],
      },
    });
    expect(await send({ raw: "[1", headers: { "content-type": "application/json" }, token })).toMatchObject({
      status: 400,
    });
    expect((await forno.ask("GET", "/api/v1/cameras")).status).toBe(401);
  });
});
