import { freePort } from "./free-port";
import { firstAnswerOf, ServerProcess } from "./server-process";

/** A NATS server on loopback. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly process: ServerProcess;
}

/** Plain NATS, without JetStream: what must not be lost travels by the log. */
export async function natsServer(folder: string, port?: number): Promise<NatsServer> {
  const at = port ?? (await freePort());
  const process = new ServerProcess({
    name: "nats",
    command: "nats-server",
    args: ["--addr", "127.0.0.1", "--port", String(at)],
    folder,
    isReady: async () => (await firstAnswerOf(at))?.startsWith("INFO") === true,
  });
  return { url: `nats://127.0.0.1:${String(at)}`, port: at, process };
}
