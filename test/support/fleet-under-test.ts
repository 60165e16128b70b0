import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../../fleet/servers/free-port";
import { natsServer, type NatsServer } from "../../fleet/servers/nats-server";
import { ADMIN_PASSWORD, FornoUnderTest } from "./forno";
import { startTestDatabase, type TestDatabase } from "./postgres";

/** Several Fornos in processes of their own on one database and one NATS. */
export class FleetUnderTest {
  readonly nodes: FornoUnderTest[] = [];

  private constructor(
    readonly nats: NatsServer,
    readonly database: TestDatabase,
    private readonly folder: string,
  ) {}

  /** An empty database and a NATS that runs; no node yet. */
  static async prepared(): Promise<FleetUnderTest> {
    const folder = mkdtempSync(path.join(tmpdir(), "forno-fleet-"));
    const nats = await natsServer(folder, await freePort());
    await nats.process.start();
    return new FleetUnderTest(nats, await startTestDatabase({ migrated: false }), folder);
  }

  /** A node that is not started yet. */
  async node(env: Readonly<Record<string, string>> = {}): Promise<FornoUnderTest> {
    const node = await FornoUnderTest.create({
      NATS_URL: this.nats.url,
      DATABASE_URL: this.database.url,
      NODE_ID: `node-${String(this.nodes.length + 1)}`,
      JWT_SECRET: "a secret of at least 32 characters",
      ADMIN_PASSWORD,
      RATE_LIMIT: "off",
      ...env,
    });
    this.nodes.push(node);
    return node;
  }

  async remove(): Promise<void> {
    this.nats.process.resume();
    await Promise.all(
      this.nodes.map(async (node) => {
        await node.end("SIGKILL");
        rmSync(node.home, { recursive: true, force: true });
      }),
    );
    await this.nats.process.kill();
    await this.database.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
