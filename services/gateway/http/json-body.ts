import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { untameIn } from "../../../mixins/contract/tame-json";
import { HttpRefusal } from "./problem";

/** Largest body unless a door says otherwise: the longest sensible order is a tenth of it. */
export const BODY_BYTES_MAX = 256 * 1024;

/** Whether the request carries a body at all. */
export function hasBody(req: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = req.headers;
  return encoding !== undefined || (length !== undefined && Number(length) > 0);
}

/**
 * Reads the JSON object that a request carries; an absent or empty body is `{}`.
 * @throws HttpRefusal 400, 413 or 415; the rest of a body that is too large is discarded as it comes.
 */
export async function readJsonBody(
  req: IncomingMessage,
  bytes_max = BODY_BYTES_MAX,
): Promise<Record<string, unknown>> {
  const bytes = await readBody(req, bytes_max);
  return bytes.length === 0 ? {} : parseJsonObject(bytes);
}

/**
 * Reads the JSON array that a request carries; an object is an array of one, an absent or empty body is empty.
 * @throws HttpRefusal as {@link readJsonBody}
 */
export async function readJsonList(req: IncomingMessage, bytes_max = BODY_BYTES_MAX): Promise<unknown[]> {
  const bytes = await readBody(req, bytes_max);
  if (bytes.length === 0) return [];
  const value = parseTame(bytes, "The body must be a JSON object or an array of them.");
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

async function readBody(req: IncomingMessage, bytes_max: number): Promise<Buffer> {
  if (!hasBody(req)) return Buffer.alloc(0);
  assertMediaType(req);
  return readBytes(req, bytes_max);
}

function assertMediaType(req: IncomingMessage): void {
  const type = req.headers["content-type"] ?? "";
  if (type !== "application/json" && !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?;?\s*$/i.test(type))
    throw new HttpRefusal(415, "http.media_type", "Send the body as application/json in UTF-8.", {
      Accept: "application/json",
    });
  const encoding = req.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity")
    throw new HttpRefusal(415, "http.content_encoding", "Send the body uncompressed.", {
      "Accept-Encoding": "identity",
    });
}

function readBytes(req: IncomingMessage, bytes_max: number): Promise<Buffer> {
  const tooLarge = (): HttpRefusal =>
    new HttpRefusal(413, "http.body_too_large", `The body is larger than ${String(bytes_max)} bytes.`);
  return new Promise((resolve, reject) => {
    if (Number(req.headers["content-length"] ?? 0) > bytes_max) {
      reject(tooLarge());
      return;
    }
    let first: Buffer | undefined;
    let more: Buffer[] | undefined;
    let size = 0;
    req.on("data", (chunk: Buffer) => {
      size += chunk.length;
      // Keep listening without keeping anything: the stream flows on and the client gets to read its 413.
      if (size > bytes_max) reject(tooLarge());
      else if (first === undefined) first = chunk;
      else (more ??= [first]).push(chunk);
    });
    req.once("end", () => {
      resolve(more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more));
    });
    req.once("error", () => {
      reject(new HttpRefusal(400, "http.aborted", "The body ended before it was complete."));
    });
  });
}

/** @throws HttpRefusal 400 `http.bad_encoding`, `http.bad_json`, `input.not_an_object`, `input.forbidden_key`, `input.too_deep` */
export function parseJsonObject(bytes: Buffer): Record<string, unknown> {
  const wanted = "The body must be a JSON object.";
  const value = parseTame(bytes, wanted);
  if (Array.isArray(value)) throw new HttpRefusal(400, "input.not_an_object", wanted);
  return value as Record<string, unknown>;
}

/** An object or array that is no trap for who works with it. */
function parseTame(bytes: Buffer, wanted: string): object {
  if (!isUtf8(bytes)) throw new HttpRefusal(400, "http.bad_encoding", "The body is not valid UTF-8.");
  const value = parseJson(bytes.toString("utf8"));
  if (typeof value !== "object" || value === null) throw new HttpRefusal(400, "input.not_an_object", wanted);
  const refusal = untameIn(value);
  if (refusal !== undefined) throw new HttpRefusal(400, refusal.code, refusal.detail);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const place = cause.message.includes("end of JSON")
      ? text.length
      : / at position (\d+)/.exec(cause.message)?.[1];
    const at = place === undefined ? "" : ` (at character ${String(place)})`;
    throw new HttpRefusal(400, "http.bad_json", `The body is not valid JSON${at}.`);
  }
}
