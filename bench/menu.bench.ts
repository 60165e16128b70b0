import { createServer } from "node:http";
import { fork } from "node:child_process";
import type { AddressInfo } from "node:net";
import { FornoProcess } from "./forno-process";
import { loadFromOutside } from "./load-process";

export interface MenuFigures {
  readonly bytes: number;
  readonly forno_per_s: number;
  readonly plain_node_per_s: number;
  /** Median over the rounds of Forno's rate to plain Node's. */
  readonly ratio: number;
}

const ROUNDS = 5;

/** Menu reads against a bare `node:http` server that sends the same bytes; the two in turn, in one run. */
export async function benchMenu(seconds: number): Promise<MenuFigures> {
  const forno = await FornoProcess.start();
  try {
    const menu = JSON.stringify(await forno.ask("GET", "/api/v1/menu"));
    const plain = await plainServer(menu);
    const read = (port: number) =>
      loadFromOutside({
        port,
        connections: 50,
        duration_ms: (seconds * 1000) / ROUNDS,
        method: "GET",
        path: "/api/v1/menu",
      });
    const rounds: { ours: number; theirs: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ours = (await read(forno.port)).per_second;
      rounds.push({ ours, theirs: (await read(plain.port)).per_second });
    }
    plain.stop();
    const middle = (values: number[]): number =>
      values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    return {
      bytes: Buffer.byteLength(menu),
      forno_per_s: middle(rounds.map(({ ours }) => ours)),
      plain_node_per_s: middle(rounds.map(({ theirs }) => theirs)),
      ratio: middle(rounds.map(({ ours, theirs }) => ours / theirs)),
    };
  } finally {
    await forno.stop();
  }
}

function plainServer(body: string): Promise<{ port: number; stop: () => void }> {
  return new Promise((resolve) => {
    const child = fork(__filename, { env: { ...process.env, PLAIN_BODY: body } });
    child.once("message", (port) => {
      resolve({ port: port as number, stop: () => void child.kill() });
    });
  });
}

if (require.main === module) {
  const body = Buffer.from(process.env["PLAIN_BODY"] ?? "");
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": body.length,
    });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
}
