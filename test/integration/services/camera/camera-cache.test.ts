import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../../../fleet/servers/redis-server";
import type { TagCache } from "../../../../mixins/cache-tags/tag-cache";
import { SYSTEM } from "../../../../mixins/contract/caller";
import { findCamerasByMac, getCameraByMac } from "../../../../services/camera-cache/camera-cache.contract";
import { sendCameraEvents } from "../../../../services/camera/camera-events.contract";
import {
  changeCamera,
  createCamera,
  deleteCamera,
  findCameras,
} from "../../../../services/camera/camera.contract";
import { CameraRegistry } from "../../../../services/camera/camera.registry";
import { eventually } from "../../../support/eventually";
import { BRANCH, manager, OTHER_BRANCH } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { anyMac, CameraNode } from "./camera-node";

jest.setTimeout(60_000);

let database: TestDatabase;
const nodes: CameraNode[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  const first = await CameraNode.start(database);
  await first.furnish();
  await first.stop();
});
afterAll(() => database.stop());
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()));
});

const start = async (options: Parameters<typeof CameraNode.start>[1] = {}): Promise<CameraNode> => {
  const node = await CameraNode.start(database, options);
  nodes.push(node);
  return node;
};
const idOf = async (node: CameraNode, mac: string): Promise<string | null> =>
  (await node.call(findCamerasByMac, { macs: [mac] })).cameras[0]?.camera_id ?? null;
/** A camera whose creation is over for the cache, and that nobody has looked up since. */
async function settled(node: CameraNode): Promise<Awaited<ReturnType<CameraNode["camera"]>>> {
  const ended = () => nodes.reduce((sum, { runtime }) => sum + runtime.cache.figures.invalidations, 0);
  const before = ended();
  const camera = await node.camera();
  // Once at its creation, and once by the event of it.
  await eventually(() => {
    expect(ended()).toBeGreaterThanOrEqual(before + 2);
  });
  return camera;
}
const macs = (count: number): string[] => Array.from({ length: count }, anyMac);

