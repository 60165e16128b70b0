import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import { hearsChannels, type HearingService } from "../../../mixins/messaging/channel-handlers";
import { channelsOf } from "../../../mixins/messaging/channels";
import { eventually } from "../../support/eventually";

describe("a service that declares channels", () => {
  let broker: ServiceBroker;
  const heard: string[] = [];
  const guard = (): HearingService => ({
    name: "guard",
    mixins: [hearsChannels({ broker })],
    channels: {
      "door.opened"(message, channel) {
        heard.push(`${this.name} ${channel} ${JSON.stringify(message)}`);
      },
      async "door.broken"() {
        await Promise.reject(new Error("broken"));
      },
      "door.jammed"() {
        throw new Error("jammed");
      },
    },
  });

  beforeEach(async () => {
    broker = new ServiceBroker({ nodeID: randomUUID(), logger: false });
    await broker.start();
    heard.length = 0;
  });
  afterEach(() => broker.stop());

  it("hears what is published, as itself, whatever its other handlers come to", async () => {
    broker.createService(guard());
    await broker.waitForServices("guard");
    const channels = channelsOf({ broker });
    for (const channel of ["door.broken", "door.jammed", "door.closed", "door.opened"])
      await channels.publish(channel, { door: 1 });
    await channels.publish("door.opened", { door: 2 });
    await eventually(() => {
      expect(heard).toEqual(['guard door.opened {"door":1}', 'guard door.opened {"door":2}']);
    });
  });

  it("hears nothing more once it is stopped, and does not mind having no channels", async () => {
    const channels = channelsOf({ broker });
    const service = broker.createService(guard());
    broker.createService({ name: "deaf", mixins: [hearsChannels({ broker })] });
    await broker.waitForServices(["guard", "deaf"]);
    await broker.destroyService(service);
    let after = 0;
    await channels.subscribe("door.opened", () => {
      after += 1;
    });
    await channels.publish("door.opened", { door: 3 });
    await eventually(() => {
      expect(after).toBe(1);
    });
    expect(heard).toEqual([]);
  });
});
