import { startJob, type JobHandle } from "../../../mixins/process/start-job";
import { eventually } from "../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../support/postgres";
import { QuietLogger } from "../../support/quiet-logger";

/** A run is noted by the database a moment after it began. */
const CLOCKS_APART_MS = 40;
const NEVER_MS = 3_600_000;

let database: TestDatabase;
let logger: QuietLogger;
let jobs: JobHandle[];

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(async () => {
  await database.stop();
});
beforeEach(async () => {
  await database.pool.query("delete from es.job_run");
  logger = new QuietLogger();
  jobs = [];
});
afterEach(async () => {
  await Promise.all(jobs.map((job) => job.stop()));
});

function start(run: (stopping: AbortSignal) => Promise<void>, every_ms = NEVER_MS): JobHandle {
  const job = startJob({ pool: database.pool, logger }, { name: "sweep", every_ms, run });
  jobs.push(job);
  return job;
}

test("a job comes round again and again, also after it has failed", async () => {
  let runs = 0;
  start(() => {
    runs += 1;
    return runs === 1 ? Promise.reject(new Error("dusty")) : Promise.resolve();
  }, 10);
  await eventually(() => {
    expect(runs).toBeGreaterThan(3);
  });
  expect(logger.having("error job sweep failed: Error: dusty")).toHaveLength(1);
});

test("a job runs neither twice at once here nor on two nodes at once", async () => {
  const gate = Promise.withResolvers<undefined>();
  let runs = 0;
  const run = async (): Promise<void> => {
    runs += 1;
    await gate.promise;
  };
  const [here, there] = [start(run), start(run)];
  const first = here.runNow();
  await eventually(() => {
    expect(runs).toBe(1);
  });
  expect(await here.runNow()).toBe(false);
  expect(await there.runNow()).toBe(false);
  gate.resolve(undefined);
  expect(await first).toBe(true);
  expect(await there.runNow()).toBe(true);
  expect(runs).toBe(2);
});

test("a job runs once an interval, however many nodes there are and however often they start anew", async () => {
  const every_ms = 400;
  const runs: number[] = [];
  const run = (): Promise<void> => {
    runs.push(performance.now());
    return Promise.resolve();
  };
  const nodes = [start(run, every_ms), start(run, every_ms), start(run, every_ms)];
  const began = performance.now();
  for (let restarts = 0; runs.length < 4 && restarts < 100; restarts += 1) {
    // Restarts come more often than the job does.
    const [oldest] = nodes.splice(0, 1);
    await oldest?.stop();
    nodes.push(start(run, every_ms));
    await new Promise((resolve) => setTimeout(resolve, every_ms / 4));
  }
  expect(runs).toHaveLength(4);
  const pauses = runs.map((at, n) => at - (runs[n - 1] ?? began));
  for (const pause_ms of pauses) expect(pause_ms).toBeGreaterThan(every_ms - CLOCKS_APART_MS);
});

test("a job whose turn came while no node was there runs soon after the next start", async () => {
  await database.pool.query("insert into es.job_run values ('sweep', now() - interval '2 hours')");
  let runs = 0;
  start(() => {
    runs += 1;
    return Promise.resolve();
  }, 60_000);
  await eventually(() => {
    expect(runs).toBe(1);
  });
});

test("a failed job leaves its lock behind for nobody", async () => {
  const failing = start(() => Promise.reject(new Error("dusty")));
  expect(await failing.runNow()).toBe(false);
  const other = start(() => Promise.resolve());
  await eventually(async () => {
    expect(await other.runNow()).toBe(true);
  });
});

test("stopping tells the run under way and waits for it, and none begins after", async () => {
  let [begun, ended] = [false, false];
  const job = start((stopping) => {
    begun = true;
    return new Promise((resolve) => {
      stopping.addEventListener("abort", () => {
        setImmediate(() => {
          ended = true;
          resolve();
        });
      });
    });
  });
  const running = job.runNow();
  await eventually(() => {
    expect(begun).toBe(true);
  });
  await job.stop();
  expect(ended).toBe(true);
  expect(await running).toBe(true);
  expect(await job.runNow()).toBe(false);
});

test("a job that is stopped before its run has begun does not run", async () => {
  let runs = 0;
  const job = start(() => {
    runs += 1;
    return Promise.resolve();
  });
  const running = job.runNow();
  await job.stop();
  expect(await running).toBe(false);
  expect(runs).toBe(0);
});