describe.each(["in memory", "in Redis"])("the camera cache %s", (where) => {
  let folder: string;
  let redis: RedisServer | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-cameras-"));
    if (where === "in memory") return;
    redis = await redisServer(folder);
    await redis.process.start();
  });
  afterAll(async () => {
    await redis?.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const started = () => start(redis === undefined ? {} : { redis_url: redis.url });

  it("asks the registry once for a camera, whatever the spelling", async () => {
    const node = await started();
    const { mac_address, camera_id, name } = await settled(node);
    for (const mac of [mac_address, mac_address.toLowerCase(), mac_address.replaceAll(":", "-")])
      expect(await node.call(getCameraByMac, { mac })).toMatchObject({ camera_id, name });
    expect(node.questions).toEqual([1]);
  });

  it("10 000 who miss at once cost one question, for a camera and for an address that nobody has", async () => {
    const node = await started();
    const { mac_address, camera_id } = await settled(node);
    for (const [mac, id] of [
      [mac_address, camera_id],
      [anyMac(), null],
    ] as const) {
      node.questions.length = 0;
      const found = await Promise.all(Array.from({ length: 10_000 }, () => idOf(node, mac)));
      expect(new Set(found)).toEqual(new Set([id]));
      expect(node.questions).toEqual([1]);
    }
  });

  it("follows settings, a changed address and a deletion", async () => {
    const node = await started();
    const { mac_address, camera_id } = await node.camera();
    expect(await idOf(node, mac_address)).toBe(camera_id);
    await node.call(changeCamera, { camera_id, settings: { sensitivity: 99 } });
    expect(await node.call(getCameraByMac, { mac: mac_address })).toMatchObject({
      settings: { sensitivity: 99 },
    });
    const other = anyMac();
    expect(await idOf(node, other)).toBeNull();
    await node.call(changeCamera, { camera_id, mac_address: other });
    await eventually(async () => {
      expect([await idOf(node, mac_address), await idOf(node, other)]).toEqual([null, camera_id]);
    });
    await node.call(deleteCamera, { camera_id });
    expect(await node.refusal(getCameraByMac, { mac: other })).toBe("camera.unknown");
  });

  it("where a writer does not reach the cache, the event of the change ends what is kept, also under the old address", async () => {
    const node = await started();
    const { mac_address, camera_id } = await settled(node);
    expect(await idOf(node, mac_address)).toBe(camera_id);
    const cache = Object.assign(Object.create(node.runtime.cache) as TagCache, {
      invalidateTags: () => Promise.reject(new Error("out of reach")),
    });
    const registry = new CameraRegistry({ ...node.runtime, cache });
    const command = { id: randomUUID(), fingerprint: "", fresh: true as const };
    const other = anyMac();
    await registry.change(camera_id, { mac_address: other }, SYSTEM, { command, meta: {} });
    await eventually(async () => {
      expect([await idOf(node, mac_address), await idOf(node, other)]).toEqual([null, camera_id]);
    });
  });

  it("an unknown address is not asked for again, and known at once when it is registered", async () => {
    const node = await started();
    const mac_address = anyMac();
    for (let n = 0; n < 5; n += 1) expect(await idOf(node, mac_address)).toBeNull();
    expect(node.questions).toEqual([1]);
    const { camera_id } = await node.camera({ mac_address });
    expect(await idOf(node, mac_address)).toBe(camera_id);
    expect(node.questions.length).toBeLessThanOrEqual(3);
  });

  it("who names the position of a write sees it", async () => {
    const node = await started();
    const mac_address = anyMac();
    expect(await idOf(node, mac_address)).toBeNull();
    const { position, camera_id } = await node.camera({ mac_address });
    expect(await node.call(getCameraByMac, { mac: mac_address, after: position })).toMatchObject({
      camera_id,
    });
  });

  it("a flood of unknown addresses comes to few questions, and pushes no camera out", async () => {
    const node = await started();
    const { mac_address, camera_id } = await settled(node);
    await idOf(node, mac_address);
    node.questions.length = 0;
    const flood = macs(10_000);
    for (let again = 0; again < 2; again += 1)
      for (let at = 0; at < flood.length; at += 1_000) {
        const { cameras } = await node.call(findCamerasByMac, { macs: flood.slice(at, at + 1_000) });
        expect(cameras).toEqual(Array.from({ length: 1_000 }, () => null));
      }
    expect(node.questions.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(Math.max(...node.questions)).toBeLessThanOrEqual(500);
    expect(await node.metric("forno_camera_unknown_macs")).toBe(10_000);
    node.questions.length = 0;
    expect(await idOf(node, mac_address)).toBe(camera_id);
    expect(node.questions).toEqual([]);
  });

  it("remembers so many unknown addresses and no more", async () => {
    const node = await started();
    const flood = macs(51_000);
    await Promise.all(
      Array.from({ length: 15 }, (_, n) =>
        node.call(findCamerasByMac, { macs: flood.slice(n * 1_000, (n + 1) * 1_000) }),
      ),
    );
    for (let at = 15_000; at < flood.length; at += 1_000)
      await node.call(findCamerasByMac, { macs: flood.slice(at, at + 1_000) });
    expect(await node.metric("forno_camera_unknown_macs")).toBe(50_000);
  });

  it("more at once than can wait are told to come back", async () => {
    const node = await started();
    const flood = macs(30_000);
    const asked = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) =>
        node.call(findCamerasByMac, { macs: flood.slice(n * 1_000, (n + 1) * 1_000) }),
      ),
    );
    const refused = asked.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toMatchObject({ type: "camera.lookups_busy", code: 503 });
    const { mac_address, camera_id } = await node.camera();
    expect(await idOf(node, mac_address)).toBe(camera_id);
  });

  it("shows managers the cameras of their own branches", async () => {
    const node = await started();
    const theirs = await node.camera({ branch_id: OTHER_BRANCH });
    const mine = await node.camera({ branch_id: BRANCH });
    const caller = { caller: manager };
    expect(await node.refusal(getCameraByMac, { mac: theirs.mac_address }, caller)).toBe("branch.not_yours");
    expect(await node.refusal(getCameraByMac, { mac: mine.mac_address }, caller)).toBe("not refused");
    expect(await node.refusal(getCameraByMac, { mac: "rubbish" }, caller)).toBe("input.invalid");
    expect(
      await node.refusal(getCameraByMac, {}, { caller: { role: "cook", user_id: null, branch_ids: null } }),
    ).toBe("auth.forbidden");
  });

  it("a change while a camera is being looked up is not overwritten by what was found before", async () => {
    const node = await started();
    const { mac_address, camera_id } = await node.camera();
    for (let round = 1; round <= 20; round += 1) {
      const looked = Promise.all([idOf(node, mac_address), idOf(node, anyMac())]);
      const { position } = await node.call(changeCamera, { camera_id, settings: { round } });
      await looked;
      expect(position).toBeGreaterThan(0);
      expect(await node.call(getCameraByMac, { mac: mac_address })).toMatchObject({ settings: { round } });
    }
  });

  it("who asks after a registration gets no answer of before it, also from a lookup under way", async () => {
    const node = await started();
    const { broker } = node.runtime;
    const [mac_address, gate, call] = [
      anyMac(),
      Promise.withResolvers<undefined>(),
      broker.call.bind(broker),
    ];
    const read = Promise.withResolvers<undefined>();
    jest.spyOn(broker, "call").mockImplementation(async (name: string, ...rest: unknown[]) => {
      const found: unknown = await (call as (...all: unknown[]) => Promise<unknown>)(name, ...rest);
      if (name !== findCameras.name) return found;
      read.resolve(undefined);
      await gate.promise;
      return found;
    });
    const early = idOf(node, mac_address);
    await read.promise;
    const { camera_id } = await node.camera({ mac_address });
    const late = idOf(node, mac_address);
    gate.resolve(undefined);
    expect(await late).toBe(camera_id);
    await early;
  });

  it("registering an address that many ask for ends with everybody knowing it", async () => {
    const node = await started();
    for (let round = 0; round < 10; round += 1) {
      const mac_address = anyMac();
      const asking = Array.from({ length: 50 }, () => idOf(node, mac_address));
      const registering = node.camera({ mac_address }).then(async ({ camera_id }) => {
        expect(await idOf(node, mac_address)).toBe(camera_id);
      });
      await Promise.all([registering, ...asking]);
    }
  });
});

