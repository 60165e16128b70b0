import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { entities } from "../../../../entities/entities";
import { freePort } from "../../../../fleet/servers/free-port";
import { natsServer, type NatsServer } from "../../../../fleet/servers/nats-server";
import type { EventFeed, FeedSubscription } from "../../../../mixins/event-feed/event-feed";
import type { Runtime } from "../../../../mixins/runtime";
import { fleetNodesOf } from "../../../../mixins/transport/fleet-nodes";
import { changeItem, listItems } from "../../../../services/menu/menu-desk.contract";
import { publishMenu } from "../../../../services/menu/menu-version.contract";
import { menuDocuments, menuStatus, nodeMenu } from "../../../../services/menu/menu.contract";
import { seedMenu } from "../../../../services/menu/menu.seed";
import { eventually } from "../../../support/eventually";
import { fleetBroker, fleetSettings } from "../../../support/fleet-broker";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { freshCommand, MenuNode } from "./menu-node";

describe("the menu on two nodes over NATS", () => {
  const space = `t-${randomUUID()}`;
  let folder: string;
  let nats: NatsServer;
  let database: TestDatabase;
  let desk: MenuNode;
  /** A node whose feed brings nothing. */
  let deaf: MenuNode;

  const broker = () => fleetBroker(fleetSettings(nats.url, space));

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "forno-menu-fleet-"));
    nats = await natsServer(folder, await freePort());
    await nats.process.start();
    database = await startTestDatabase({ entities: [...entities] });
    desk = await MenuNode.start(database, (runtime) => seedMenu(runtime, freshCommand()), broker());
    deaf = await MenuNode.start(database, deafen, broker());
    await eventually(() => {
      for (const { runtime } of [desk, deaf])
        expect(fleetNodesOf(runtime.broker).hosts(nodeMenu.name)).toHaveLength(2);
    });
  });

  afterAll(async () => {
    await desk.stop();
    await deaf.stop();
    await nats.process.kill();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is changed at once where the feed is slow, by a hint", async () => {
    const [pizza] = (await desk.ask(listItems, { kind: "pizza", limit: 1 })).items;
    await desk.ask(changeItem, { item_id: pizza?.item_id ?? "", price_minor: 12_300 });
    const { version } = await desk.ask(publishMenu, {});
    await eventually(async () => {
      const { nodes } = await deaf.ask(menuStatus, {});
      expect(nodes.map((node) => node.version)).toEqual([version, version]);
    }, 2_000);
  });

  it("is one document on both: bytes here, text over the wire", async () => {
    const [here, there] = await Promise.all(
      [desk, deaf].map(({ runtime }) =>
        desk.runtime.broker.call(menuDocuments.menu.name, {}, { nodeID: runtime.broker.nodeID }),
      ),
    );
    const [local, remote] = [here, there] as { body: Buffer | string; etag: string }[];
    expect(typeof remote?.body).toBe("string");
    expect(remote?.body).toBe(local?.body.toString());
    expect(remote?.etag).toBe(local?.etag);
  });
});

/** The feed goes on counting and tells nobody what it has read. */
function deafen(runtime: Runtime): Promise<void> {
  const feed = runtime.feed as { subscribe: EventFeed["subscribe"] };
  const subscribe = feed.subscribe.bind(feed);
  feed.subscribe = (subscription: FeedSubscription) =>
    subscribe({ ...subscription, onBatch: () => Promise.resolve() });
  return Promise.resolve();
}
