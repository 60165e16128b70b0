import WebSocket from "ws";
import type { Role } from "../../../mixins/contract/caller";
import { DOORS, SUBSCRIPTION_DOOR, takesGuests } from "../../../services/gateway/socket/doors";
import { eventually } from "../../support/eventually";
import { MemoryLog } from "../../support/memory-log";
import { startSocketNode, type SocketNode } from "../../support/socket-node";

const DEEP = `${"[".repeat(8_000)}${"]".repeat(8_000)}`;
const SUBSCRIBE = `{"payload":{"CameraEvents":{"filters":{"camera_id":${DEEP}}}}}`;
const STAFF: Role = "super_admin";
const ALL_DOORS = [...DOORS, SUBSCRIPTION_DOOR].map((door) => ({ door, audience: door.audience }));

/** Text over a WebSocket, as it is: no client library that would choke on it first. */
class Wire {
  readonly heard: string[] = [];
  #ended = false;
  readonly #ws: WebSocket;

  constructor(url: string) {
    this.#ws = new WebSocket(url);
    this.#ws.on("message", (bytes: Buffer) => this.heard.push(bytes.toString()));
    this.#ws.on("close", () => (this.#ended = true));
    this.#ws.on("error", () => undefined);
  }

  async say(text: string | Buffer): Promise<void> {
    await eventually(() => {
      expect(this.#ws.readyState).toBe(WebSocket.OPEN);
    });
    this.#ws.send(text);
  }

  async hears(what: RegExp): Promise<void> {
    await eventually(() => {
      if (!this.heard.some((text) => what.test(text)))
        throw new Error(`heard ${this.heard.join(" | ")}${this.#ended ? ", and it ended" : ""}`);
    });
  }

  close(): void {
    this.#ws.terminate();
  }
}

describe("frames that nest eight thousand levels deep", () => {
  let node: SocketNode;
  const open: Wire[] = [];
  beforeAll(async () => {
    node = await startSocketNode(new MemoryLog());
  });
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
    expect(node.logged).toEqual([]);
  });
  afterAll(() => node.stop());

  const wire = (path: string): Wire => {
    const made = new Wire(`ws://127.0.0.1:${String(node.port)}${path}`);
    open.push(made);
    return made;
  };
  const FRAMES = [
    ["a filter", `{"type":"subscribe",${SUBSCRIBE.slice(1)}`],
    ["a token", `{"type":"auth","token":${DEEP}}`],
    ["a field that nobody knows", `{"type":"ping","more":${DEEP}}`],
    ["a type", `{"type":${DEEP}}`],
  ] as const;

  describe.each(ALL_DOORS)("at the $audience door", ({ door }) => {
    it.each(FRAMES)("are refused by name without a token: %s", async (_what, frame) => {
      const client = wire(door.path);
      await client.say(frame);
      await client.hears(/"input.too_deep"/);
      await client.say('{"type":"ping"}');
      await client.hears(/"pong"/);
    });

    it.each(FRAMES)("are refused by name with a token: %s", async (_what, frame) => {
      const client = wire(`${door.path}?access_token=${node.verifier.issue(STAFF)}`);
      await client.hears(/"(ready|connection_ack)"/);
      await client.say(frame);
      await client.hears(/"input.too_deep"/);
      await client.say('{"type":"ping"}');
      await client.hears(/"pong"/);
    });

    const { namespace } = door;
    const io = "/socket.io/?EIO=4&transport=websocket";
    const PACKETS = [
      ["a filter", `42${namespace},["subscribe",${SUBSCRIBE}]`],
      ["a field that nobody knows", `42${namespace},["ping",{"more":${DEEP}}]`],
      ["a list for a frame", `42${namespace},["ping",${DEEP}]`],
    ] as const;

    it.each(PACKETS)("are refused by name over socket.io: %s", async (_what, packet) => {
      const client = wire(io);
      await client.hears(/^0/);
      await client.say(`40${namespace},{"token":"${node.verifier.issue(STAFF)}"}`);
      await client.hears(/"(ready|connection_ack)"/);
      await client.say(packet);
      await client.hears(/"input.too_deep"/);
      await client.say(`42${namespace},["ping"]`);
      await client.hears(/"pong"/);
    });

    it("do no harm in socket.io's handshake, beside bytes, nor from somebody who was not let in", async () => {
      const handshake = wire(io);
      await handshake.hears(/^0/);
      await handshake.say(`40${namespace},{"token":${DEEP}}`);
      await handshake.hears(/"auth\.token_invalid"/);
      const stranger = wire(io);
      await stranger.hears(/^0/);
      await stranger.say(`40${namespace},`);
      await stranger.hears(takesGuests(door) ? /"ready"/ : /"auth.required"/);
      await stranger.say(`42${namespace},["subscribe",${SUBSCRIBE}]`);
      if (takesGuests(door)) await stranger.hears(/"input.too_deep"/);
      const binary = wire(io);
      await binary.hears(/^0/);
      await binary.say(`40${namespace},{"token":"${node.verifier.issue(STAFF)}"}`);
      await binary.hears(/"(ready|connection_ack)"/);
      await binary.say(`450-${namespace},["subscribe",${SUBSCRIBE}]`);
      await binary.say(`451-${namespace},["subscribe",{"_placeholder":true,"num":0},${SUBSCRIBE}]`);
      await binary.say(Buffer.from("bytes"));
      const next = wire(`${door.path}?access_token=${node.verifier.issue(STAFF)}`);
      await next.hears(/"(ready|connection_ack)"/);
    });
  });
});