describe("two nodes on one Redis", () => {
  let folder: string;
  let redis: RedisServer;
  let one: CameraNode;
  let two: CameraNode;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-cameras-"));
    redis = await redisServer(folder);
    await redis.process.start();
    const options = { redis_url: redis.url, namespace: "cameras" };
    [one, two] = [await start(options), await start(options)];
  });
  afterEach(async () => {
    redis.process.resume();
    await redis.process.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  const both = async (mac: string) => [await idOf(one, mac), await idOf(two, mac)];
  const agree = (mac: string, id: string | null) =>
    eventually(async () => {
      expect(await both(mac)).toEqual([id, id]);
    });

  it("share what one has looked up, and follow what the other changes", async () => {
    const { mac_address, camera_id } = await settled(one);
    expect(await idOf(one, mac_address)).toBe(camera_id);
    expect(await idOf(two, mac_address)).toBe(camera_id);
    expect([...one.questions, ...two.questions]).toEqual([1]);
    const other = anyMac();
    await agree(other, null);
    await two.call(changeCamera, { camera_id, mac_address: other });
    await agree(mac_address, null);
    await agree(other, camera_id);
    await one.call(deleteCamera, { camera_id });
    await agree(other, null);
  });

  it.each(["is killed", "hangs"])(
    "while Redis %s, cameras are found, and changes are seen at once",
    async (how) => {
      const { mac_address, camera_id } = await one.camera();
      await agree(mac_address, camera_id);
      if (how === "hangs") redis.process.suspend();
      else await redis.process.kill();
      const began = performance.now();
      expect(await both(mac_address)).toEqual([camera_id, camera_id]);
      const many = await Promise.all(Array.from({ length: 1_000 }, () => idOf(one, mac_address)));
      expect(new Set(many)).toEqual(new Set([camera_id]));
      expect(performance.now() - began).toBeLessThan(3_000);
      const other = anyMac();
      await one.call(changeCamera, { camera_id, mac_address: other });
      await agree(other, camera_id);
      await agree(mac_address, null);
      redis.process.resume();
      await redis.process.start();
      // What Redis held from before must not come back with it.
      for (let n = 0; n < 50; n += 1) expect(await both(mac_address)).toEqual([null, null]);
      await agree(other, camera_id);
      await agree(mac_address, null);
    },
  );

  it("what a camera reports to one is heard at the other, in order", async () => {
    const { mac_address } = await one.camera();
    const heard = await two.listen();
    await eventually(async () => {
      expect(await one.runtime.redis?.client.pubsub("NUMSUB", "camera.events")).toEqual(["camera.events", 1]);
    });
    for (let n = 0; n < 10; n += 1)
      await one.call(sendCameraEvents, { events: [{ mac_address, event_type: "motion", data: { n } }] });
    await eventually(() => {
      expect(heard.map(({ data }) => data["n"])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });

  it("addresses that nobody has leave nothing behind", async () => {
    const { mac_address } = await settled(one);
    await idOf(one, mac_address);
    const before = await one.runtime.redis?.client.dbsize();
    await one.call(findCamerasByMac, { macs: macs(500) });
    expect(await one.runtime.redis?.client.dbsize()).toBe(before);
  });

  it("an answer says how it was come by", async () => {
    const { mac_address } = await settled(one);
    const states = [];
    for (let n = 0; n < 2; n += 1) {
      const called = one.runtime.broker.call("camera-cache.get", { mac: mac_address }) as Promise<unknown> & {
        ctx: { meta: { $responseHeaders?: Record<string, string> } };
      };
      await called;
      states.push(called.ctx.meta.$responseHeaders?.["X-Cache"]);
    }
    expect(states).toEqual(["MISS", "HIT"]);
  });

  it("the camera lies in Redis under its address", async () => {
    const { mac_address } = await settled(one);
    await idOf(one, mac_address);
    const keys = await one.runtime.redis?.client.keys(`*camera:mac:${mac_address}`);
    expect(keys).toEqual([`forno:cache:cameras:v:camera:mac:${mac_address}`]);
  });
});

it("a registry that cannot answer is a fault of those who asked, and forgotten afterwards", async () => {
  const node = await start();
  const { mac_address, camera_id } = await node.camera();
  await database.pool.query("alter table cameras rename to cameras_away");
  await expect(idOf(node, mac_address)).rejects.toThrow(/cameras/);
  await database.pool.query("alter table cameras_away rename to cameras");
  expect(await idOf(node, mac_address)).toBe(camera_id);
  expect(await node.refusal(createCamera, { mac_address, model: "x", branch_id: BRANCH })).toBe(
    "camera.mac_address_taken",
  );
});
