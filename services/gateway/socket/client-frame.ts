import { Type, type Static, type TObject } from "@sinclair/typebox";
import { PositionSchema, strictObject } from "../../../mixins/contract/schemas";
import { refuse, type Refusal } from "../../../mixins/contract/refusal";
import { untameIn } from "../../../mixins/contract/tame-json";
import { validatorOf } from "../../../mixins/contract/validation";
import { CART_TOKEN } from "../../cart/cart.events";

const Token = Type.String({ minLength: 1 });
const TrackToken = Type.String({ minLength: 1, maxLength: 64 });

/** What every client may say. */
export const COMMON_FRAMES = {
  /** Signs in, or brings a fresh token before the old one expires. */
  auth: strictObject({ type: Type.Literal("auth"), token: Token }),
  /** For clients that cannot send a protocol ping (browsers). */
  ping: strictObject({ type: Type.Literal("ping") }),
} as const;

/** Everything that a client who hears of the log may say, by `type`. */
const FRAMES = {
  ...COMMON_FRAMES,
  /** Shop only: hear of the order whose tracking token this is; `after` is the position of the order's placement. */
  track: strictObject({
    type: Type.Literal("track"),
    token: TrackToken,
    after: Type.Optional(PositionSchema),
  }),
  /** Shop only: hear of the guest's cart that this token opens, in place of any other. */
  cart: strictObject({ type: Type.Literal("cart"), token: Type.String({ pattern: CART_TOKEN.source }) }),
} as const satisfies Frames;

type Frames = Readonly<Record<string, TObject>>;
/** Any of the frames of a table. */
export type FrameOf<T extends Frames> = { [K in keyof T]: Static<T[K]> }[keyof T];
export type ClientFrame = FrameOf<typeof FRAMES>;
/** Checks what came in as a frame. */
export type FrameReader<F> = (frame: unknown) => F | Refusal;

const rotten = (code: string, detail: string): Refusal => refuse("invalid", code, detail);

/** Reads the frames of a table, whose keys are their `type`. */
export function frameReader<T extends Frames>(frames: T): FrameReader<FrameOf<T>> {
  const validators = new Map(Object.entries(frames).map(([type, schema]) => [type, validatorOf(schema)]));
  return (frame) => {
    if (typeof frame !== "object" || frame === null || Array.isArray(frame)) {
      return rotten("frame.not_an_object", "A frame is one JSON object.");
    }
    // Before anybody is admitted, and before anything that recurses.
    const trap = untameIn(frame);
    if (trap !== undefined) return trap;
    const { type } = frame as { type?: unknown };
    const validate = typeof type === "string" ? validators.get(type) : undefined;
    if (validate === undefined) {
      return rotten("frame.unknown_type", `The type of a frame is one of ${Object.keys(frames).join(", ")}.`);
    }
    return validate(frame) ?? (frame as FrameOf<T>);
  };
}

/** Reads what a client who hears of the log says. */
export const readFrame = frameReader(FRAMES);

/** Reads a text frame of a plain WebSocket. */
export function readTextFrame<F>(text: string, read: FrameReader<F>): F | Refusal {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return rotten("frame.not_json", "A frame is one JSON object.");
  }
  return read(frame);
}

export const BINARY_FRAME = rotten("frame.binary", "Frames are JSON text, not binary.");

/** What a connection asks for when it is opened. */
export interface Wish {
  /** Resume after this position of the log. */
  readonly after?: number;
  /** Tracking tokens of orders to hear of, from the same position on. */
  readonly track: readonly string[];
  /** Token of a guest's cart to hear of. */
  readonly cart?: string;
}

/** Reads `after`, `track` and `cart`, from a query string (text) or a socket.io handshake (JSON). */
export function readWish(
  after: unknown,
  track: unknown,
  tracked_max: number,
  cart?: unknown,
): Wish | Refusal {
  const tokens = (track === undefined ? [] : Array.isArray(track) ? track : [track]) as readonly unknown[];
  if (
    tokens.length > tracked_max ||
    !tokens.every((token) => typeof token === "string" && token.length <= 64)
  ) {
    return rotten("input.invalid", `track is at most ${tracked_max} tracking tokens.`);
  }
  const wish = { track: tokens as string[] };
  if (cart !== undefined && (typeof cart !== "string" || !CART_TOKEN.test(cart)))
    return rotten("cart.bad_token", "cart is the token as it was given.");
  if (cart !== undefined) Object.assign(wish, { cart });
  if (after === undefined || after === null || after === "") return wish;
  const position = typeof after === "string" && /^\d{1,16}$/.test(after) ? Number(after) : after;
  if (typeof position !== "number" || !Number.isSafeInteger(position) || position < 0) {
    return rotten("input.invalid", "after is a position of the log: a whole number from 0.");
  }
  return { ...wish, after: position };
}
