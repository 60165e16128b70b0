import { Type, type Static, type TObject } from "@sinclair/typebox";
import { PositionSchema, strictObject } from "../../../mixins/contract/schemas";
import { refuse, type Refusal } from "../../../mixins/contract/refusal";
import { validatorOf } from "../../../mixins/contract/validation";

const Token = Type.String({ minLength: 1 });
const TrackToken = Type.String({ minLength: 1, maxLength: 64 });

/** Everything that a client may say, by `type`. */
const FRAMES = {
  /** Signs in, or brings a fresh token before the old one expires. */
  auth: strictObject({ type: Type.Literal("auth"), token: Token }),
  /** Shop only: hear of the order whose tracking token this is; `after` is the position of the order's placement. */
  track: strictObject({
    type: Type.Literal("track"),
    token: TrackToken,
    after: Type.Optional(PositionSchema),
  }),
  /** For clients that cannot send a protocol ping (browsers). */
  ping: strictObject({ type: Type.Literal("ping") }),
} as const satisfies Record<string, TObject>;

type FrameType = keyof typeof FRAMES;
export type ClientFrame = { [T in FrameType]: Static<(typeof FRAMES)[T]> }[FrameType];

const validators = {
  auth: validatorOf(FRAMES.auth),
  track: validatorOf(FRAMES.track),
  ping: validatorOf(FRAMES.ping),
};

const rotten = (code: string, detail: string): Refusal => refuse("invalid", code, detail);

/** Reads a text frame of a plain WebSocket. */
export function readTextFrame(text: string): ClientFrame | Refusal {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return rotten("frame.not_json", "A frame is one JSON object.");
  }
  return readFrame(frame);
}

/** Checks what came in as a frame. */
export function readFrame(frame: unknown): ClientFrame | Refusal {
  if (typeof frame !== "object" || frame === null || Array.isArray(frame)) {
    return rotten("frame.not_an_object", "A frame is one JSON object.");
  }
  const { type } = frame as { type?: unknown };
  if (!isFrameType(type)) {
    return rotten("frame.unknown_type", `The type of a frame is one of ${Object.keys(FRAMES).join(", ")}.`);
  }
  return validators[type](frame) ?? (frame as ClientFrame);
}

export const BINARY_FRAME = rotten("frame.binary", "Frames are JSON text, not binary.");

function isFrameType(type: unknown): type is FrameType {
  return typeof type === "string" && Object.hasOwn(FRAMES, type);
}

/** What a connection asks for when it is opened. */
export interface Wish {
  /** Resume after this position of the log. */
  readonly after?: number;
  /** Tracking tokens of orders to hear of, from the same position on. */
  readonly track: readonly string[];
}

/** Reads `after` and `track`, from a query string (text) or a socket.io handshake (JSON). */
export function readWish(after: unknown, track: unknown, tracked_max: number): Wish | Refusal {
  const tokens = (track === undefined ? [] : Array.isArray(track) ? track : [track]) as readonly unknown[];
  if (
    tokens.length > tracked_max ||
    !tokens.every((token) => typeof token === "string" && token.length <= 64)
  ) {
    return rotten("input.invalid", `track is at most ${tracked_max} tracking tokens.`);
  }
  if (after === undefined || after === null || after === "") return { track: tokens as string[] };
  const position = typeof after === "string" && /^\d{1,16}$/.test(after) ? Number(after) : after;
  if (typeof position !== "number" || !Number.isSafeInteger(position) || position < 0) {
    return rotten("input.invalid", "after is a position of the log: a whole number from 0.");
  }
  return { after: position, track: tokens as string[] };
}
