import { Type, type TObject, type TSchema } from "@sinclair/typebox";
import { readAs } from "../text/forms";

// Shapes that many contracts share. Every object refuses unknown fields.

// What the formats leave out is said in formats.ts.
export const Uuid = Type.String({ ...readAs("uuid"), format: "uuid", description: "UUID" });
export const Timestamp = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
export const LocalDate = Type.String({ format: "date", description: "Calendar date, YYYY-MM-DD" });
/** Integer minor units (kopecks); never a float. */
export const Minor = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "Minor units",
});
/** Minor units that people set: at most 10 billion roubles, so that sums of thousands of them stay exact. */
export const SettableMinor = Type.Integer({ minimum: 0, maximum: 1e12, description: "Minor units" });
export const PositionSchema = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "Event-log position",
});

/** One of a few words: an `enum` reads better in OpenAPI and in refusals than a union of constants. */
export const literals = <const T extends string>(...values: readonly T[]) =>
  Type.Unsafe<T>(Type.String({ enum: [...values] }));

/** A value or null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** An object that refuses unknown fields. */
export function strictObject<T extends Record<string, TSchema>>(properties: T): TObject<T> {
  return Type.Object(properties, { additionalProperties: false });
}

/** Parameters that every cursor-paginated list takes. */
export const PageParams = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: "next_cursor of the page before" })),
};

/** Reads that wait until the read model has reached a write's `position`. */
export const AfterParam = {
  after: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "Wait until the read model has reached this position",
    }),
  ),
};

/** One page of a list. */
export function pageOf<T extends TSchema>(item: T) {
  return strictObject({
    items: Type.Array(item),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    total: Type.Optional(Type.Integer({ minimum: 0 })),
  });
}
