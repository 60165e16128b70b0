import type { Role } from "../../../mixins/contract/caller";
import type { Position, RecordedEvent } from "../../../mixins/event-log/event-log";
import type { Announcement } from "./announcements";

/** What the server says about the connection itself, beside the messages that events become. */
export type ControlType =
  "ready" | "resync_required" | "authenticated" | "tracked" | "cart_followed" | "pong" | "error" | "closing";

/** What engine.io takes beside a packet; a frame made beforehand is sent as it is, so that all clients share its bytes. */
export interface PacketOptions {
  compress: boolean;
  wsPreEncodedFrame: readonly Buffer[];
}

/** A socket.io packet in its two forms: text for long polling, a finished WebSocket frame for the rest. */
export interface Packet {
  readonly text: string;
  readonly options: PacketOptions;
}

/** One message in the bytes of each way in, made once for all clients that get this very frame. */
export class Frame {
  /**
   * JSON text: `{type,data,timestamp,position}` of news and of what is said about the connection, `{type,…}` of answers to
   * subscribers, `{Entity,id}` of what they subscribed to.
   */
  readonly json: Buffer;
  readonly #packets = new Map<string, Packet>();

  constructor(
    readonly type: string,
    readonly text: string,
  ) {
    this.json = Buffer.from(text);
  }

  /** Its socket.io form for one namespace: an event named like the message's type, with the message as argument. */
  packet(namespace: string): Packet {
    const known = this.#packets.get(namespace);
    if (known !== undefined) return known;
    const text = `2${namespace},[${JSON.stringify(this.type)},${this.text}]`;
    const packet = { text, options: { compress: false, wsPreEncodedFrame: finishedFrame(text) } };
    this.#packets.set(namespace, packet);
    return packet;
  }
}

const TEXT_FRAME = 0x81;

/**
 * A whole WebSocket text frame in one buffer. What a server sends is unmasked, hence the same bytes for everybody. "4" is
 * engine.io's packet type "message".
 */
function finishedFrame(text: string): Buffer[] {
  const payload = Buffer.from(`4${text}`);
  const { length } = payload;
  const header = Buffer.alloc(length > 0xffff ? 10 : length > 125 ? 4 : 2);
  header[0] = TEXT_FRAME;
  if (length > 0xffff) {
    header[1] = 127;
    header.writeUIntBE(length, 4, 6);
  } else if (length > 125) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = length;
  }
  return [Buffer.concat([header, payload])];
}

/** A message about the connection. `position` is one that the client may resume from; absent where nothing can be resumed. */
export function controlFrame(
  type: ControlType,
  data: object,
  at_ms: number,
  position: Position | undefined,
): Frame {
  return new Frame(type, JSON.stringify({ type, data, timestamp: new Date(at_ms).toISOString(), position }));
}

/** One event on its way to the sockets, with a frame for each role that it was wanted for. */
export class Broadcast {
  readonly position: Position;
  readonly #frames = new Map<Role, Frame | null>();

  constructor(
    readonly announcement: Announcement,
    private readonly event: RecordedEvent,
    private readonly onSerialised: () => void,
  ) {
    this.position = event.position;
  }

  /** The message as a role sees it; null when it is not for this role. */
  frameFor(role: Role): Frame | null {
    const known = this.#frames.get(role);
    if (known !== undefined) return known;
    const data = this.announcement.dataFor(role);
    const frame = data === null ? null : this.#serialise(data);
    this.#frames.set(role, frame);
    return frame;
  }

  #serialise(data: object): Frame {
    this.onSerialised();
    const { type } = this.announcement;
    const { recorded_at: timestamp, position } = this.event;
    return new Frame(type, JSON.stringify({ type, data, timestamp, position }));
  }
}
