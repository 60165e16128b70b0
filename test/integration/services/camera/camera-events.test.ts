import { randomUUID } from "node:crypto";
import type { Caller } from "../../../../mixins/contract/caller";
import type { ParamsOf, ResultOf } from "../../../../mixins/contract/contract";
import {
  createCameraKey,
  deleteCameraKey,
  listCameraEvents,
  listCameraKeys,
  sendCameraEvents,
} from "../../../../services/camera/camera-events.contract";
import { changeCamera } from "../../../../services/camera/camera.contract";
import { complexChannel, type CameraEvent } from "../../../../services/camera/camera.events";
import { daysAhead, ensureDays, forgetUnkeyed } from "../../../../services/camera/event-days";
import { borrowConnection } from "../../../../mixins/postgres/borrowed-connection";
import { eventually } from "../../../support/eventually";
import { BRANCH, manager, OTHER_BRANCH, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import dahua from "../../../unit/services/camera/fixtures/dahua.json";
import hikvision from "../../../unit/services/camera/fixtures/hikvision.json";
import { anyMac, CameraNode } from "./camera-node";

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;
const guest: Caller = { role: "guest", user_id: null, branch_ids: null };
const asManager = { caller: manager };

let database: TestDatabase;
let node: CameraNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await CameraNode.start(database);
  await node.furnish();
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

type Entries = ParamsOf<typeof sendCameraEvents>["events"];
type Sent = ResultOf<typeof sendCameraEvents>;

const send = (events: Entries, meta: object = {}): Promise<Sent> =>
  node.call(sendCameraEvents, { events }, meta);
const motion = (mac_address: string, changes: object = {}) => ({
  ...{ mac_address, event_type: "motion", timestamp: "2026-03-10T08:59:58+00:00", data: { zone: 1 } },
  ...changes,
});
const statuses = ({ results }: Sent): string[] => results.map(({ status }) => status);
const listed = async (params: ParamsOf<typeof listCameraEvents>, meta: object = {}) =>
  (await node.call(listCameraEvents, params, meta)).items;

it("an event is kept and published, in one form, also to those who listen to its complex", async () => {
  const camera = await node.camera({ complex_id: "c-1" });
  const [all, complex, other] = [
    await node.listen(),
    await node.listen(complexChannel("c-1")),
    await node.listen(complexChannel("c-2")),
  ];
  const { results, ...counts } = await send([motion(camera.mac_address.toLowerCase())]);
  expect(counts).toEqual({ accepted: 1, unknown: 0, disabled: 0, alive: 0, malformed: 0 });
  const { camera_id, mac_address, model, branch_id } = camera;
  const event = {
    ...{ event_id: results[0]?.event_id, event_type: "motion", camera_id, mac_address, model, branch_id },
    ...{ complex_id: "c-1", timestamp: "2026-03-10T08:59:58.000Z", data: { zone: 1 } },
  };
  await eventually(() => {
    expect([all, complex]).toEqual([[event], [event]]);
  });
  expect(other).toEqual([]);
  expect(await listed({ camera_id })).toEqual([{ ...event, received_at: new Date(node.now).toISOString() }]);
});

it("makes are read by their own tables, and a sign of life is no event", async () => {
  const hik = await node.camera({ model: "Hikvision DS-2CD2143G2-I", mac_address: "44:19:b6:6d:24:85" });
  const dah = await node.camera({ model: "Dahua IPC-HDBW2431E-S" });
  const heard = await node.listen();
  const sent = await send([
    hikvision.motion,
    { mac_address: hik.mac_address, event_type: "VMD", data: hikvision.line },
    { mac_address: dah.mac_address, ...dahua.line },
    hikvision.heartbeat,
  ]);
  expect(statuses(sent)).toEqual(["accepted", "accepted", "accepted", "alive"]);
  await eventually(() => {
    expect(heard).toMatchObject([
      { event_type: "motion_detected", timestamp: "2026-03-10T09:00:05.000Z", data: hikvision.motion },
      { event_type: "line_crossed", data: { ...hikvision.line, state: "inactive" } },
      { event_type: "line_crossed", timestamp: "2026-03-10T09:00:06.701Z", data: { data: dahua.line.data } },
    ]);
  });
});

it("each entry is judged by itself, and is named by its place", async () => {
  const [known, off] = [await node.camera(), await node.camera({ enabled: false })];
  const sent = await send([
    motion(known.mac_address),
    motion(anyMac()),
    motion("rubbish"),
    motion(off.mac_address),
    motion(known.mac_address, { event_type: undefined }),
    motion(known.mac_address, { timestamp: undefined }),
  ]);
  expect(statuses(sent)).toEqual(["accepted", "unknown", "malformed", "disabled", "malformed", "accepted"]);
  expect(sent).toMatchObject({ accepted: 2, unknown: 1, disabled: 1, malformed: 2 });
  expect(sent.results[2]).toMatchObject({ index: 2, errors: [{ path: "/mac_address" }] });
  expect(sent.results[4]).toMatchObject({ index: 4, errors: [{ path: "/event_type" }] });
  const rows = await listed({ camera_id: known.camera_id });
  expect(rows.map(({ event_id }) => event_id).reverse()).toEqual(
    sent.results.flatMap(({ event_id }) => event_id ?? []),
  );
  expect(rows[0]).toMatchObject({ timestamp: new Date(node.now).toISOString() });
});

it("a camera that is registered, or switched on, is heard from then on", async () => {
  const mac_address = anyMac();
  expect(statuses(await send([motion(mac_address)]))).toEqual(["unknown"]);
  const { camera_id } = await node.camera({ mac_address, enabled: false });
  await eventually(async () => {
    expect(statuses(await send([motion(mac_address)]))).toEqual(["disabled"]);
  });
  await node.call(changeCamera, { camera_id, enabled: true });
  expect(statuses(await send([motion(mac_address)]))).toEqual(["accepted"]);
});

it("nothing of a request is processed whose entries are all malformed, too many, or none", async () => {
  const { mac_address, camera_id } = await node.camera();
  const entries = (count: number) => Array.from({ length: count }, () => motion(mac_address));
  for (const events of [[], entries(1_001), [motion("x"), motion("y")], [1], "text"])
    expect(await node.refusal(sendCameraEvents, { events })).toBe("input.invalid");
  expect(await listed({ camera_id })).toEqual([]);
  expect(await send(entries(1_000))).toMatchObject({ accepted: 1_000 });
});

describe("senders", () => {
  const keyOf = async (branch_id: string, name = "recorder"): Promise<{ key: string; key_id: string }> => {
    const { key, key_id } = await node.call(createCameraKey, { branch_id, name });
    if (key === null) throw new Error("The key is not shown.");
    return { key, key_id };
  };
  const withKey = (api_key: string) => ({ caller: guest, api_key });

  it("sign in, or have a key of their branch", async () => {
    const { mac_address } = await node.camera();
    const events = [motion(mac_address)];
    const { key } = await keyOf(BRANCH);
    expect(statuses(await send(events, withKey(key)))).toEqual(["accepted"]);
    expect(statuses(await send(events, asManager))).toEqual(["accepted"]);
    expect(await node.refusal(sendCameraEvents, { events }, { caller: guest })).toBe("auth.required");
    expect(await node.refusal(sendCameraEvents, { events }, withKey("camera_guessed"))).toBe(
      "camera.key_unknown",
    );
    const cook: Caller = { role: "cook", user_id: uuidOf(2, "a"), branch_ids: [BRANCH] };
    expect(await node.refusal(sendCameraEvents, { events }, { caller: cook, api_key: key })).toBe(
      "auth.forbidden",
    );
  });

  it("report for their own branches: cameras of others are unknown to them", async () => {
    const theirs = await node.camera({ branch_id: OTHER_BRANCH });
    const { key } = await keyOf(BRANCH);
    const events = [motion(theirs.mac_address)];
    expect(statuses(await send(events, withKey(key)))).toEqual(["unknown"]);
    expect(statuses(await send(events, asManager))).toEqual(["unknown"]);
    expect(await listed({ camera_id: theirs.camera_id })).toEqual([]);
  });

  it("a deleted key is worth nothing any more", async () => {
    const { mac_address } = await node.camera();
    const { key, key_id } = await keyOf(BRANCH);
    await send([motion(mac_address)], withKey(key));
    await node.call(deleteCameraKey, { key_id }, asManager);
    expect(await node.refusal(sendCameraEvents, { events: [motion(mac_address)] }, withKey(key))).toBe(
      "camera.key_unknown",
    );
    expect(await node.refusal(deleteCameraKey, { key_id })).toBe("camera_key.unknown");
  });

  it("a key is shown once and kept nowhere", async () => {
    const meta = { command: { id: randomUUID(), fingerprint: "same" } };
    const first = await node.call(createCameraKey, { branch_id: BRANCH, name: " door " }, meta);
    expect(first).toMatchObject({
      name: "door",
      branch_id: BRANCH,
      key: expect.stringMatching(/^camera_.{40,}$/) as string,
    });
    expect(await node.call(createCameraKey, { branch_id: BRANCH, name: " door " }, meta)).toEqual({
      ...first,
      key: null,
    });
    const { items } = await node.call(listCameraKeys, {}, asManager);
    expect(items).toContainEqual({
      ...{ key_id: first.key_id, branch_id: BRANCH, name: "door", created_at: first.created_at },
    });
    const { rows } = await database.pool.query<{ text: string }>(
      "select (select json_agg(k)::text from camera_keys k) || (select json_agg(e.data)::text from es.event e) || (select json_agg(c)::text from es.command c) as text",
    );
    expect(rows[0]?.text).toContain(first.key_id);
    expect(rows[0]?.text).not.toContain(first.key);
  });

  it("there are so many keys and no more, and each of them works", async () => {
    const { mac_address } = await node.camera();
    const { key } = await keyOf(BRANCH, "the oldest");
    await database.pool.query(
      `insert into camera_keys (key_id, branch_id, name, digest, version, created_at, updated_at)
       select gen_random_uuid(), $1, 'flood', md5(n::text), 1, now(), now()
       from generate_series(1, 10000 - (select count(*)::integer from camera_keys)) n`,
      [BRANCH],
    );
    const wish = { branch_id: BRANCH, name: "one more" };
    expect(await node.refusal(createCameraKey, wish)).toBe("camera.too_many_keys");
    expect(statuses(await send([motion(mac_address)], withKey(key)))).toEqual(["accepted"]);
    await database.pool.query("delete from camera_keys where name = 'flood'");
    await node.call(createCameraKey, wish);
  });

  it("managers have to do with keys of their own branches", async () => {
    const { key_id } = await keyOf(OTHER_BRANCH);
    const theirs = { branch_id: OTHER_BRANCH };
    expect(await node.refusal(createCameraKey, { ...theirs, name: "x" }, asManager)).toBe("branch.not_yours");
    expect(await node.refusal(createCameraKey, { branch_id: uuidOf(9, "b"), name: "x" })).toBe(
      "branch.unknown",
    );
    expect(await node.refusal(deleteCameraKey, { key_id }, asManager)).toBe("branch.not_yours");
    expect(await node.refusal(listCameraKeys, theirs, asManager)).toBe("branch.not_yours");
    expect(await node.refusal(listCameraKeys, { cursor: "x" })).toBe("input.cursor_malformed");
    const { items } = await node.call(listCameraKeys, {}, asManager);
    expect(items.map((item) => item.key_id)).not.toContain(key_id);
  });
});

describe("a repeated request", () => {
  const keyed = (fingerprint = "same") => ({ command: { id: randomUUID(), fingerprint } });

  it("gets its first answer, and its events are neither kept nor published twice", async () => {
    const { mac_address, camera_id } = await node.camera();
    const heard = await node.listen();
    const meta = keyed();
    const first = await send([motion(mac_address), motion(anyMac())], meta);
    const again = await Promise.all([1, 2, 3].map(() => send([motion(mac_address), motion(anyMac())], meta)));
    expect(again).toEqual([first, first, first]);
    expect(await listed({ camera_id })).toHaveLength(1);
    await send([motion(mac_address)]);
    await eventually(() => {
      expect(heard).toHaveLength(2);
    });
  });

  it("is refused when it is another request under the same key", async () => {
    const { mac_address } = await node.camera();
    const meta = keyed();
    await send([motion(mac_address)], meta);
    expect(
      await node.refusal(
        sendCameraEvents,
        { events: [motion(mac_address)] },
        { command: { ...meta.command, fingerprint: "other" } },
      ),
    ).toBe("idempotency.key_reused");
  });

  it("without a key, which a gateway sends to a second node, is done once, too", async () => {
    const { mac_address, camera_id } = await node.camera();
    const heard = await node.listen();
    const command = { id: randomUUID(), fingerprint: "" };
    const first = await send([motion(mac_address)], { command: { ...command, fresh: true } });
    expect(await send([motion(mac_address)], { command })).toEqual(first);
    expect(await listed({ camera_id })).toHaveLength(1);
    await send([motion(mac_address)]);
    await eventually(() => {
      expect(heard).toHaveLength(2);
    });
  });

  it("of many at once one is done", async () => {
    const { mac_address, camera_id } = await node.camera();
    const meta = keyed();
    const answers = await Promise.all(Array.from({ length: 20 }, () => send([motion(mac_address)], meta)));
    expect(new Set(answers.map(({ results }) => results[0]?.event_id)).size).toBe(1);
    expect(await listed({ camera_id })).toHaveLength(1);
  });
});

it("events of a camera are published in the order in which they came, however many come at once", async () => {
  const { mac_address, camera_id } = await node.camera();
  const heard = await node.listen();
  const sends = Array.from({ length: 100 }, (_, n) => send([motion(mac_address, { data: { n } })]));
  await Promise.all(sends);
  await eventually(() => {
    expect(heard.map(({ data }) => data["n"])).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
  const kept = await listed({ camera_id, limit: 200 });
  expect(kept.map(({ data }) => data["n"]).reverse()).toEqual(heard.map(({ data }) => data["n"]));
});

it("what could not be kept is neither acknowledged nor published", async () => {
  const { mac_address, camera_id } = await node.camera();
  const heard: CameraEvent[] = await node.listen();
  await send([motion(mac_address)]);
  await database.pool.query("alter table camera_events rename to camera_events_away");
  await expect(send([motion(mac_address, { data: { lost: true } })])).rejects.toThrow(/camera_events/);
  await database.pool.query("alter table camera_events_away rename to camera_events");
  await send([motion(mac_address)]);
  await eventually(() => {
    expect(heard).toHaveLength(2);
  });
  expect(heard.map(({ data }) => data)).toEqual([{ zone: 1 }, { zone: 1 }]);
  expect(await listed({ camera_id })).toHaveLength(2);
});

/** Nobody writes events while `work` is done. */
async function held(work: () => Promise<void>): Promise<void> {
  const { connection: locker, giveBack } = await borrowConnection(database.pool);
  // For as long as the work takes, also on a machine that is busy with other things.
  await locker.query("begin; set local idle_in_transaction_session_timeout = 0");
  await locker.query("lock table camera_events, camera_event_requests");
  try {
    await work();
  } finally {
    await locker.query("commit");
    giveBack();
  }
}

it("a flood that the database does not keep up with is told to come back, and what was taken is kept", async () => {
  const { mac_address, camera_id } = await node.camera();
  const entries = Array.from({ length: 1_000 }, () => motion(mac_address));
  let sends: Promise<PromiseSettledResult<Sent>[]> | undefined;
  await held(async () => {
    sends = Promise.allSettled(Array.from({ length: 30 }, () => send(entries)));
    await eventually(async () => {
      expect(await node.metric("forno_camera_events_waiting")).toBe(20_000);
    });
  });
  const done = (await sends) ?? [];
  const refused = done.filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(10);
  for (const { reason } of refused as PromiseRejectedResult[])
    expect(reason).toMatchObject({ type: "camera.events_busy", code: 503 });
  const { rows } = await database.pool.query<{ count: number }>(
    "select count(*)::integer as count from camera_events where camera_id = $1",
    [camera_id],
  );
  expect(rows).toEqual([{ count: 20_000 }]);
  expect(await node.metric("forno_camera_events_waiting")).toBe(0);
});

describe("while the database does not answer", () => {
  it("a sign of life waits for nobody", async () => {
    await held(async () => {
      expect(await send([motion(anyMac())])).toMatchObject({ unknown: 1 });
    });
  });

  it("requests count that bring no event, and so does their length", async () => {
    const { mac_address } = await node.camera();
    const long = Array.from({ length: 32 }, () =>
      motion(mac_address, { data: { text: "x".repeat(31_000) } }),
    );
    const keyed = () => ({ command: { id: randomUUID(), fingerprint: "f" } });
    const before = await node.metric("forno_camera_events_waiting");
    let sends: Promise<PromiseSettledResult<Sent>[]> | undefined;
    await held(async () => {
      const idle = Array.from({ length: 5 }, () => send([motion(anyMac())], keyed()));
      const big = Array.from({ length: 70 }, () => send(long));
      sends = Promise.allSettled([...idle, ...big]);
      await eventually(async () => {
        expect(await node.metric("forno_camera_events_waiting")).toBe(before + 5 + 64 * 32);
      });
    });
    const refused = ((await sends) ?? []).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(6);
    for (const { reason } of refused as PromiseRejectedResult[])
      expect(reason).toMatchObject({ type: "camera.events_busy", code: 503 });
  });
});

describe("the list of events", () => {
  it("goes from the newest on, by camera, branch, complex, type and time", async () => {
    const complex_id = `c-${randomUUID()}`;
    const [mine, theirs] = [
      await node.camera({ complex_id }),
      await node.camera({ complex_id, branch_id: OTHER_BRANCH }),
    ];
    const { results } = await send([
      motion(mine.mac_address),
      motion(theirs.mac_address),
      motion(mine.mac_address, { event_type: "door" }),
    ]);
    const [a, b, c] = results.map(({ event_id }) => event_id);
    const ids = async (params: object, meta = {}) =>
      (await listed({ complex_id, ...params }, meta)).map(({ event_id }) => event_id);
    expect(await ids({})).toEqual([c, b, a]);
    expect(await ids({ camera_id: mine.camera_id })).toEqual([c, a]);
    expect(await ids({ branch_id: OTHER_BRANCH })).toEqual([b]);
    expect(await ids({ event_type: "door" })).toEqual([c]);
    expect(await ids({}, asManager)).toEqual([c, a]);
    const page = await node.call(listCameraEvents, { complex_id, limit: 2 });
    expect(await ids({ cursor: page.next_cursor ?? "" })).toEqual([a]);
    const at = (ms: number) => new Date(node.now + ms).toISOString();
    expect(await ids({ from: at(-1), to: at(1) })).toEqual([c, b, a]);
    expect(await ids({ from: at(1) })).toEqual([]);
    expect(await ids({ to: at(0) })).toEqual([]);
    node.now += 2 * DAY_MS;
    expect(await ids({})).toEqual([]);
    expect(await ids({ from: at(-3 * DAY_MS) })).toEqual([c, b, a]);
    node.now -= 2 * DAY_MS;
  });

  it("is of one's own branches", async () => {
    expect(await node.refusal(listCameraEvents, { branch_id: OTHER_BRANCH }, asManager)).toBe(
      "branch.not_yours",
    );
    expect(await node.refusal(listCameraEvents, { cursor: "x" })).toBe("input.cursor_malformed");
    expect(await node.refusal(listCameraEvents, {}, { caller: guest })).toBe("auth.required");
  });
});

describe("days", () => {
  const days = async (): Promise<string[]> => {
    const { rows } = await database.pool.query<{ name: string }>(
      "select relname as name from pg_class where relname ~ '^camera_events_\\d{4}' and relkind = 'r' order by 1",
    );
    return rows.map(({ name }) => name.slice("camera_events_".length));
  };

  it("events of a day that nobody has prepared are kept all the same", async () => {
    const { mac_address, camera_id } = await node.camera();
    node.now += 40 * DAY_MS;
    expect(await send([motion(mac_address)])).toMatchObject({ accepted: 1 });
    expect(await listed({ camera_id })).toHaveLength(1);
    expect(await days()).toContain("2026_04_19");
    node.now -= 40 * DAY_MS;
  });

  it("days are made by all nodes of a fleet that starts, each once", async () => {
    const start_ms = Date.parse("2031-01-01T00:00:00Z");
    for (let round = 0; round < 10; round += 1) {
      const days = daysAhead(start_ms + round * 10 * DAY_MS);
      await Promise.all(Array.from({ length: 8 }, () => ensureDays(database.pool, days)));
    }
    const made = (await days()).filter((day) => day > "2030");
    const expected = Array.from({ length: 10 }, (_, round) =>
      daysAhead(start_ms + round * 10 * DAY_MS),
    ).flat();
    expect(made).toEqual([...new Set(expected.map((day) => day.replaceAll("-", "_")))].sort());
  });

  it("days that are over are dropped whole, with the answers of their requests", async () => {
    const { mac_address, camera_id } = await node.camera();
    await send([motion(mac_address)], { command: { id: randomUUID(), fingerprint: "old" } });
    node.now += 3 * DAY_MS;
    await send([motion(mac_address)], { command: { id: randomUUID(), fingerprint: "new" } });
    await database.pool.query("select drop_camera_events($1::date)", ["2026-03-12"]);
    expect(await days()).not.toContain("2026_03_10");
    expect(await listed({ camera_id, from: "2026-03-01T00:00:00Z" })).toHaveLength(1);
    const { rows } = await database.pool.query(
      "select 1 from camera_event_requests where fingerprint = 'old'",
    );
    expect(rows).toEqual([]);
    node.now -= 3 * DAY_MS;
  });

  it("answers to requests without a key are kept for an hour, those under a key as long as their events", async () => {
    const { mac_address } = await node.camera();
    const [id, own] = [randomUUID(), randomUUID()];
    await send([motion(mac_address)], { command: { id, fingerprint: "", fresh: true } });
    await send([motion(mac_address)], { command: { id: own, fingerprint: "own" } });
    const kept = async (): Promise<string[]> => {
      const { rows } = await database.pool.query<{ command_id: string }>(
        "select command_id from camera_event_requests where command_id = any ($1)",
        [[id, own]],
      );
      return rows.map(({ command_id }) => command_id).sort();
    };
    await forgetUnkeyed(database.pool, node.now + 3_600_000);
    expect(await kept()).toEqual([id, own].sort());
    await forgetUnkeyed(database.pool, node.now + 3_600_001);
    expect(await kept()).toEqual([own]);
  });
});
