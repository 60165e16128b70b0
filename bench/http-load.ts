import { connect, type Socket } from "node:net";

/**
 * A frugal HTTP/1.1 load generator: it shares two cores with what it measures, so it writes prepared bytes to plain sockets and reads
 * only the status line and the length of an answer. Runs in a process of its own (see `load-process.ts`).
 */
export interface LoadPlan {
  /** Of one node, or of several that the connections are spread over. */
  readonly port: number | readonly number[];
  readonly connections: number;
  readonly duration_ms: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Bodies that are sent in turn; with them goes a fresh Idempotency-Key each. */
  readonly bodies?: readonly string[];
  /** Access tokens that are sent in turn. */
  readonly tokens?: readonly string[];
}

export interface LoadReport {
  readonly requests: number;
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Count of answers by status; a broken connection counts as 0. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Runs a plan: every connection sends its next request when the answer to the one before is whole. */
export async function runLoad(plan: LoadPlan): Promise<LoadReport> {
  const latencies_ms: number[] = [];
  const statuses: Record<string, number> = {};
  const run = String(process.hrtime.bigint());
  const started = performance.now();
  const deadline = started + plan.duration_ms;
  let sent = 0;
  const nextRequest = (): Buffer => requestBytes(plan, sent, `${run}-${String(sent++)}`);
  const record = (status: number, since: number): void => {
    latencies_ms.push(performance.now() - since);
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const ports = typeof plan.port === "number" ? [plan.port] : plan.port;
  await Promise.all(
    Array.from({ length: plan.connections }, (_, at) =>
      oneConnection(ports[at % ports.length] ?? 0, deadline, nextRequest, record),
    ),
  );
  const elapsed_s = (performance.now() - started) / 1000;
  latencies_ms.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies_ms[Math.min(latencies_ms.length - 1, Math.floor(latencies_ms.length * share))] ?? 0;
  return {
    requests: latencies_ms.length,
    per_second: latencies_ms.length / elapsed_s,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    max_ms: at(1),
    statuses,
  };
}

function requestBytes(plan: LoadPlan, index: number, key: string): Buffer {
  const token = plan.tokens?.[index % plan.tokens.length];
  const bearer = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  const head = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${bearer}`;
  const body = plan.bodies?.[index % plan.bodies.length];
  if (body === undefined) return Buffer.from(`${head}\r\n`);
  return Buffer.from(
    `${head}Content-Type: application/json\r\nIdempotency-Key: ${key}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
}

function oneConnection(
  port: number,
  deadline: number,
  nextRequest: () => Buffer,
  record: (status: number, since: number) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let pending: Buffer | undefined;
    let since = 0;
    let waiting = false;
    const send = (): void => {
      if (performance.now() >= deadline) return void socket.end();
      since = performance.now();
      waiting = true;
      socket.write(nextRequest());
    };
    socket.on("connect", send);
    socket.on("data", (chunk) => {
      pending = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
      const answer = wholeAnswer(pending);
      if (answer === undefined) return;
      pending = undefined;
      waiting = false;
      record(answer, since);
      send();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (waiting) record(0, since);
      resolve();
    });
  });
}

/** The status of the answer once all of it is there. */
function wholeAnswer(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`An answer without Content-Length: ${head}`);
  if (bytes.length < headEnd + 4 + Number(length)) return undefined;
  return Number(head.slice(9, 12));
}
