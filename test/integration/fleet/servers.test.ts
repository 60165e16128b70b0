import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Redis from "ioredis";
import { Kafka, logLevel } from "kafkajs";
import { connect as connectNats } from "nats";
import { Client } from "pg";
import { FleetPostgres } from "../../../fleet/fleet-postgres";
import { ensurePrograms } from "../../../fleet/servers/debian-packages";
import { freePort } from "../../../fleet/servers/free-port";
import { kafkaJars } from "../../../fleet/servers/kafka-jars";
import { kafkaServer } from "../../../fleet/servers/kafka-server";
import { natsServer } from "../../../fleet/servers/nats-server";
import { redisServer } from "../../../fleet/servers/redis-server";
import { ServerProcess } from "../../../fleet/servers/server-process";
import { eventually } from "../../support/eventually";

let home: string;

beforeAll(() => {
  ensurePrograms("redis-server", "nats-server");
});

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "forno-servers-"));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

describe("Redis", () => {
  it("answers, and after kill -9 comes back on the same port with what it had on disk", async () => {
    const redis = await redisServer(home);
    await redis.process.start();
    const client = new Redis(redis.url);
    client.on("error", () => undefined);
    try {
      await client.set("oven", "hot");
      const { pid } = redis.process;
      await redis.process.kill();
      expect(redis.process.running).toBe(false);
      await redis.process.start();
      expect(redis.process.pid).not.toBe(pid);
      expect(await client.get("oven")).toBe("hot");
    } finally {
      client.disconnect();
      await redis.process.stop();
    }
  });

  it("never throws keys away for want of memory", async () => {
    const redis = await redisServer(home);
    await redis.process.start();
    const client = new Redis(redis.url);
    try {
      expect(await client.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    } finally {
      client.disconnect();
      await redis.process.stop();
    }
  });
});

describe("NATS", () => {
  it("carries messages, and after kill -9 comes back on the same port", async () => {
    const nats = await natsServer(home);
    await nats.process.start();
    try {
      expect(await echo(nats.url)).toBe("dough");
      await nats.process.kill();
      await expect(connectNats({ servers: nats.url, reconnect: false })).rejects.toThrow();
      await nats.process.start();
      expect(await echo(nats.url)).toBe("dough");
    } finally {
      await nats.process.stop();
    }
  });

  async function echo(url: string): Promise<string> {
    const connection = await connectNats({ servers: url });
    const subscription = connection.subscribe("kitchen", {
      max: 1,
      callback: (_, message) => message.respond(message.data),
    });
    const answer = await connection.request("kitchen", "dough");
    subscription.unsubscribe();
    await connection.close();
    return answer.string();
  }
});

describe("PostgreSQL", () => {
  it("answers by its URL, and after kill -9 of the postmaster comes back with what was committed", async () => {
    const postgres = new FleetPostgres(home);
    await postgres.start();
    try {
      await ask(postgres.url, "create table oven as select 250 as celsius");
      const { pid } = postgres;
      await postgres.kill();
      expect(postgres.pid).toBeUndefined();
      await postgres.start();
      expect(postgres.pid).not.toBe(pid);
      expect(await ask(postgres.url, "select celsius from oven")).toEqual([{ celsius: 250 }]);
    } finally {
      await postgres.stop();
    }
  });

  it("is ready to be replicated logically", async () => {
    const postgres = new FleetPostgres(home);
    await postgres.start();
    try {
      expect(await ask(postgres.url, "show wal_level")).toEqual([{ wal_level: "logical" }]);
    } finally {
      await postgres.stop();
    }
  });

  async function ask(url: string, statement: string): Promise<unknown[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }
});

const jars = kafkaJars();
if ("missing" in jars) console.warn(`NOT TESTED: Kafka. ${jars.missing}`);

("missing" in jars ? describe.skip : describe)("Kafka", () => {
  it("keeps what was acknowledged over kill -9, on the same port", async () => {
    const kafka = await kafkaServer("libs" in jars ? jars.libs : "", home);
    await kafka.process.start();
    const clientOf = () => new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
    try {
      await produce(clientOf());
      await kafka.process.kill();
      await kafka.process.start();
      expect(await consume(clientOf())).toBe("margherita");
    } finally {
      await kafka.process.stop();
    }
  });

  async function produce(client: Kafka): Promise<void> {
    const admin = client.admin();
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic: "orders", numPartitions: 1 }] });
    await admin.disconnect();
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic: "orders", acks: -1, messages: [{ value: "margherita" }] });
    await producer.disconnect();
  }

  async function consume(client: Kafka): Promise<string | undefined> {
    const consumer = client.consumer({ groupId: "kitchen" });
    await consumer.connect();
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    const value = await new Promise<string | undefined>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ message }) => {
            resolve(message.value?.toString());
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return value;
  }
});

describe("a server process", () => {
  it("that does not start says why, with the end of its log, and is gone", async () => {
    const broken = serverOf("echo the oven is cold; exit 3");
    await expect(broken.start()).rejects.toThrow(/oven did not start: .*the oven is cold/s);
    expect(broken.running).toBe(false);
  });

  it("whose program is missing says so", async () => {
    const missing = new ServerProcess({
      ...{ name: "oven", command: "no-such-program", args: [], folder: home },
      isReady: () => Promise.resolve(false),
    });
    await expect(missing.start()).rejects.toThrow(/oven did not start: .*no-such-program/s);
  });

  it("stops when asked, also when it is frozen, and answers with its exit code", async () => {
    const server = serverOf("trap 'exit 7' TERM; echo ready; while :; do read -t 0.05 x <> <(:); done");
    await server.start();
    server.suspend();
    expect(await server.stop()).toBe(7);
  });

  it("is killed when it does not stop in its time", async () => {
    const server = serverOf("trap '' TERM; echo ready; while :; do sleep 0.05; done", {
      stop_timeout_ms: 100,
    });
    await server.start();
    expect(await server.stop()).toBeNull();
    expect(server.running).toBe(false);
  });

  it("reports a death that nobody here has caused, and no other", async () => {
    const deaths: string[] = [];
    const server = serverOf("echo ready; exec sleep 60", { onDeath: (how) => deaths.push(how) });
    await server.start();
    await server.stop();
    await server.start();
    await server.kill();
    await server.start();
    process.kill(server.pid ?? 0, "SIGKILL");
    await eventually(() => {
      expect(deaths).toEqual(["SIGKILL"]);
    });
  });

  it("shows what this run has printed, not the runs before", async () => {
    const server = serverOf("echo ready; exec sleep 60");
    await server.start();
    await server.kill();
    await server.start();
    expect(server.output).toBe("ready\n");
    await server.kill();
  });

  function serverOf(
    script: string,
    options: { stop_timeout_ms?: number; onDeath?: (how: string) => void } = {},
  ): ServerProcess {
    return new ServerProcess({
      ...{ name: "oven", command: "bash", args: ["-c", script], folder: home, ...options },
      isReady: (printed) => Promise.resolve(printed().includes("ready")),
    });
  }
});

describe("a free port", () => {
  it("is never given twice", async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    expect(new Set(ports).size).toBe(ports.length);
  });
});
