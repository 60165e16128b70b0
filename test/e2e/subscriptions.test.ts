import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { redisServer, type RedisServer } from "../../fleet/servers/redis-server";
import { Chain } from "../support/chain";
import { eventually } from "../support/eventually";
import { FornoUnderTest } from "../support/forno";
import { startTestDatabase, type TestDatabase } from "../support/postgres";
import { Subscriber } from "../support/subscriber";

interface Camera {
  readonly camera_id: string;
  readonly mac_address: string;
}

describe("what cameras report, at the sockets of two gateways", () => {
  let folder: string;
  let database: TestDatabase;
  let redis: RedisServer;
  let nodes: FornoUnderTest[];
  let chain: Chain;
  const open: Subscriber[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-subscriptions-"));
    database = await startTestDatabase({ migrated: false });
    redis = await redisServer(folder);
    await redis.process.start();
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      JWT_SECRET: "the same secret for both of the nodes",
    };
    nodes = [await FornoUnderTest.started(env), await FornoUnderTest.started(env)];
    chain = await Chain.of(node(0));
  });
  afterAll(async () => {
    for (const each of open) each.close();
    await Promise.all(nodes.map((each) => each.remove()));
    await redis.process.kill();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const node = (number: number): FornoUnderTest => nodes[number] as FornoUnderTest;
  const join = async (number: number, token: string, way: "plain" | "socket.io" = "plain") => {
    const subscriber = Subscriber.to(way, node(number).port, token);
    open.push(subscriber);
    return subscriber.joined();
  };
  const register = (branch_id: string, complex_id: string): Promise<Camera> => {
    const hex = randomUUID().replaceAll("-", "").toUpperCase();
    const mac_address = `02${hex.slice(0, 10)}`.match(/../g)?.join(":");
    return chain
      .desk<Camera>("POST", "/api/v1/cameras", { mac_address, model: "Generic", branch_id, complex_id })
      .then(({ body }) => body);
  };
  const report = async (number: number, camera: Camera, event_type: string): Promise<void> => {
    const { mac_address } = camera;
    const body = { mac_address, event_type, data: { zone: 1 } };
    const answer = await node(number).ask("POST", "/api/v1/cameras/events", { token: chain.admin, body });
    expect(answer).toMatchObject({ status: 202, body: { accepted: 1 } });
  };
  const types = (subscriber: Subscriber) => subscriber.heard().map(({ event_type }) => event_type);

  it("come to whoever subscribed at either, within the branches of their tokens", async () => {
    const [branch, elsewhere] = [await chain.openBranch(), await chain.openBranch()];
    const [mine, theirs] = [await register(branch, "mall"), await register(elsewhere, "mall")];
    const manager = await chain.account("manager", [branch]);
    const [here, there, head] = [
      await join(0, manager),
      await join(1, manager, "socket.io"),
      await join(1, chain.admin),
    ];
    await here.subscribe({ filters: { complex_id__eq: "mall" } });
    await there.subscribe({ filters: { camera_id__in: [mine.camera_id, theirs.camera_id] } });
    await head.subscribe();
    await eventually(async () => {
      await report(0, mine, "hello");
      for (const each of [here, there, head]) expect(types(each)).toContain("hello");
    });
    await report(0, theirs, "line_crossing");
    await report(1, mine, "motion_detected");
    await report(1, theirs, "tamper");
    await report(1, mine, "last");
    await eventually(() => {
      for (const each of [here, there, head]) expect(types(each)).toContain("last");
      expect(types(head)).toEqual(expect.arrayContaining(["line_crossing", "tamper"]));
    });
    for (const each of [here, there]) {
      expect(types(each).filter((type) => type !== "hello")).toEqual(["motion_detected", "last"]);
      expect(each.heard()[0]).toMatchObject({ branch_id: branch, complex_id: "mall", data: { zone: 1 } });
    }
  });

  it("stop when the account is moved to another branch, and come again by a token that says so", async () => {
    const [branch, elsewhere] = [await chain.openBranch(), await chain.openBranch()];
    const camera = await register(branch, "office");
    const email = `${randomUUID()}@forno.test`;
    const password = "long enough for anybody";
    const { body: user } = await chain.desk<{ user_id: string }>("POST", "/api/v1/auth/users", {
      ...{ role: "manager", name: "Olga", email, password, branch_ids: [branch] },
    });
    const signIn = async (): Promise<string> =>
      (await node(0).ask<{ token: string }>("POST", "/api/v1/auth/login", { body: { email, password } })).body
        .token;
    const before = await join(1, await signIn());
    await before.subscribe();
    await eventually(async () => {
      await report(0, camera, "hello");
      expect(types(before)).toContain("hello");
    });
    await chain.desk("PUT", `/api/v1/auth/users/${user.user_id}`, { branch_ids: [elsewhere] });
    expect(await before.hasEnded()).toEqual({ code: 4401, reason: "auth.token_revoked" });
    const after = await join(1, await signIn());
    await after.subscribe();
    const own = await register(elsewhere, "office");
    await report(0, camera, "not for her");
    await eventually(async () => {
      await report(0, own, "hers");
      expect(types(after)).toContain("hers");
    });
    expect(types(after)).not.toContain("not for her");
  });
});
