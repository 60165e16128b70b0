import { Type } from "@sinclair/typebox";
import { strictObject } from "../../../mixins/contract/schemas";
import { COMMON_FRAMES, frameReader, type FrameOf } from "./client-frame";
import { Frame } from "./frame";

const Id = Type.String({ minLength: 1, maxLength: 64 });
const Name = Type.String({ minLength: 1, maxLength: 64 });

const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

/** What a client asks to hear of one entity. */
const Request = strictObject({
  filters: Type.Optional(Type.Record(Type.String(), Type.Union([Scalar, Type.Array(Scalar)]))),
  fields: Type.Optional(Type.Array(Name, { maxItems: 64, uniqueItems: true })),
});

/** Everything that a subscriber may say, by `type`. */
const FRAMES = {
  ...COMMON_FRAMES,
  /** `payload` by entity. Without an id the entity's name is it; the same id again replaces the subscription. */
  subscribe: strictObject({
    type: Type.Literal("subscribe"),
    id: Type.Optional(Id),
    payload: Type.Record(Type.String(), Request, { minProperties: 1, maxProperties: 16 }),
  }),
  /** One subscription by its id, or with `payload.entities` all of these entities. */
  unsubscribe: strictObject({
    type: Type.Literal("unsubscribe"),
    id: Type.Optional(Id),
    payload: Type.Optional(strictObject({ entities: Type.Array(Name, { minItems: 1, maxItems: 16 }) })),
  }),
} as const;

type AnyFrame = FrameOf<typeof FRAMES>;
export type SubscriberFrame = Exclude<AnyFrame, { type: "auth" }>;
export type Subscribe = Extract<AnyFrame, { type: "subscribe" }>;
export type Unsubscribe = Extract<AnyFrame, { type: "unsubscribe" }>;

/** Reads what a subscriber says. */
export const readSubscriberFrame = frameReader(FRAMES);

/** What the server says beside the data frames; everything at the top, as subscribers have always known it. */
type AnswerType = "connection_ack" | "authenticated" | "subscribed" | "unsubscribed" | "pong" | "error";

export function answerFrame(type: AnswerType, fields: object = {}): Frame {
  return new Frame(type, JSON.stringify({ type, ...fields }));
}

/**
 * The frames of one message: `{Entity: {…}}`, and beside it the id where the client named one. The message is serialised once
 * for all who see the same fields; those who chose the same id, or none, share the bytes of the frame as well.
 */
export class DataFrames {
  readonly #shown = new Map<string, string>();
  readonly #frames = new Map<string, Frame>();

  constructor(
    private readonly entity: string,
    private readonly message: object,
    private readonly onSerialised: () => void,
  ) {}

  frameFor(fields: readonly string[], id: string | undefined): Frame {
    const names = fields.join();
    const shape = `${names}\n${id ?? ""}`;
    let frame = this.#frames.get(shape);
    if (frame === undefined) {
      const end = id === undefined ? "}" : `,"id":${JSON.stringify(id)}}`;
      frame = new Frame(this.entity, `{${JSON.stringify(this.entity)}:${this.#show(fields, names)}${end}`);
      this.#frames.set(shape, frame);
    }
    return frame;
  }

  #show(fields: readonly string[], names: string): string {
    let shown = this.#shown.get(names);
    if (shown === undefined) {
      const all = this.message as Readonly<Record<string, unknown>>;
      shown = JSON.stringify(Object.fromEntries(fields.map((field) => [field, all[field]])));
      this.#shown.set(names, shown);
      this.onSerialised();
    }
    return shown;
  }
}
