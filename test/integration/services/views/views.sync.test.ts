import type { Caller } from "../../../../mixins/contract/caller";
import { borrowConnection } from "../../../../mixins/postgres/borrowed-connection";
import { purgeViews } from "../../../../services/views/views.sync";
import { deletePost } from "../../../../services/views/post.contract";
import { addView, syncViews, topPosts, viewsByDay } from "../../../../services/views/views.contract";
import { eventually } from "../../../support/eventually";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { ADMIN, AUTHOR, COOK, customer, GUEST, SYSTEM, ViewsNode } from "./views-node";

/** Ends the connection of whoever waits to count views. */
const CUT = `select pg_terminate_backend(pid) from pg_stat_activity
  where wait_event_type = 'Lock' and query like '%insert into post_views%'`;

/** No Redis anywhere here. */
let database: TestDatabase;
let node: ViewsNode;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());
beforeEach(async () => {
  node = await ViewsNode.start(database);
});
afterEach(() => node.stop());

const day = (offset: number): string => new Date(node.now + offset * 86_400_000).toISOString().slice(0, 10);
const viewed = async (post_id: string, times: number): Promise<void> => {
  await Promise.all(Array.from({ length: times }, () => node.view(post_id, customer())));
};
const inbox = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ views: number }>(
    "select coalesce(sum(views), 0)::bigint as views from post_view_inbox",
  );
  return rows[0]?.views ?? Number.NaN;
};
const synced = async (post_id: string): Promise<number> => {
  const { rows } = await database.pool.query<{ views: number }>(
    "select coalesce(sum(views), 0)::bigint as views from post_view_days where post_id = $1",
    [post_id],
  );
  return rows[0]?.views ?? Number.NaN;
};

it("without Redis everybody counts once all the same, on two nodes", async () => {
  const other = await ViewsNode.start(database);
  const post_id = await node.post();
  const viewer = customer();
  const twice = [...Array.from({ length: 50 }, customer), ...Array.from({ length: 50 }, () => viewer)];
  const answers = await Promise.all(twice.map((who, at) => (at % 2 === 0 ? node : other).view(post_id, who)));
  expect(Math.max(...answers)).toBe(51);
  expect(Math.min(...answers)).toBeGreaterThan(0);
  expect(await other.view(post_id, AUTHOR)).toBe(51);
  await other.stop();
});

it("nodes that view the same posts in opposite orders do not stand in each other's way", async () => {
  const other = await ViewsNode.start(database);
  const posts = await Promise.all(Array.from({ length: 20 }, () => node.post()));
  const viewers = Array.from({ length: 20 }, customer);
  const all = async (on: ViewsNode, order: readonly string[]): Promise<void> => {
    for (const viewer of viewers) await Promise.all(order.map((post_id) => on.view(post_id, viewer)));
  };
  await Promise.all([all(node, posts), all(other, posts.toReversed())]);
  for (const post_id of posts) expect(await node.count(post_id)).toBe(20);
  await other.stop();
});

it("a synchronisation moves every view to its day once, and there is nothing left for the next", async () => {
  const post_id = await node.post();
  await node.ask(syncViews, {});
  node.now -= 86_400_000;
  await viewed(post_id, 3);
  node.now += 86_400_000;
  await viewed(post_id, 4);
  const before = (await node.ask(viewsByDay, { post_id })).days;
  expect(before).toEqual([
    { day: day(-1), views: 3 },
    { day: day(0), views: 4 },
  ]);
  expect(await node.ask(syncViews, {})).toMatchObject({ synced_posts: 1 });
  expect(await node.ask(syncViews, {})).toMatchObject({ synced_posts: 0 });
  expect(await inbox()).toBe(0);
  expect((await node.ask(viewsByDay, { post_id })).days).toEqual(before);
});

it("nodes that synchronise at once while views come in count each view on its day once", async () => {
  const other = await ViewsNode.start(database);
  const post_id = await node.post();
  const syncs = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? node : other).ask(syncViews, {}));
  await Promise.all([...syncs, viewed(post_id, 200)]);
  await Promise.all([node.ask(syncViews, {}), other.ask(syncViews, {})]);
  expect(await synced(post_id)).toBe(200);
  expect(await inbox()).toBe(0);
  await other.stop();
});

it("a node that stops synchronises first, and takes no more views", async () => {
  const other = await ViewsNode.start(database);
  const post_id = await other.post();
  const views = Promise.all(Array.from({ length: 30 }, () => other.view(post_id, customer())));
  await views;
  await other.stop();
  expect(await synced(post_id)).toBe(30);
  await expect(other.view(post_id, customer())).rejects.toThrow();
});

it("views that are under way when the node stops are answered, and counted", async () => {
  const other = await ViewsNode.start(database);
  const post_id = await other.post();
  const views = Array.from({ length: 30 }, () => other.view(post_id, customer()));
  await new Promise(setImmediate);
  const [answers] = await Promise.all([Promise.allSettled(views), other.stop()]);
  const answered = answers.filter(({ status }) => status === "fulfilled").length;
  expect(await node.count(post_id)).toBeGreaterThanOrEqual(answered);
  expect(await synced(post_id)).toBe(await node.count(post_id));
});

