import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { Fleet } from "../fleet/fleet";
import { ask, quantiles, type Latency } from "./fleet.bench";

export interface SubscriptionFigures extends Latency {
  readonly sockets: number;
  readonly events_per_s: number;
  readonly messages: number;
  readonly expected: number;
}

const SOCKETS = 1_000;
/** Each socket subscribes to one of them: a tenth hears of each event. */
const CAMERAS = 10;
/** Single events, as cameras send them; the sockets' side shares the machine, so the second rate is near what that can take. */
const EVENTS_PER_S = [20, 100];

/** One node with PostgreSQL and Redis: a camera's request, ingest, Redis, filters, sockets. */
export async function benchSubscriptions(seconds: number): Promise<SubscriptionFigures[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-bench-subscriptions-"));
  const env = { RATE_LIMIT: "off", LOG_LEVEL: "warn" };
  const fleet = await Fleet.start({ folder, nodes: 1, redis: true, anyPorts: true, env });
  try {
    const token = await fleet.adminToken();
    const macs = await openCameras(fleet, token);
    const sent_at: number[] = [];
    const latencies: number[] = [];
    const hear = (n: number): void => void latencies.push(performance.now() - (sent_at[n] ?? Number.NaN));
    const sockets = await Promise.all(
      Array.from({ length: SOCKETS }, (_, n) => subscriber(fleet, token, macs[n % CAMERAS] ?? "", hear)),
    );
    const figures: SubscriptionFigures[] = [];
    for (const events_per_s of EVENTS_PER_S) {
      latencies.length = 0;
      const events = events_per_s * seconds;
      await send(fleet, token, macs, { events, events_per_s, sent_at });
      const expected = (events * SOCKETS) / CAMERAS;
      for (let tries = 0; latencies.length < expected && tries < 100; tries += 1) await pause(50);
      figures.push({
        sockets: SOCKETS,
        events_per_s,
        messages: latencies.length,
        expected,
        ...quantiles(latencies),
      });
    }
    for (const socket of sockets) socket.terminate();
    return figures;
  } finally {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function openCameras(fleet: Fleet, token: string): Promise<string[]> {
  const { items } = await ask<{ items: { branch_id: string }[] }>(fleet.node(1), "GET", "/api/v1/branches");
  const macs = Array.from({ length: CAMERAS }, (_, n) => `02:00:00:00:00:${String(n + 10)}`);
  for (const mac_address of macs) {
    const camera = { mac_address, model: "Generic", branch_id: items[0]?.branch_id };
    await ask(fleet.node(1), "POST", "/api/v1/cameras", camera, token);
  }
  return macs;
}

/** At their times, however long each takes. */
async function send(
  fleet: Fleet,
  token: string,
  macs: readonly string[],
  { events, events_per_s, sent_at }: { events: number; events_per_s: number; sent_at: number[] },
): Promise<void> {
  const first = sent_at.length;
  const started = performance.now();
  const answers: Promise<unknown>[] = [];
  for (let n = first; n < first + events; n += 1) {
    const due = started + ((n - first) * 1000) / events_per_s;
    if (due > performance.now()) await pause(due - performance.now());
    sent_at[n] = performance.now();
    const event = { mac_address: macs[n % CAMERAS], event_type: "motion_detected", data: { n } };
    answers.push(ask(fleet.node(1), "POST", "/api/v1/cameras/events", event, token));
  }
  await Promise.all(answers);
}

/** Notes when messages come, and hardly reads them: a thousand clients share one process here. */
function subscriber(
  fleet: Fleet,
  token: string,
  mac_address: string,
  hear: (n: number) => void,
): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const url = `${fleet.node(1).url.replace("http", "ws")}/subscribe?access_token=${token}`;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("error", reject);
    socket.on("message", (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      if (text.startsWith('{"type":"subscribed"')) resolve(socket);
      const payload = { CameraEvents: { filters: { mac_address } } };
      if (text.startsWith('{"type":"connection_ack"'))
        socket.send(JSON.stringify({ type: "subscribe", payload }));
      if (text.startsWith('{"CameraEvents"')) hear(Number(/"n":(\d+)/.exec(text)?.[1]));
    });
  });
}