it("a database that is killed in the middle and comes back loses and doubles no view that was acknowledged", async () => {
  const post_id = await node.post();
  const people = Array.from({ length: 300 }, customer);
  const waiting = [...people];
  const acknowledged: Caller[] = [];
  const worker = async (): Promise<void> => {
    for (let who = waiting.pop(); who !== undefined; who = waiting.pop())
      await node.view(post_id, who).then(
        () => acknowledged.push(who),
        () => undefined,
      );
  };
  const viewing = Promise.all(Array.from({ length: 5 }, worker));
  await eventually(() => {
    expect(acknowledged.length).toBeGreaterThan(20);
  });
  process.kill(database.cluster.pid ?? 0, "SIGKILL");
  await eventually(() => database.cluster.start());
  await viewing;
  const { rows } = await database.pool.query<{ user_id: string }>(
    "select user_id from post_views where post_id = $1",
    [post_id],
  );
  const counted = new Set(rows.map(({ user_id }) => user_id));
  expect(acknowledged.filter(({ user_id }) => !counted.has(user_id ?? ""))).toEqual([]);
  for (const who of people) await node.view(post_id, who);
  expect(await node.count(post_id)).toBe(300);
  await node.ask(syncViews, {});
  expect(await synced(post_id)).toBe(300);
});

it("connections that break in the middle fail no view, and double none", async () => {
  const post_id = await node.post();
  for (let views = 1; views <= 5; views += 1) {
    const { connection: holder, giveBack } = await borrowConnection(database.pool);
    await holder.query("begin; lock table post_view_counts in exclusive mode");
    const viewing = node.view(post_id, customer());
    await eventually(async () => {
      expect((await database.pool.query(CUT)).rowCount).toBe(1);
    }).finally(() => {
      // Closing it gives the lock back.
      giveBack(true);
    });
    expect(await viewing).toBe(views);
  }
  expect(await node.count(post_id)).toBe(5);
});

it("shows what was viewed most today, in seven days, and ever", async () => {
  await database.pool.query("truncate posts, post_views, post_view_counts, post_view_inbox, post_view_days");
  const [old, week, fresh, silent] = [
    await node.post(),
    await node.post(),
    await node.post(),
    await node.post(),
  ];
  const draft = await node.post();
  node.now -= 7 * 86_400_000;
  await viewed(old, 9);
  node.now += 86_400_000;
  await viewed(week, 4);
  await node.ask(syncViews, {});
  node.now += 6 * 86_400_000;
  await viewed(fresh, 2);
  await viewed(old, 1);
  await viewed(draft, 1);
  await database.pool.query("update posts set status = 'archived' where post_id = $1", [draft]);
  const top = async (window: "day" | "week" | "all", limit = 10): Promise<(string | number)[][]> =>
    (await node.ask(topPosts, { window, limit }, GUEST)).items.map(({ post_id, views }) => [post_id, views]);
  expect(await top("day")).toEqual([
    [fresh, 2],
    [old, 1],
  ]);
  expect(await top("week")).toEqual([
    [week, 4],
    [fresh, 2],
    [old, 1],
  ]);
  expect(await top("all")).toEqual([
    [old, 10],
    [week, 4],
    [fresh, 2],
  ]);
  expect(await top("all", 1)).toEqual([[old, 10]]);
  expect(silent).toBeDefined();
});

it("removes the views of a deleted post, and of no other", async () => {
  const [gone, kept] = [await node.post(), await node.post()];
  await viewed(gone, 5);
  await viewed(kept, 3);
  await node.ask(syncViews, {});
  await viewed(gone, 2);
  await node.ask(deletePost, { post_id: gone });
  expect(await node.refusal(addView, { post_id: gone }, customer())).toBe("post.unknown");
  await purgeViews(database.pool);
  for (const table of ["post_views", "post_view_counts", "post_view_inbox", "post_view_days"]) {
    const { rows } = await database.pool.query(`select 1 from ${table} where post_id = $1`, [gone]);
    expect(rows).toEqual([]);
  }
  expect(await node.count(kept)).toBe(3);
  expect(await synced(kept)).toBe(3);
});

describe("is refused:", () => {
  it.each([
    ["a view of a guest", addView, GUEST, "auth.required"],
    ["a view of Forno itself", addView, SYSTEM, "auth.required"],
    ["a synchronisation by a cook", syncViews, COOK, "auth.forbidden"],
    ["counts by day for a customer", viewsByDay, customer(), "auth.forbidden"],
  ] as const)("%s", async (_, contract, caller, code) => {
    const post_id = await node.post();
    const params = contract === syncViews ? {} : { post_id };
    expect(await node.refusal(contract, params, caller)).toBe(code);
  });

  it.each([
    ["an end before its start", { from: "2026-03-02", to: "2026-03-01" }],
    ["more than a year", { from: "2020-01-01", to: "2026-03-01" }],
    ["a time before there were computers", { to: "0001-01-01" }],
  ])("%s", async (_, span) => {
    const post_id = await node.post();
    expect(await node.refusal(viewsByDay, { post_id, ...span }, ADMIN)).toBe("views.invalid_interval");
  });

  it("a post that is not there, or not published", async () => {
    const unknown = "01990000-0000-7000-8000-00000000dead";
    const draft = await node.post({ status: "draft" });
    for (const post_id of [unknown, draft])
      expect(await node.refusal(addView, { post_id }, customer())).toBe("post.unknown");
    expect(await node.refusal(viewsByDay, { post_id: unknown })).toBe("post.unknown");
  });
});
